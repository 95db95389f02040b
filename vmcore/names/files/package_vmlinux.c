// SPDX-License-Identifier: GPL-2.0-or-later
/* The vmlinux out of a package: the file that fits, and of others no more than tells that. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "vmcore/names/files/debug_search.h"
#include "vmcore/names/files/debugfiles.h"
#include "vmcore/names/files/elf_identity.h"
#include "vmcore/names/files/package_private.h"
#include "vmcore/names/files/symbol_cache.h"
#include "vmcore/names/files/unpack.h"

static struct err *other_build_id(const char *id, const struct debug_wanted *wanted)
{
	return err_new(ERR_FORMAT,
		       "it belongs to another kernel: its build-id is %s, the dump's %s", id,
		       wanted->build_id);
}

static struct err *other_release(const struct package *k, const struct debug_wanted *wanted)
{
	return err_new(ERR_FORMAT, "it belongs to another kernel: its release is %s, the dump's %s",
		       k->contents.release, wanted->release);
}

struct taking {
	struct package_writer w;
	const struct debug_wanted *wanted;
	bool looked; /* its notes have been found */
	bool other;  /* it is not the wanted one */
};

/* Remembers @id, which is taken. */
static void set_vmlinux_id(struct package *k, char *id)
{
	if (!id)
		return;
	free(k->contents.vmlinux_id);
	k->contents.vmlinux_id = id;
}

static struct err *look_early(struct package_writer *w)
{
	struct taking *t = (struct taking *)w;
	char *id;
	if (t->looked)
		return NULL;
	t->looked = elf_early_build_id(w->fd, w->size, &id);
	if (!id)
		return NULL;
	struct err *e = NULL;
	if (t->wanted->build_id && strcasecmp(id, t->wanted->build_id) != 0) {
		t->other = true;
		e = other_build_id(id, t->wanted);
	}
	set_vmlinux_id(w->k, id);
	return e;
}

/* ---- taking it ---- */

/* The vmlinux that was taken out and not kept; the file gets a descriptor of its own. */
static struct err *open_taken(const struct package *k, const struct debug_wanted *wanted,
			      struct debug_file **ret)
{
	struct buf path = BUF_INIT;
	bool module;
	buf_addf(&path, "%s/vmlinux", k->path);
	struct err *e = buf_error(&path);
	int fd = e ? -1 : dup(k->vmlinux);
	if (!e && fd < 0)
		e = err_new(ERR_IO, "there are too many open files");
	if (!e)
		e = debug_file_open_fd(fd, path.data, wanted, &module, ret);
	buf_free(&path);
	if (e)
		return e;
	(*ret)->in_package = true;
	(*ret)->package = strdup(k->path);
	return NULL;
}

/* Moves the vmlinux, which fits, into the cache, if there is one. */
static struct err *keep(struct packages *p, struct package *k, struct debug_file *file)
{
	char *path;
	struct err *e = symbol_cache_keep(p->cache, file->fd, file->build_id, &path);
	if (e || !path)
		return e;
	free(file->path);
	file->path = path;
	file->in_package = false;
	close(k->vmlinux);
	k->vmlinux = -1;
	return NULL;
}

/* The whole of it is in the file @fd, which is taken. */
static struct err *use(struct packages *p, struct package *k, int fd,
		       const struct debug_wanted *wanted, struct debug_file **ret)
{
	struct elf_identity id = { 0 };
	struct debug_file *file;
	k->vmlinux = fd;
	struct err *e = elf_identify(fd, &id);
	if (!e) {
		set_vmlinux_id(k, id.build_id);
		id.build_id = NULL;
		e = open_taken(k, wanted, &file);
	}
	elf_identity_free(&id);
	if (e)
		return e;
	e = keep(p, k, file);
	if (e) {
		debug_file_close(file);
		return e;
	}
	*ret = file;
	return NULL;
}

static struct err *take(struct packages *p, struct package *k, const struct debug_wanted *wanted,
			bool *ret_other, struct debug_file **ret)
{
	struct taking t = { .w = { p, k, .most = UNPACK_VMLINUX_MAX, .look = look_early },
			    .wanted = wanted };
	struct err *e = symbol_cache_file(p->cache, &t.w.fd);
	if (e)
		return e;
	e = package_write(&t.w);
	if (!e)
		e = package_unpack(p, &t.w.fd, UNPACK_VMLINUX_MAX);
	if (e) {
		close(t.w.fd);
		*ret_other = t.other;
		return e;
	}
	e = use(p, k, t.w.fd, wanted, ret);
	*ret_other = e && err_code(e) != ERR_NOMEM && err_code(e) != ERR_IO;
	return e;
}

/* ---- finding it ---- */

/* Reads on to the vmlinux, and takes it. Modules on the way are put aside. */
static struct err *read_to_vmlinux(struct packages *p, struct package *k,
				   const struct debug_wanted *wanted, bool *ret_other,
				   struct debug_file **ret)
{
	for (;;) {
		struct package_entry entry;
		struct package_name name;
		struct package_module *m;
		bool end;
		struct err *e = package_next(k, &entry, &name, &end);
		if (e)
			return e;
		if (end)
			return err_new(ERR_NOTFOUND, "there is no vmlinux in it");
		if (package_is_of_other(k, wanted->release)) {
			*ret_other = true;
			return other_release(k, wanted);
		}
		if (name.file == PACKAGE_VMLINUX)
			return take(p, k, wanted, ret_other, ret);
		e = package_meet_module(k, name.module, &m);
		if (!e)
			e = package_put_aside(p, k, &entry, m);
		if (e)
			return e;
	}
}

/* Reads the package, of which nothing is known that spares that. What is open stays so only where
 * modules may come: behind the vmlinux that fits, and at the end. */
static struct err *read_package(struct packages *p, struct package *k,
				const struct debug_wanted *wanted, bool *ret_other,
				struct debug_file **ret)
{
	struct err *e = package_begin(p, k);
	if (!e)
		e = read_to_vmlinux(p, k, wanted, ret_other, ret);
	if (!e || err_code(e) == ERR_NOTFOUND)
		return e;
	if (!*ret_other && err_code(e) != ERR_NOMEM)
		package_fail(k, e);
	package_end(k);
	package_keep_contents(p, k);
	return e;
}

struct err *packages_kept_vmlinux(struct packages *p, const char *build_id,
				  const struct debug_wanted *wanted, struct debug_file **ret)
{
	struct buf path = BUF_INIT;
	bool module;
	struct err *e = NULL;
	if (!symbol_cache_find(p->cache, build_id, &path))
		e = err_new(ERR_NOTFOUND, "it is not in the symbol cache");
	if (!e)
		e = debug_file_open_or_module(path.data, wanted, false, &module, ret);
	buf_free(&path);
	if (e)
		return e;
	for (const struct package *k = p->list; k && !(*ret)->package; k = k->next)
		if (k->contents.vmlinux_id && !strcasecmp(k->contents.vmlinux_id, build_id))
			(*ret)->package = strdup(k->path);
	return NULL;
}

/* By what is known already; ERR_NOTFOUND without *ret_known when it has to be read. */
static struct err *find_known(struct packages *p, struct package *k,
			      const struct debug_wanted *wanted, bool *ret_known, bool *ret_other,
			      struct debug_file **ret)
{
	const char *id = k->contents.vmlinux_id;
	*ret_known = true;
	if (k->failure)
		return err_new(k->failure_code, "%s", k->failure);
	*ret_other = true;
	if (package_is_of_other(k, wanted->release))
		return other_release(k, wanted);
	if (id && wanted->build_id && strcasecmp(id, wanted->build_id) != 0)
		return other_build_id(id, wanted);
	if (k->vmlinux >= 0)
		return open_taken(k, wanted, ret);
	*ret_other = false;
	if (!id && k->contents.whole)
		return err_new(ERR_NOTFOUND, "there is no vmlinux in it");
	/* One that is damaged is taken out anew. */
	struct err *e = packages_kept_vmlinux(p, id ? id : wanted->build_id, wanted, ret);
	*ret_known = !e;
	return e;
}

struct err *packages_vmlinux(struct packages *p, const char *path,
			     const struct debug_wanted *wanted, bool *ret_other,
			     struct debug_file **ret)
{
	struct package *k;
	bool known;
	*ret_other = false;
	struct err *e = package_get(p, path, &k);
	if (e)
		return e;
	e = find_known(p, k, wanted, &known, ret_other, ret);
	if (e && !known && err_code(e) != ERR_NOMEM) {
		err_free(e);
		e = read_package(p, k, wanted, ret_other, ret);
	}
	return err_wrap(e, "%s", path);
}
