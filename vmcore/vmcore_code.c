// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/vmcore_code.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/code_scopes.h"
#include "vmcore/code/frame_cache.h"
#include "vmcore/code/module_files.h"
#include "vmcore/code/module_types.h"
#include "vmcore/code/modules.h"
#include "vmcore/code/unwind_source.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/memory/memory.h"
#include "vmcore/names/files/debugfiles.h"
#include "vmcore/names/files/packages.h"
#include "vmcore/vmcore.h"

/* To read the list of modules without its changing meanwhile. */
enum { LIVE_ATTEMPTS = 4 };

static void free_parts(struct vmcore_code *c)
{
	code_scopes_free(c->scopes);
	frame_cache_free(c->frames);
	unwinder_free(c->unwinder);
	module_types_free(c->types);
	module_files_free(c->files);
	code_map_free(c->map);
	*c = (struct vmcore_code){ 0 };
}

static struct err *open_parts(struct vmcore *h, struct vmcore_code *c)
{
	struct err *e = code_map_new(h->kernel, &c->map);
	if (!e)
		e = module_files_new(h->kernel, code_map_modules(c->map), h->symbol_paths,
				     h->symbol_path_count, &c->files);
	if (!e)
		e = module_types_new(h->kernel, code_map_modules(c->map), c->files, &c->types);
	if (e)
		return e;
	struct unwinder_parts parts = {
		.k = h->kernel,
		.cpus = &h->cpus,
		.tasks = &h->tasks,
		.registers = h->registers,
		.code = c->map,
		.files = c->files,
	};
	e = unwinder_new(&parts, &c->unwinder);
	if (!e)
		e = frame_cache_new(c->unwinder, &c->frames);
	if (!e)
		e = code_scopes_new(h->kernel, c->map, c->files, &c->scopes);
	return e;
}

static struct vmcore_code take_from(const struct vmcore *h)
{
	return (struct vmcore_code){
		.map = h->code,
		.types = h->module_types,
		.files = h->module_files,
		.unwinder = h->unwinder,
		.frames = h->frames,
		.scopes = h->scopes,
	};
}

static void give_to(struct vmcore *h, const struct vmcore_code *c)
{
	h->code = c->map;
	h->module_types = c->types;
	h->module_files = c->files;
	h->unwinder = c->unwinder;
	h->frames = c->frames;
	h->scopes = c->scopes;
}

/* Why packages could not be read, or what was taken out of them is not kept. */
static void note_failures(struct vmcore *h)
{
	struct packages *packages = kernel_debug_wanted(h->kernel).packages;
	struct buf text = BUF_INIT;
	if (packages)
		packages_describe_failures(packages, &text);
	for (const char *line = text.failed ? "" : text.data; *line;) {
		size_t len = strcspn(line, "\n");
		kernel_note(h->kernel, "%.*s", (int)len, line);
		line += len + (line[len] == '\n');
	}
	buf_free(&text);
}

struct err *vmcore_code_open(struct vmcore *h)
{
	struct vmcore_code c = { 0 };
	struct err *e = open_parts(h, &c);
	if (!e)
		e = module_files_take_from_packages(c.files, h->symbol_paths, h->symbol_path_count);
	note_failures(h);
	if (e)
		free_parts(&c);
	else
		give_to(h, &c);
	return e;
}

void vmcore_code_free(struct vmcore *h)
{
	struct vmcore_code c = take_from(h);
	free_parts(&c);
	free_parts(&h->first_code);
	give_to(h, &c);
}

/* ---- on a machine that runs ---- */

/* A list that breaks off because it changes is no news: what was known before has to do. */
static struct err *modules_changed(struct vmcore *h, bool *ret)
{
	const struct modules *known = code_map_modules(h->code);
	const struct kernel_notes_mark mark = kernel_notes_mark(h->kernel);
	bool whole = false;
	*ret = false;
	for (unsigned i = 0; i < LIVE_ATTEMPTS && !whole; i++) {
		struct modules now;
		memory_forget(h->memory);
		struct err *e = modules_read(h->kernel, &now);
		if (e)
			return e;
		whole = kernel_notes_mark(h->kernel).count == mark.count;
		kernel_notes_rewind(h->kernel, &mark);
		bool same = now.count == known->count;
		for (size_t n = 0; same && n < now.count; n++)
			same = module_equal(&now.list[n], &known->list[n]);
		*ret = whole && !same;
		modules_free(&now);
	}
	return NULL;
}

struct err *vmcore_code_renew(struct vmcore *h, struct vmcore_code *ret_old)
{
	struct vmcore_code c = { 0 };
	bool changed;
	*ret_old = (struct vmcore_code){ 0 };
	struct err *e = modules_changed(h, &changed);
	if (e || !changed)
		return e;
	e = open_parts(h, &c);
	if (e) {
		free_parts(&c);
		return e;
	}
	*ret_old = take_from(h);
	give_to(h, &c);
	h->code_generation++;
	return NULL;
}

void vmcore_code_settle(struct vmcore *h, struct vmcore_code *old)
{
	if (!old->map)
		return;
	if (h->first_code.map)
		free_parts(old);
	else
		h->first_code = *old;
}

void vmcore_code_take_back(struct vmcore *h, struct vmcore_code *old)
{
	if (!old->map)
		return;
	struct vmcore_code c = take_from(h);
	give_to(h, old);
	free_parts(&c);
}
