// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/dump/dump_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "vmcore/dump/elf.h"
#include "vmcore/dump/file.h"
#include "vmcore/dump/flatten.h"
#include "vmcore/dump/identify.h"
#include "vmcore/dump/kdump.h"
#include "vmcore/dump/notes.h"
#include "vmcore/live/live.h"
#include "vmcore/live/qmp_machine.h"

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

static struct err *open_files(struct dump *d, const char *const *paths,
			      const struct dump_options *options, enum dump_kind *ret_kind)
{
	for (size_t i = 0; i < d->file_count; i++) {
		enum dump_kind kind;
		struct err *e = open_file(paths[i], options, &d->files[i], &kind);
		if (e)
			return err_wrap(e, "open %s", paths[i]);
		if (kind == DUMP_ELF && d->file_count > 1)
			return err_new(ERR_FORMAT,
				       "open %s: it is an ELF dump, which has no pieces: give it "
				       "alone",
				       paths[i]);
		*ret_kind = kind;
	}
	return NULL;
}

static struct err *open_format(struct dump *d, enum dump_kind kind,
			       const struct dump_options *options)
{
	struct err *e;
	if (kind == DUMP_ELF) {
		e = elf_dump_open(&d->files[0], options, &d->notes, &d->info, &d->elf);
		if (!e)
			d->pages = elf_dump_pages(d->elf);
	} else {
		e = kdump_dump_open(d->files, d->file_count, options, &d->notes, &d->info,
				    &d->kdump);
		if (!e)
			d->pages = kdump_dump_pages(d->kdump);
	}
	return e;
}

static void describe(struct dump *d, enum dump_kind kind)
{
	struct dump_info *info = &d->info;
	for (size_t i = 0; i < d->file_count; i++) {
		info->file_bytes += d->files[i].size;
		info->truncated |= d->files[i].cut;
	}
	snprintf(d->format, sizeof(d->format), "%s%s%s", d->files[0].flattened ? "flattened " : "",
		 d->file_count > 1 ? "split " : "", kind == DUMP_ELF ? "ELF" : "kdump-compressed");
	info->format = d->format;
	info->pieces = d->file_count;
	info->notes = d->notes.list;
	info->note_count = d->notes.count;
	info->vmcoreinfo = d->notes.vmcoreinfo;
	info->vmcoreinfo_len = d->notes.vmcoreinfo_len;
}

struct err *dump_new(size_t count, struct dump **ret)
{
	struct dump *d = calloc(1, sizeof(*d));
	if (!d)
		return err_nomem();
	d->files = calloc(count, sizeof(*d->files));
	if (!d->files) {
		free(d);
		return err_nomem();
	}
	d->file_count = count;
	buf_init(&d->kernel.kallsyms);
	for (size_t i = 0; i < count; i++)
		d->files[i] = (struct dump_file)DUMP_FILE_INIT;
	*ret = d;
	return NULL;
}

struct err *dump_open(const char *const *paths, size_t count, const struct dump_options *options,
		      struct dump **ret)
{
	static const struct dump_options no_options;
	struct dump *d;
	if (!options)
		options = &no_options;
	if (count == 0)
		return err_new(ERR_INVALID, "no dump was given");
	struct err *failed = dump_new(count, &d);
	if (failed)
		return failed;

	enum dump_kind kind = DUMP_ELF;
	struct err *e = open_files(d, paths, options, &kind);
	if (!e)
		e = err_wrap(open_format(d, kind, options), "open %s", paths[0]);
	if (e) {
		dump_close(d);
		return e;
	}
	describe(d, kind);
	if (d->info.truncated)
		dump_warn(options,
			  "%s is shorter than its headers say: what is not there cannot be read",
			  paths[0]);
	*ret = d;
	return NULL;
}

struct err *dump_make(const struct made_dump *parts, struct dump **ret)
{
	struct dump *d = NULL;
	size_t damage;
	struct err *e = dump_new(1, &d);
	if (e)
		return e;
	e = notes_parse(&d->notes, parts->notes, parts->notes_len, &damage);
	if (!e && parts->vmcoreinfo)
		e = notes_set_vmcoreinfo(&d->notes, parts->vmcoreinfo, parts->vmcoreinfo_len);
	if (e) {
		dump_close(d);
		return e;
	}
	snprintf(d->format, sizeof(d->format), "%s", parts->format);
	d->pages = parts->pages;
	d->info = (struct dump_info){
		.format = d->format,
		.filtered = parts->filtered,
		.dump_level = parts->dump_level,
		.memory_bytes = parts->memory_bytes,
		.max_pfn = parts->max_pfn,
		.pieces = 1,
		.date = parts->date,
		.notes = d->notes.list,
		.note_count = d->notes.count,
		.vmcoreinfo = d->notes.vmcoreinfo,
		.vmcoreinfo_len = d->notes.vmcoreinfo_len,
	};
	*ret = d;
	return NULL;
}

void dump_close(struct dump *d)
{
	if (!d)
		return;
	elf_dump_close(d->elf);
	kdump_dump_close(d->kdump);
	mem_device_close(d->device);
	qmp_machine_close(d->machine);
	live_kernel_free(&d->kernel);
	iomem_close(&d->iomem);
	notes_free(&d->notes);
	for (size_t i = 0; i < d->file_count; i++)
		dump_file_close(&d->files[i]);
	free(d->files);
	free(d);
}

void dump_drop_kallsyms(struct dump *d)
{
	d->info.kallsyms = NULL;
	buf_free(&d->kernel.kallsyms);
}

const struct dump_info *dump_info(const struct dump *d)
{
	return &d->info;
}

const struct page_source *dump_pages(struct dump *d)
{
	return &d->pages;
}
