// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump-compressed dumps as a source: their headers, notes, and what is known of them at once. */
#include "vmcore/dump/kdump.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "vmcore/dump/bitmap.h"
#include "vmcore/dump/decompress.h"
#include "vmcore/dump/file.h"
#include "vmcore/dump/kdump_pages.h"
#include "vmcore/dump/notes.h"
#include "vmcore/dump/source.h"

/* How many page descriptors are looked at for one that is compressed. */
enum { DESCRIPTORS_LOOKED_AT = 4096 };

struct kdump_dump {
	const struct dump_file *files; /* borrowed */
	struct kdump_header *headers;  /* owned; of each file */
	size_t count;
	struct kdump_pages *pages; /* owned */
};

static struct err *read_page(void *self, uint64_t pfn, void *page, uint16_t *ret_from,
			     uint16_t *ret_to)
{
	const struct kdump_dump *d = self;
	struct err *e = kdump_pages_read(d->pages, pfn, page);
	if (e)
		return e;
	*ret_from = 0;
	*ret_to = PAGE_SIZE;
	return NULL;
}

static bool next_page(void *self, uint64_t pfn, uint64_t *ret_pfn)
{
	const struct kdump_dump *d = self;
	return kdump_pages_next(d->pages, pfn, ret_pfn);
}

/*
 * The status in the header is not set by every writer, and pages that do not become smaller are
 * not compressed: the first page that is tells, and if there is none soon, the header.
 */
static struct err *find_compression(const struct kdump_dump *d, const char **ret)
{
	uint64_t pages = kdump_pages_in(d->pages, 0);
	for (uint64_t i = 0; i < pages && i < DESCRIPTORS_LOOKED_AT; i++) {
		struct kdump_descriptor p;
		struct err *e = kdump_pages_descriptor(d->pages, 0, i, &p);
		if (e && err_code(e) == ERR_MISSING) {
			err_free(e);
			break;
		}
		if (e)
			return e;
		if (p.flags & KDUMP_COMPRESSED) {
			*ret = decompress_method(p.flags);
			return NULL;
		}
	}
	*ret = decompress_method(d->headers[0].status);
	return NULL;
}

/*
 * Pages lie in the file in the order of their descriptors, but for those that share the data of an
 * earlier one: so the last few tell whether the file has been cut.
 */
static struct err *find_cut(const struct kdump_dump *d, size_t piece, bool *ret_cut)
{
	uint64_t pages = kdump_pages_in(d->pages, piece);
	uint64_t first = pages > 64 ? pages - 64 : 0;
	for (uint64_t i = first; i < pages; i++) {
		struct kdump_descriptor p;
		struct err *e = kdump_pages_descriptor(d->pages, piece, i, &p);
		if (!e)
			e = kdump_pages_check(d->pages, piece, &p);
		if (!e)
			continue;
		enum err_code code = err_code(e);
		if (code == ERR_MISSING)
			*ret_cut = true;
		else if (code != ERR_CORRUPT)
			return e;
		err_free(e);
	}
	return NULL;
}

static struct err *describe(const struct kdump_dump *d, struct dump_info *info)
{
	const struct kdump_header *h = &d->headers[0];
	bool same = true;
	struct err *e = find_compression(d, &info->compression);
	if (!e && h->bitmap1 != h->bitmap2)
		e = bitmap_compare(&d->files[0], h->bitmap1, &d->files[0], h->bitmap2,
				   (h->max_mapnr + 7) / 8, &same);
	for (size_t i = 0; i < d->count && !e; i++) {
		info->truncated |= (d->headers[i].status & KDUMP_INCOMPLETE) != 0;
		e = find_cut(d, i, &info->truncated);
	}
	if (e)
		return e;
	info->filtered = !same;
	/* QEMU says level 1 in dumps that it leaves nothing out of. */
	info->dump_level = same ? 0 : h->dump_level;
	info->has_phys_base = true;
	info->phys_base = h->phys_base;
	info->memory_bytes = kdump_pages_all(d->pages) << PAGE_SHIFT;
	info->max_pfn = h->max_mapnr;
	info->date = h->date;
	return NULL;
}

static struct err *read_notes(const struct kdump_dump *d, const struct dump_options *options,
			      struct notes *notes)
{
	const struct kdump_header *h = &d->headers[0];
	struct err *e = notes_read(notes, &d->files[0], h->notes.offset, h->notes.len, options);
	if (e || h->vmcoreinfo.len == 0)
		return e ? e : notes_find_vmcoreinfo(notes);

	char *text = malloc((size_t)h->vmcoreinfo.len);
	if (!text)
		return err_nomem();
	size_t done;
	e = dump_file_read_part(&d->files[0], h->vmcoreinfo.offset, text, (size_t)h->vmcoreinfo.len,
				&done);
	if (!e && done > 0)
		e = notes_set_vmcoreinfo(notes, text, done);
	free(text);
	return e;
}

static struct err *check_headers(struct kdump_dump *d)
{
	d->headers = calloc(d->count, sizeof(*d->headers));
	if (!d->headers)
		return err_nomem();
	for (size_t i = 0; i < d->count; i++) {
		struct err *e = kdump_check(&d->files[i], &d->headers[i]);
		if (e)
			return d->count > 1 ? err_wrap(e, "%s", d->files[i].path) : e;
	}
	return kdump_check_set(d->files, d->headers, d->count);
}

static void close_dump(void *self)
{
	struct kdump_dump *d = self;
	kdump_pages_free(d->pages);
	free(d->headers);
	free(d);
}

static struct err *open_dump(const struct dump_file *files, size_t count,
			     const struct dump_options *options, struct notes *notes,
			     struct dump_info *info, struct kdump_dump **ret)
{
	struct kdump_dump *d = calloc(1, sizeof(*d));
	if (!d)
		return err_nomem();
	d->files = files;
	d->count = count;
	struct err *e = check_headers(d);
	if (!e)
		e = kdump_pages_open(files, d->headers, count, &d->pages);
	if (!e)
		e = read_notes(d, options, notes);
	if (!e)
		e = describe(d, info);
	if (e) {
		close_dump(d);
		return e;
	}
	log_debug(LOG_DUMP, "%s: kdump version %d, max_mapnr 0x%" PRIx64 ", %" PRIu64 " pages",
		  files[0].path, d->headers[0].version, d->headers[0].max_mapnr,
		  kdump_pages_all(d->pages));
	*ret = d;
	return NULL;
}

static struct page_source source_pages(void *self)
{
	return (struct page_source){ .self = self, .read_page = read_page, .next_page = next_page };
}

static const struct source_ops ops = { .pages = source_pages, .close = close_dump };

struct err *kdump_dump_source(const struct dump_file *files, size_t count,
			      const struct dump_options *options, struct dump_parts *parts)
{
	struct kdump_dump *d = NULL;
	struct err *e = open_dump(files, count, options, &parts->notes, &parts->info, &d);
	if (e)
		return e;
	parts->ops = &ops;
	parts->self = d;
	return NULL;
}
