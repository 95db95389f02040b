// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages of kdump-compressed dumps. */
#include "vmcore/dump/kdump.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/dump/bitmap.h"
#include "vmcore/dump/file.h"
#include "vmcore/dump/kdumpfile.h"
#include "vmcore/dump/notes.h"
#include "vmcore/dump/source.h"

enum {
	COMPARE_CHUNK = 64 << 10,
	/* libkdumpfile keeps 24 bytes for each run of written pages. */
	RUNS_MAX = 64 << 20,
	/* How many page descriptors are looked at for one that is compressed. */
	DESCRIPTORS_LOOKED_AT = 4096,
	/* No compression makes a page much larger than it was: bounds what is allocated for it. */
	COMPRESSED_MAX = 4 * PAGE_SIZE,
};

struct kdump_dump {
	const struct dump_file *files; /* borrowed */
	struct kdump_header *headers;  /* owned; of each file */
	size_t count;
	struct bitmap written; /* the page frames that were written */
	struct kdump_reader *reader;
};

/* page_desc_t in makedumpfile's diskdump_mod.h; page_flags is not used */
struct descriptor {
	uint64_t offset; /* of the page's data in the file */
	uint32_t size;
	uint32_t flags;
};

/* Memory that begins far up makes the bitmap large: 32 MiB for each TiB up to its end. */
static struct err *check_bitmap_size(uint64_t max_mapnr)
{
	long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
	uint64_t bytes = max_mapnr / 8;
	if (pages <= 0 || page_bytes <= 0 || bytes <= (uint64_t)pages * (uint64_t)page_bytes / 2)
		return NULL;
	return err_new(ERR_UNSUPPORTED,
		       "its bitmap of pages alone takes %" PRIu64
		       " MiB, more than half of this machine's memory",
		       bytes >> 20);
}

static struct err *load_bitmap(struct kdump_dump *d)
{
	const struct kdump_header *h = &d->headers[0];
	struct err *too_large = check_bitmap_size(h->max_mapnr);
	if (too_large)
		return too_large;
	if (!bitmap_alloc(&d->written, h->max_mapnr))
		return err_nomem();
	struct err *e = dump_file_read(&d->files[0], h->bitmap2, d->written.words,
				       (size_t)((h->max_mapnr + 7) / 8), "the bitmap of pages");
	if (e)
		return e;
	bitmap_index(&d->written);
	if (d->written.set == 0)
		return err_new(ERR_FORMAT, "it holds no pages: the dump was never finished");
	if (d->written.runs > RUNS_MAX)
		return err_new(ERR_UNSUPPORTED,
			       "its pages are scattered over %" PRIu64 " runs of memory, more than "
			       "libkdumpfile can be trusted with",
			       d->written.runs);
	return NULL;
}

/* Whether @len bytes at @a_offset in @a and at @b_offset in @b are the same. */
static struct err *compare(const struct dump_file *a, uint64_t a_offset, const struct dump_file *b,
			   uint64_t b_offset, uint64_t len, bool *ret_same)
{
	uint8_t *buffer = malloc((size_t)2 * COMPARE_CHUNK);
	if (!buffer)
		return err_nomem();
	struct err *e = NULL;
	bool same = true;
	for (uint64_t at = 0; at < len && same; at += COMPARE_CHUNK) {
		size_t n = len - at < COMPARE_CHUNK ? (size_t)(len - at) : COMPARE_CHUNK;
		e = dump_file_read(a, a_offset + at, buffer, n, "a bitmap");
		if (!e)
			e = dump_file_read(b, b_offset + at, buffer + n, n, "a bitmap");
		if (e)
			break;
		same = memcmp(buffer, buffer + n, n) == 0;
	}
	free(buffer);
	if (!e)
		*ret_same = same;
	return e;
}

/* All pieces of a split dump have the same bitmap of all of its pages. */
static struct err *compare_pieces(const struct kdump_dump *d)
{
	for (size_t i = 1; i < d->count; i++) {
		bool same;
		struct err *e =
			compare(&d->files[0], d->headers[0].bitmap2, &d->files[i],
				d->headers[i].bitmap2, (d->headers[0].max_mapnr + 7) / 8, &same);
		if (e)
			return e;
		if (!same)
			return err_new(ERR_FORMAT, "%s and %s are pieces of different dumps",
				       d->files[0].path, d->files[i].path);
	}
	return NULL;
}

/* The piece that has the pages of @pfn; there is one for every page frame below max_mapnr. */
static size_t piece_of(const struct kdump_dump *d, uint64_t pfn)
{
	size_t i = 0;
	while (i + 1 < d->count && (pfn < d->headers[i].start_pfn || pfn >= d->headers[i].end_pfn))
		i++;
	return i;
}

/* Reads the descriptor of the @n-th page in @piece; ERR_MISSING behind the end of the file. */
static struct err *read_descriptor(const struct kdump_dump *d, size_t piece, uint64_t n,
				   struct descriptor *ret)
{
	uint8_t raw[KDUMP_DESCRIPTOR];
	size_t done;
	struct err *e = dump_file_read_part(&d->files[piece],
					    d->headers[piece].descriptors + n * sizeof(raw), raw,
					    sizeof(raw), &done);
	if (e)
		return e;
	if (done < sizeof(raw))
		return err_new(ERR_MISSING, "cut off: the file ends before its page descriptor");
	*ret = (struct descriptor){ get_u64(raw), get_u32(raw + 8), get_u32(raw + 12) };
	return NULL;
}

static struct err *check_descriptor(const struct dump_file *f, const struct descriptor *p)
{
	if (p->offset == 0)
		return err_new(ERR_MISSING, "never written: makedumpfile ended before it");
	bool compressed = p->flags & KDUMP_COMPRESSED;
	if (p->size == 0 || p->size > COMPRESSED_MAX || (!compressed && p->size != PAGE_SIZE))
		return err_new(ERR_CORRUPT, "its page descriptor is damaged (%" PRIu32 " bytes)",
			       p->size);
	if (!range_within(p->offset, p->size, f->size))
		return err_new(ERR_MISSING, "cut off: the file ends before its data");
	return NULL;
}

/* The bitmap of what is memory is needed for pages that are not there only: it stays in the file.
 */
static struct err *absent_error(const struct kdump_dump *d, uint64_t pfn)
{
	const struct kdump_header *h = &d->headers[0];
	uint8_t byte = 0;
	if (pfn < h->max_mapnr) {
		struct err *e = dump_file_read(&d->files[0], h->bitmap1 + pfn / 8, &byte, 1,
					       "the bitmap of memory");
		if (e)
			return e;
	}
	if (byte >> pfn % 8 & 1)
		return err_new(ERR_EXCLUDED, "left out when the dump was written");
	return err_new(ERR_MISSING, "not in the dump");
}

static struct err *read_page(void *self, uint64_t pfn, void *page, uint16_t *ret_from,
			     uint16_t *ret_to)
{
	const struct kdump_dump *d = self;
	if (!bitmap_test(&d->written, pfn))
		return absent_error(d, pfn);

	size_t piece = piece_of(d, pfn);
	uint64_t before = bitmap_rank(&d->written, d->headers[piece].start_pfn);
	struct descriptor p;
	struct err *e = read_descriptor(d, piece, bitmap_rank(&d->written, pfn) - before, &p);
	if (!e)
		e = check_descriptor(&d->files[piece], &p);
	if (!e)
		e = kdump_reader_page(d->reader, pfn, page);
	if (e)
		return e;
	*ret_from = 0;
	*ret_to = PAGE_SIZE;
	return NULL;
}

static bool next_page(void *self, uint64_t pfn, uint64_t *ret_pfn)
{
	const struct kdump_dump *d = self;
	return bitmap_next(&d->written, pfn, ret_pfn);
}

static const char *compression_name(uint32_t flags)
{
	if (flags & KDUMP_ZLIB)
		return "zlib";
	if (flags & KDUMP_LZO)
		return "lzo";
	if (flags & KDUMP_SNAPPY)
		return "snappy";
	if (flags & KDUMP_ZSTD)
		return "zstd";
	return "none";
}

static uint64_t pages_in_piece(const struct kdump_dump *d, size_t piece)
{
	return bitmap_rank(&d->written, d->headers[piece].end_pfn) -
	       bitmap_rank(&d->written, d->headers[piece].start_pfn);
}

/*
 * The status in the header is not set by every writer, and pages that do not become smaller are
 * not compressed: the first page that is tells, and if there is none soon, the header.
 */
static struct err *find_compression(const struct kdump_dump *d, const char **ret)
{
	uint64_t pages = pages_in_piece(d, 0);
	for (uint64_t i = 0; i < pages && i < DESCRIPTORS_LOOKED_AT; i++) {
		struct descriptor p;
		struct err *e = read_descriptor(d, 0, i, &p);
		if (e && err_code(e) == ERR_MISSING) {
			err_free(e);
			break;
		}
		if (e)
			return e;
		if (p.flags & KDUMP_COMPRESSED) {
			*ret = compression_name(p.flags);
			return NULL;
		}
	}
	*ret = compression_name(d->headers[0].status);
	return NULL;
}

/*
 * Pages lie in the file in the order of their descriptors, but for those that share the data of an
 * earlier one: so the last few tell whether the file has been cut.
 */
static struct err *find_cut(const struct kdump_dump *d, size_t piece, bool *ret_cut)
{
	uint64_t pages = pages_in_piece(d, piece);
	uint64_t first = pages > 64 ? pages - 64 : 0;
	for (uint64_t i = first; i < pages; i++) {
		struct descriptor p;
		struct err *e = read_descriptor(d, piece, i, &p);
		if (!e)
			e = check_descriptor(&d->files[piece], &p);
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
		e = compare(&d->files[0], h->bitmap1, &d->files[0], h->bitmap2,
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
	info->memory_bytes = d->written.set << PAGE_SHIFT;
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

static struct err *open_reader(struct kdump_dump *d)
{
	int *fds = malloc(d->count * sizeof(*fds));
	if (!fds)
		return err_nomem();
	for (size_t i = 0; i < d->count; i++)
		fds[i] = d->files[i].fd;
	struct err *e = kdump_reader_open(fds, d->count, &d->reader);
	free(fds);
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
	kdump_reader_close(d->reader);
	bitmap_free(&d->written);
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
		e = load_bitmap(d);
	if (!e)
		e = compare_pieces(d);
	if (!e)
		e = read_notes(d, options, notes);
	if (!e)
		e = describe(d, info);
	if (!e)
		e = open_reader(d);
	if (e) {
		close_dump(d);
		return e;
	}
	log_debug(LOG_DUMP,
		  "%s: kdump version %d, max_mapnr 0x%" PRIx64 ", %" PRIu64 " pages in %" PRIu64
		  " runs",
		  files[0].path, d->headers[0].version, d->headers[0].max_mapnr, d->written.set,
		  d->written.runs);
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
