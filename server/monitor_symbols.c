// SPDX-License-Identifier: GPL-2.0-or-later
/* `symbols`: for the kernel and every module which file is wanted, and what was found. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "server/host.h"
#include "server/kernel/debugfiles.h"
#include "server/kernel/kernel.h"
#include "server/kernel/module_files.h"
#include "server/kernel/modules.h"
#include "server/monitor_commands.h"
#include "server/monitor_modules.h"
#include "server/printable.h"

/* What is said of an object. Strings are borrowed and may be NULL. */
struct finding {
	const char *object, *build_id, *file, *why, *tried;
	bool debug_info, symtab;
};

static void add_json(const struct host *h, const struct finding *f, struct buf *out)
{
	struct buf package = BUF_INIT;
	const char *release = kernel_release(h->kernel);
	debug_package_hint(*release ? release : NULL, f->build_id, &package);
	struct json j = JSON_INIT(out);
	json_object(&j, NULL);
	json_str(&j, "object", f->object);
	if (f->build_id)
		json_str(&j, "build_id", f->build_id);
	json_bool(&j, "found", f->file);
	if (f->file) {
		json_str(&j, "file", f->file);
		json_bool(&j, "symbols", f->symtab);
		json_bool(&j, "debug_info", f->debug_info);
	}
	if (f->why)
		json_str(&j, "why", f->why);
	if (!f->file || !f->debug_info)
		json_str(&j, "package", package.data);
	if (f->tried && *f->tried)
		json_str(&j, "refused", f->tried);
	json_end(&j);
	buf_addch(out, '\n');
	buf_free(&package);
}

/* A line for each line of @text. */
static void add_indented(struct buf *out, const char *text)
{
	while (text && *text) {
		const char *end = text;
		while (*end && *end != '\n')
			end++;
		char *line = strndup(text, (size_t)(end - text));
		buf_addstr(out, "    ");
		if (line)
			add_printable(out, line);
		buf_addch(out, '\n');
		free(line);
		text = *end ? end + 1 : end;
	}
}

static void add_text(const struct host *h, const struct finding *f, struct buf *out)
{
	const char *release = kernel_release(h->kernel);
	add_printable(out, f->object);
	buf_addf(out, "  build-id %s\n", f->build_id ? f->build_id : "unknown");
	if (f->file)
		buf_addf(out, "    %s%s\n", f->file,
			 f->debug_info ? "" : " (without debug information)");
	add_indented(out, f->why);
	add_indented(out, f->tried);
	if (f->file && f->debug_info)
		return;
	/* Where nothing was found, that has said which package it is in. */
	if (f->file) {
		buf_addstr(out, "    with debug information it is in ");
		debug_package_hint(*release ? release : NULL, f->build_id, out);
		buf_addch(out, '\n');
	}
	if (f->build_id)
		buf_addf(out, "    or: debuginfod-find debuginfo %s\n", f->build_id);
}

static void add_finding(const struct host *h, const struct finding *f, bool json, struct buf *out)
{
	if (json)
		add_json(h, f, out);
	else
		add_text(h, f, out);
}

static void finding_of_file(struct finding *f, const struct debug_file *file)
{
	f->file = file->path;
	f->debug_info = file->has_dwarf;
	f->symtab = file->has_symtab;
}

/* One that is not in use, for the dump's own symbols and types did, is looked for now. */
static struct err *describe_kernel(struct host *h, bool json, struct buf *out)
{
	const struct kernel *k = h->kernel;
	struct finding f = { .object = "vmlinux", .build_id = kernel_build_id(k) };
	struct debug_file *found = NULL;
	struct buf tried = BUF_INIT;
	struct err *e = NULL;
	if (kernel_debug_file(k)) {
		finding_of_file(&f, kernel_debug_file(k));
	} else {
		struct debug_wanted wanted = {
			.release = *kernel_release(k) ? kernel_release(k) : NULL,
			.build_id = kernel_build_id(k),
			.info = kernel_vmcoreinfo(k),
		};
		e = debug_file_find(NULL, 0, &wanted, &tried, &found);
		f.tried = tried.data;
		f.why = e ? err_msg(e)
			  : "the server does not use it: the dump's own symbols and "
			    "types did; --symbols names it";
		if (found)
			finding_of_file(&f, found);
	}
	if (!e || err_code(e) != ERR_NOMEM)
		add_finding(h, &f, json, out);
	debug_file_close(found);
	buf_free(&tried);
	if (e && err_code(e) != ERR_NOMEM) {
		err_free(e);
		e = NULL;
	}
	return e;
}

static struct err *describe_module(struct host *h, const struct module *m, struct buf *out,
				   bool json)
{
	const struct module_file *file;
	struct err *e = module_files_get(h->module_files, m, &file);
	if (e)
		return e;
	struct finding f = {
		.object = m->name,
		.build_id = file->build_id,
		.file = file->path,
		.why = file->why,
		.tried = file->tried,
		.debug_info = file->has_dwarf,
		.symtab = file->has_symtab,
	};
	add_finding(h, &f, json, out);
	return NULL;
}

struct err *monitor_symbols(struct host *h, struct target_view *view,
			    const struct monitor_arguments *args, struct buf *out)
{
	(void)view;
	struct err *e = describe_kernel(h, args->json, out);
	return e ? e : monitor_each_module(args, describe_module);
}
