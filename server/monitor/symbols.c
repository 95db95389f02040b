// SPDX-License-Identifier: GPL-2.0-or-later
/* `symbols`: for the kernel and every module which file is wanted, and what was found. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/printable.h"
#include "base/slice.h"
#include "server/files/debuginfod.h"
#include "server/monitor/commands.h"
#include "server/monitor/job.h"
#include "server/service.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/module_files.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/names/files/debugfiles.h"
#include "vmcore/vmcore.h"

/* What is said of an object. Strings are borrowed and may be NULL. */
struct finding {
	const char *object, *build_id, *file, *package, *why, *tried, *dwarf_why;
	bool debug_info, symtab, packed, in_package;
};

static void add_download_json(struct json *j, const struct download *d)
{
	static const char *const words[] = {
		[DOWNLOAD_WAITING] = "waiting",
		[DOWNLOAD_RUNNING] = "running",
		[DOWNLOAD_DONE] = "done",
		[DOWNLOAD_FAILED] = "failed",
	};
	if (d->state == DOWNLOAD_NONE)
		return;
	json_object(j, "debuginfod");
	json_str(j, "state", words[d->state]);
	if (d->state == DOWNLOAD_RUNNING && d->total) {
		json_u64(j, "bytes_done", d->done);
		json_u64(j, "bytes_total", d->total);
	}
	if (d->state == DOWNLOAD_DONE)
		json_str(j, "file", d->text);
	if (d->state == DOWNLOAD_FAILED)
		json_str(j, "why", d->text);
	json_end(j);
}

static struct download download_of(const struct service *service, const struct finding *f)
{
	if (f->build_id)
		return debuginfod_state(service->debuginfod, f->build_id);
	return (struct download){ .state = DOWNLOAD_NONE };
}

static void add_json(const struct service *service, const struct finding *f, struct buf *out)
{
	struct buf package = BUF_INIT;
	const char *release = kernel_release(service->vmcore->kernel);
	debug_package_hint(*release ? release : NULL, f->build_id, &package);
	struct json j = JSON_INIT(out);
	json_object(&j, NULL);
	json_str(&j, "object", f->object);
	if (f->build_id)
		json_str(&j, "build_id", f->build_id);
	json_bool(&j, "found", f->file);
	if (f->file) {
		json_str(&j, "file", f->file);
		if (f->package)
			json_str(&j, "from_package", f->package);
		json_bool(&j, "symbols", f->symtab);
		json_bool(&j, "debug_info", f->debug_info);
		json_bool(&j, "compressed", f->packed);
	}
	if (f->why)
		json_str(&j, "why", f->why);
	if (f->dwarf_why)
		json_str(&j, "debug_info_why", f->dwarf_why);
	if (!f->file || !f->debug_info)
		json_str(&j, "package", package.data);
	if (f->tried && *f->tried)
		json_str(&j, "refused", f->tried);
	struct download d = download_of(service, f);
	add_download_json(&j, &d);
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

/* What debuginfod says, or how to ask it. */
static void add_download(const struct service *service, const struct finding *f, struct buf *out)
{
	struct download d = download_of(service, f);
	buf_addstr(out, "    ");
	switch (d.state) {
	case DOWNLOAD_NONE:
		if (debuginfod_why_not(service->debuginfod))
			buf_addf(out, "or: debuginfod-find debuginfo %s", f->build_id);
		else
			buf_addf(out, "debuginfod was not asked: symbols --fetch %s", f->object);
		break;
	case DOWNLOAD_WAITING:
		buf_addstr(out, "debuginfod: waiting for the downloads before it");
		break;
	case DOWNLOAD_RUNNING:
		buf_addstr(out, "debuginfod: downloading");
		if (d.total)
			buf_addf(out, ", %.0f%% of %" PRIu64 " MiB",
				 (double)d.done * 100. / (double)d.total, d.total >> 20);
		break;
	case DOWNLOAD_DONE:
		buf_addstr(out, "debuginfod: downloaded to ");
		add_printable(out, d.text);
		break;
	case DOWNLOAD_FAILED:
		buf_addstr(out, "debuginfod: ");
		add_printable(out, d.text);
		break;
	}
	buf_addch(out, '\n');
}

static void add_text(const struct service *service, const struct finding *f, struct buf *out)
{
	const char *release = kernel_release(service->vmcore->kernel);
	add_printable(out, f->object);
	buf_addf(out, "  build-id %s\n", f->build_id ? f->build_id : "unknown");
	if (f->file)
		buf_addf(out, "    %s%s%s\n", f->file, f->packed ? " (compressed)" : "",
			 f->debug_info	? ""
			 : f->dwarf_why ? " (with debug information that cannot be read)"
					: " (without debug information)");
	if (f->file && f->package && !f->in_package)
		buf_addf(out, "    taken out of %s\n", f->package);
	add_indented(out, f->dwarf_why);
	add_indented(out, f->why);
	add_indented(out, f->tried);
	if (f->file && (f->debug_info || f->dwarf_why))
		return;
	/* Where nothing was found, that has said which package it is in. */
	if (f->file) {
		buf_addstr(out, "    with debug information it is in ");
		debug_package_hint(*release ? release : NULL, f->build_id, out);
		buf_addch(out, '\n');
	}
	if (f->build_id)
		add_download(service, f, out);
}

static void add_finding(const struct service *service, const struct finding *f, bool json,
			struct buf *out)
{
	if (json)
		add_json(service, f, out);
	else
		add_text(service, f, out);
}

static void finding_of_file(struct finding *f, const struct debug_file *file)
{
	f->file = file->path;
	f->debug_info = file->has_dwarf;
	f->symtab = file->has_symtab;
	f->dwarf_why = file->dwarf_why;
	f->packed = file->packed;
	f->package = file->package;
	f->in_package = file->in_package;
}

/* One that is not in use, for the dump's own symbols and types did, is looked for now. */
static struct err *describe_kernel(struct service *service, bool json, struct buf *out)
{
	const struct kernel *k = service->vmcore->kernel;
	struct finding f = { .object = "vmlinux", .build_id = kernel_build_id(k) };
	struct debug_file *found = NULL;
	struct buf tried = BUF_INIT;
	struct err *e = NULL;
	if (kernel_debug_file(k)) {
		finding_of_file(&f, kernel_debug_file(k));
	} else {
		struct debug_wanted wanted = kernel_debug_wanted(k);
		e = debug_file_find(NULL, 0, &wanted, &tried, &found);
		f.tried = tried.data;
		f.why = e ? err_msg(e)
			  : "the server does not use it: the dump's own symbols and "
			    "types did; --symbols names it";
		if (found)
			finding_of_file(&f, found);
	}
	if (!e || err_code(e) != ERR_NOMEM)
		add_finding(service, &f, json, out);
	debug_file_close(found);
	buf_free(&tried);
	if (e && err_code(e) != ERR_NOMEM) {
		err_free(e);
		e = NULL;
	}
	return e;
}

static struct err *describe_module(struct service *service, const struct module *m, bool json,
				   struct buf *out)
{
	const struct module_file *file;
	struct err *e = module_files_get(service->vmcore->module_files, m, &file);
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
		.dwarf_why = file->dwarf_why,
		.packed = file->packed,
		.package = file->package,
		.in_package = file->in_package,
	};
	add_finding(service, &f, json, out);
	return NULL;
}

/* ---- the command ---- */

struct listing {
	struct target_job job;
	struct service *service; /* borrowed */
	bool json;
	bool fetch;		/* what is missing is still to be found out, and to be asked for */
	char **names;		/* owned, like what they point to: of the objects that are wanted */
	size_t count;		/* of them; 0: all objects are */
	size_t next;		/* object: 0 is the kernel, the rest are modules */
	const char **build_ids; /* owned; what is missing, borrowed from the kernel and modules */
	size_t missing;
};

static void free_listing(struct target_job *job)
{
	struct listing *l = (struct listing *)job;
	for (size_t i = 0; i < l->count; i++)
		free(l->names[i]);
	free(l->names);
	free(l->build_ids);
	free(l);
}

static const char *object_name(const struct vmcore *h, size_t object)
{
	return object ? code_map_modules(h->code)->list[object - 1].name : "vmlinux";
}

static size_t object_count(const struct vmcore *h)
{
	return code_map_modules(h->code)->count + 1;
}

static bool is_named(const struct vmcore *h, const struct listing *l, size_t object)
{
	for (size_t i = 0; i < l->count; i++)
		if (!strcmp(l->names[i], object_name(h, object)))
			return true;
	return !l->count;
}

/* Whose file with debug information is not here; NULL if it is, or has no name to be asked for by.
 */
static struct err *find_missing(struct vmcore *h, size_t object, const char **ret)
{
	const struct module_file *file;
	*ret = NULL;
	if (!object) {
		struct debug_file *found = NULL;
		const struct debug_file *used = kernel_debug_file(h->kernel);
		struct err *e = NULL;
		if (!used)
			e = kernel_find_debug_file(h->kernel, NULL, 0, &found);
		if (e && err_code(e) == ERR_NOMEM)
			return e;
		if (!used)
			used = found;
		if (!used || !used->has_dwarf)
			*ret = kernel_build_id(h->kernel);
		err_free(e);
		debug_file_close(found);
		return NULL;
	}
	const struct module *m = &code_map_modules(h->code)->list[object - 1];
	struct err *e = module_files_get(h->module_files, m, &file);
	if (!e && !file->has_dwarf)
		*ret = file->build_id;
	return e;
}

static struct err *fetch_missing(struct service *service, struct listing *l)
{
	struct err *e = debuginfod_fetch(service->debuginfod, l->build_ids, l->missing, true);
	if (e)
		return e;
	if (service->fetch_waits)
		service_wait_for_downloads(service);
	service_look_again(service);
	l->fetch = false;
	l->next = 0;
	return NULL;
}

static struct err *describe(struct service *service, size_t object, bool json, struct buf *out)
{
	if (!object)
		return describe_kernel(service, json, out);
	return describe_module(service, &code_map_modules(service->vmcore->code)->list[object - 1],
			       json, out);
}

static struct err *next_objects(struct vmcore *h, struct target_job *job, struct buf *out,
				bool *ret_done)
{
	struct listing *l = (struct listing *)job;
	struct err *e = NULL;
	const struct slice now = slice_begin();
	for (; !e && l->next < object_count(h) && !slice_is_over(&now); l->next++) {
		if (!is_named(h, l, l->next))
			continue;
		if (!l->fetch) {
			e = describe(l->service, l->next, l->json, out);
			continue;
		}
		e = find_missing(h, l->next, &l->build_ids[l->missing]);
		if (!e && l->build_ids[l->missing])
			l->missing++;
	}
	if (e || l->next < object_count(h))
		return e;
	if (l->fetch)
		return fetch_missing(l->service, l);
	*ret_done = true;
	return NULL;
}

/* The kernel spells its modules' names with '_'. */
static struct err *take_name(struct vmcore *h, struct listing *l, const char *name)
{
	char *copy = strdup(name);
	if (!copy)
		return err_nomem();
	for (char *p = copy; *p; p++)
		if (*p == '-')
			*p = '_';
	l->names[l->count++] = copy;
	for (size_t i = 0; i < object_count(h); i++)
		if (!strcmp(copy, object_name(h, i)))
			return NULL;
	return err_new(ERR_NOTFOUND, "there is no module '%s', and the kernel is called vmlinux",
		       name);
}

struct err *monitor_symbols(struct service *service, struct target_view *view,
			    const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	(void)view, (void)out;
	struct listing *l = calloc(1, sizeof(*l));
	if (!l)
		return err_nomem();
	l->job = (struct target_job){ .slice = next_objects,
				      .free = free_listing,
				      .rests_on = JOB_ON_CODE };
	l->service = service;
	l->json = args->printer == PRINT_JSON;
	l->names = calloc(args->count + 1, sizeof(*l->names));
	l->build_ids = calloc(object_count(h) + 1, sizeof(*l->build_ids));
	struct err *e = l->names && l->build_ids ? NULL : err_nomem();
	for (size_t i = 0; !e && i < args->count; i++) {
		if (!strcmp(args->list[i], "--fetch"))
			l->fetch = true;
		else
			e = take_name(h, l, args->list[i]);
	}
	if (!e && l->fetch && debuginfod_why_not(service->debuginfod))
		e = err_new(ERR_UNSUPPORTED, "--fetch: %s",
			    debuginfod_why_not(service->debuginfod));
	if (e) {
		free_listing(&l->job);
		return e;
	}
	service_look_again(service);
	*args->ret_job = &l->job;
	return NULL;
}
