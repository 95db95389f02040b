// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/dump/dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/dump/elf.h"
#include "vmcore/dump/file.h"
#include "vmcore/dump/flatten.h"
#include "vmcore/dump/identify.h"
#include "vmcore/dump/kdump.h"
#include "vmcore/dump/lime.h"
#include "vmcore/dump/notes.h"
#include "vmcore/dump/source.h"

struct dump {
	struct dump_parts parts;
	struct page_source pages;
	struct dump_file *files; /* owned; what the source has borrowed, if it is one of files */
	size_t file_count;
};

/* Opens one file and makes it a plain dump if it is flattened. */
static struct err *open_file(const char *path, const struct dump_options *options,
			     struct dump_file *f, enum dump_kind *ret_kind)
{
	struct err *e = dump_file_open(path, f);
	if (!e)
		e = dump_identify(f, ret_kind);
	if (e || *ret_kind != DUMP_FLATTENED)
		return e;
	e = flatten_undo(f, options);
	if (!e)
		e = err_wrap(dump_identify(f, ret_kind), "put together from its flattened form");
	if (!e && *ret_kind == DUMP_FLATTENED)
		e = err_new(ERR_FORMAT, "it is flattened twice");
	return e;
}

static struct err *open_files(struct dump_file *files, const char *const *paths, size_t count,
			      const struct dump_options *options, enum dump_kind *ret_kind)
{
	for (size_t i = 0; i < count; i++) {
		enum dump_kind kind;
		struct err *e = open_file(paths[i], options, &files[i], &kind);
		if (e)
			return err_wrap(e, "open %s", paths[i]);
		if (kind != DUMP_KDUMP && count > 1)
			return err_new(ERR_FORMAT,
				       "open %s: it is %s dump, which has no pieces: give it alone",
				       paths[i], kind == DUMP_ELF ? "an ELF" : "a LiME");
		*ret_kind = kind;
	}
	return NULL;
}

static struct err *open_format(const struct dump_file *files, size_t count, enum dump_kind kind,
			       const struct dump_options *options, struct dump_parts *parts)
{
	if (kind == DUMP_ELF)
		return elf_dump_source(&files[0], options, parts);
	if (kind == DUMP_LIME)
		return lime_dump_source(&files[0], options, parts);
	return kdump_dump_source(files, count, options, parts);
}

static struct err *describe(const struct dump_file *files, size_t count, enum dump_kind kind,
			    struct dump_parts *parts)
{
	static const char *const names[] = {
		[DUMP_ELF] = "ELF",
		[DUMP_KDUMP] = "kdump-compressed",
		[DUMP_LIME] = "LiME",
	};
	struct dump_info *info = &parts->info;
	for (size_t i = 0; i < count; i++) {
		info->file_bytes += files[i].size;
		info->truncated |= files[i].cut;
	}
	info->pieces = count;
	if (asprintf(&parts->format, "%s%s%s", files[0].flattened ? "flattened " : "",
		     count > 1 ? "split " : "", names[kind]) >= 0)
		return NULL;
	parts->format = NULL;
	return err_nomem();
}

/* All of it but the dump, which takes the files then. */
static struct err *open_parts(struct dump_file *files, const char *const *paths, size_t count,
			      const struct dump_options *options, struct dump_parts *parts)
{
	enum dump_kind kind = DUMP_ELF;
	struct err *e = open_files(files, paths, count, options, &kind);
	if (!e)
		e = err_wrap(open_format(files, count, kind, options, parts), "open %s", paths[0]);
	if (!e)
		e = describe(files, count, kind, parts);
	if (!e && parts->info.truncated)
		dump_warn(options,
			  "%s is shorter than its headers say: what is not there cannot be read",
			  paths[0]);
	return e;
}

static void close_files(struct dump_file *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		dump_file_close(&files[i]);
	free(files);
}

struct err *dump_open(const char *const *paths, size_t count, const struct dump_options *options,
		      struct dump **ret)
{
	static const struct dump_options no_options;
	struct dump_parts parts = { 0 };
	struct dump *d = NULL;
	if (count == 0)
		return err_new(ERR_INVALID, "no dump was given");
	struct dump_file *files = calloc(count, sizeof(*files));
	if (!files)
		return err_nomem();
	for (size_t i = 0; i < count; i++)
		files[i] = (struct dump_file)DUMP_FILE_INIT;
	struct err *e = open_parts(files, paths, count, options ? options : &no_options, &parts);
	if (!e)
		e = dump_of_parts(&parts, &d);
	if (e) {
		dump_parts_free(&parts);
		close_files(files, count);
		return e;
	}
	d->files = files;
	d->file_count = count;
	*ret = d;
	return NULL;
}

/* ---- what is no file ---- */

static struct page_source made_pages(void *self)
{
	return *(const struct page_source *)self;
}

static const struct source_ops made_ops = { .pages = made_pages, .close = free };

struct err *dump_make(const struct made_dump *made, struct dump **ret)
{
	size_t damage;
	struct dump_parts parts = {
		.ops = &made_ops,
		.self = malloc(sizeof(struct page_source)),
		.format = strdup(made->format),
		.info = {
			.arch = made->arch,
			.filtered = made->filtered,
			.dump_level = made->dump_level,
			.memory_bytes = made->memory_bytes,
			.max_pfn = made->max_pfn,
			.pieces = 1,
			.date = made->date,
		},
	};
	struct err *e = parts.self && parts.format ? NULL : err_nomem();
	if (!e) {
		*(struct page_source *)parts.self = made->pages;
		e = notes_parse(&parts.notes, made->notes, made->notes_len, &damage);
	}
	if (!e && made->vmcoreinfo)
		e = notes_set_vmcoreinfo(&parts.notes, made->vmcoreinfo, made->vmcoreinfo_len);
	if (!e)
		e = dump_of_parts(&parts, ret);
	dump_parts_free(&parts);
	return e;
}

/* ---- any ---- */

void dump_parts_free(struct dump_parts *parts)
{
	if (parts->ops)
		parts->ops->close(parts->self);
	notes_free(&parts->notes);
	free(parts->format);
	buf_free(&parts->kallsyms);
	free(parts->kallsyms_why);
	*parts = (struct dump_parts){ 0 };
}

static void publish_notes(struct dump_parts *parts)
{
	parts->info.notes = parts->notes.list;
	parts->info.note_count = parts->notes.count;
	parts->info.vmcoreinfo = parts->notes.vmcoreinfo;
	parts->info.vmcoreinfo_len = parts->notes.vmcoreinfo_len;
}

struct err *dump_of_parts(struct dump_parts *parts, struct dump **ret)
{
	struct dump *d = calloc(1, sizeof(*d));
	if (!d) {
		dump_parts_free(parts);
		return err_nomem();
	}
	d->parts = *parts;
	*parts = (struct dump_parts){ 0 };
	struct dump_parts *own = &d->parts;
	if (!own->info.arch)
		own->info.arch = arch_unnamed();
	own->info.format = own->format;
	own->info.kallsyms = own->kallsyms.len ? own->kallsyms.data : NULL;
	own->info.kallsyms_why = own->kallsyms_why;
	publish_notes(own);
	d->pages = own->ops->pages(own->self);
	*ret = d;
	return NULL;
}

void dump_close(struct dump *d)
{
	if (!d)
		return;
	dump_parts_free(&d->parts);
	close_files(d->files, d->file_count);
	free(d);
}

/* Of a machine that was stopped the registers are wanted; until they are there it is one that runs.
 */
static enum dump_change take_notes(struct dump_parts *parts)
{
	struct err *e = parts->ops->notes(parts->self, &parts->notes);
	publish_notes(parts);
	parts->info.running = e;
	if (e)
		log_debug(LOG_MEMORY, "%s", err_msg(e));
	err_free(e);
	return parts->info.running ? DUMP_CHANGED : DUMP_SWITCHED;
}

enum dump_change dump_look(struct dump *d)
{
	struct dump_parts *parts = &d->parts;
	if (!parts->ops->look)
		return DUMP_SAME;
	enum dump_change change = parts->ops->look(parts->self, &parts->info);
	if (change == DUMP_SWITCHED && !parts->info.running && parts->ops->notes)
		return take_notes(parts);
	return change;
}

const char *dump_changed(const struct dump *d)
{
	for (size_t i = 0; i < d->file_count; i++)
		if (dump_file_changed(&d->files[i]))
			return d->files[i].path;
	return NULL;
}

void dump_renew(struct dump *d)
{
	if (d->parts.ops->renew)
		d->parts.ops->renew(d->parts.self, &d->parts.info);
}

bool dump_is_still(const struct dump *d)
{
	const struct source_ops *ops = d->parts.ops;
	return ops->still ? ops->still(d->parts.self) : !d->parts.info.live;
}

void dump_assume_running(struct dump *d)
{
	d->parts.info.running = d->parts.info.live;
}

void dump_drop_kallsyms(struct dump *d)
{
	d->parts.info.kallsyms = NULL;
	buf_free(&d->parts.kallsyms);
}

const struct dump_info *dump_info(const struct dump *d)
{
	return &d->parts.info;
}

const struct page_source *dump_pages(struct dump *d)
{
	return &d->pages;
}

void dump_set_reading(struct dump *d, const struct reading *reading)
{
	for (size_t i = 0; i < d->file_count; i++)
		d->files[i].reading = reading;
}
