// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/ide/ide_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/files.h"
#include "base/log.h"
#include "base/printable.h"
#include "server/service.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/names/files/debugfiles.h"
#include "vmcore/names/files/source_package.h"
#include "vmcore/names/files/source_roots.h"
#include "vmcore/vmcore.h"

static const char anywhere[] = "/path/to/linux";

void ide_facts_free(struct ide_facts *f)
{
	free(f->kernel);
	free(f->address);
	free(f->vmlinux);
	free(f->source);
	for (size_t i = 0; i < f->from_count; i++)
		free(f->from[i]);
	free(f->from);
	free(f->to);
	*f = (struct ide_facts){ 0 };
}

/* What a configuration can hold in quotes, in every language that there is. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

static struct err *copy(const char *text, char **ret)
{
	*ret = strdup(text);
	return *ret ? NULL : err_nomem();
}

/* ---- the address ---- */

static struct err *use_socket(const char *path, const char *file, struct ide_facts *f)
{
	struct buf text = BUF_INIT;
	char *whole = *path == '/' ? strdup("") : getcwd(NULL, 0);
	if (!whole)
		return err_new(ERR_INVALID, "--ide: the folder that this runs in is not known");
	buf_addstr(&text, whole);
	if (*path != '/')
		buf_addch(&text, '/');
	buf_addstr(&text, path);
	buf_addstr(&text, file);
	free(whole);
	struct err *e = buf_error(&text);
	f->is_socket = true;
	if (!e)
		e = copy(text.data, &f->address);
	buf_free(&text);
	return e;
}

static struct err *use_port(const char *listen, struct ide_facts *f)
{
	static const char *const all[] = { "", "0.0.0.0", "[::]", "*" };
	const char *colon = strrchr(listen, ':');
	struct buf text = BUF_INIT;
	if (!colon || !colon[1] || strspn(colon + 1, "0") == strlen(colon + 1))
		return err_new(ERR_INVALID,
			       "--ide: '%s' is no address that a configuration can have; give "
			       "--listen HOST:PORT or unix:PATH",
			       listen);
	size_t len = (size_t)(colon - listen), i = 0;
	while (i < sizeof(all) / sizeof(*all) &&
	       (strlen(all[i]) != len || memcmp(listen, all[i], len) != 0))
		i++;
	if (i < sizeof(all) / sizeof(*all))
		buf_addf(&text, "localhost%s", colon);
	else
		buf_addstr(&text, listen);
	struct err *e = buf_error(&text);
	if (!e)
		e = copy(text.data, &f->address);
	buf_free(&text);
	return e;
}

static struct err *find_address(const char *listen, struct ide_facts *f)
{
	static const char socket[] = "unix:", folder[] = "unixdir:";
	struct err *e;
	if (!listen)
		e = copy("localhost:1234", &f->address);
	else if (!strncmp(listen, socket, strlen(socket)))
		e = use_socket(listen + strlen(socket), "", f);
	else if (!strncmp(listen, folder, strlen(folder)))
		e = use_socket(listen + strlen(folder), "/host", f);
	else
		e = use_port(listen, f);
	if (!e && !is_plain(f->address))
		e = err_new(ERR_INVALID, "--ide: the address has characters that no configuration "
					 "can have");
	return e;
}

/* ---- files ---- */

/* What a client can read by its name: neither packed nor in a package. */
static struct err *use_vmlinux(const struct debug_file *file, struct ide_facts *f)
{
	if (file->in_package || file->packed || !is_plain(file->path))
		return NULL;
	char *path = files_real(file->path);
	if (path && is_plain(path))
		f->vmlinux = path;
	else
		free(path);
	return NULL;
}

/* Whether the source is where the compiler saw it. */
static bool is_there(const char *root)
{
	struct buf file = BUF_INIT;
	buf_addf(&file, "%s/init/main.c", root);
	bool yes = *root == '/' && !file.failed && files_is_there(file.data);
	buf_free(&file);
	return yes;
}

/* Red Hat's kernels are compiled where their package of sources puts them. */
static bool is_installed_there(const char *root)
{
	static const char folder[] = "/usr/src/debug/";
	return !strncmp(root, folder, strlen(folder));
}

static struct err *use_roots(const struct debug_file *file, struct ide_facts *f)
{
	struct source_roots roots = { 0 };
	struct err *e = source_roots_read(file->fd, file->path, &roots);
	if (e && err_code(e) != ERR_NOMEM) {
		log_debug(LOG_SYMBOLS, "no folders of the source: %s", err_msg(e));
		err_free(e);
		return NULL;
	}
	if (!e && roots.count)
		f->from = calloc(roots.count, sizeof(*f->from));
	if (!e && roots.count && !f->from)
		e = err_nomem();
	for (size_t i = 0; !e && i < roots.count; i++) {
		if (is_there(roots.list[i]) || is_installed_there(roots.list[i]))
			continue;
		e = copy(roots.list[i], &f->from[f->from_count]);
		if (!e)
			f->from_count++;
	}
	source_roots_free(&roots);
	return e;
}

static struct err *use_debug_file(const struct debug_file *file, struct ide_facts *f)
{
	struct err *e = use_vmlinux(file, f);
	return e ? e : use_roots(file, f);
}

static struct err *find_files(struct kernel *k, struct ide_facts *f)
{
	struct debug_file *found = NULL;
	const struct debug_file *file = kernel_debug_file(k);
	struct err *e = NULL;
	if (!file) {
		e = kernel_find_debug_file(k, NULL, 0, &found);
		file = found;
	}
	if (!e)
		e = use_debug_file(file, f);
	else if (err_code(e) != ERR_NOMEM) {
		err_free(e);
		e = NULL;
	}
	debug_file_close(found);
	return e;
}

static struct err *find_source(const struct kernel *k, struct ide_facts *f)
{
	struct source_package package;
	if (!source_package_find(kernel_release(k), kernel_banner(k), &package))
		return copy(anywhere, &f->to);
	struct err *e = copy(package.how, &f->source);
	return e ? e : copy(*package.folder ? package.folder : anywhere, &f->to);
}

static struct err *name_kernel(const struct kernel *k, struct ide_facts *f)
{
	struct buf text = BUF_INIT;
	buf_addstr(&text, "Linux");
	if (*kernel_release(k)) {
		buf_addch(&text, ' ');
		add_printable(&text, kernel_release(k));
	}
	struct err *e = buf_error(&text);
	if (!e)
		e = copy(text.data, &f->kernel);
	buf_free(&text);
	return e;
}

struct err *ide_facts_find(const struct service *service, const char *listen, struct ide_facts *ret)
{
	struct ide_facts f = { 0 };
	struct err *e = find_address(listen, &f);
	if (!e)
		e = name_kernel(service->vmcore->kernel, &f);
	if (!e)
		e = find_files(service->vmcore->kernel, &f);
	if (!e)
		e = find_source(service->vmcore->kernel, &f);
	if (e) {
		ide_facts_free(&f);
		return e;
	}
	*ret = f;
	return NULL;
}

struct err *ide_facts_example(struct ide_facts *ret)
{
	struct ide_facts f = { .from = calloc(1, sizeof(*f.from)) };
	struct err *e = f.from ? copy("/folder/of/the/compiler", &f.from[0]) : err_nomem();
	if (!e)
		f.from_count = 1;
	if (!e)
		e = copy("Linux", &f.kernel);
	if (!e)
		e = copy("localhost:1234", &f.address);
	if (!e)
		e = copy("/path/to/vmlinux", &f.vmlinux);
	if (!e)
		e = copy(anywhere, &f.to);
	if (e) {
		ide_facts_free(&f);
		return e;
	}
	*ret = f;
	return NULL;
}
