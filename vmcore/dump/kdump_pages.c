// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/dump/kdump_pages.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/dump/bitmap.h"
#include "vmcore/dump/decompress.h"
#include "vmcore/dump/file.h"
#include "vmcore/dump/kdump.h"
#include "vmcore/dump/kdumpfile.h"
#include "vmcore/dump/page_batch.h"
#include "vmcore/dump/reading.h"
#include "vmcore/memory/memory.h"

enum {
	/* libkdumpfile keeps 24 bytes for each run of written pages. */
	RUNS_MAX = 64 << 20,
	/* No compression makes a page much larger than it was: bounds what is read for it. */
	COMPRESSED_MAX = 4 * PAGE_SIZE,
	/* How much is read ahead of pages that are read in order. */
	AHEAD_MIN = 8 << 10,
	AHEAD_MAX = 64 << 10,
	/* Of several that read in order at a time, each has its own. */
	AHEADS_MAX = 8,
	/* After so many pages in a row those that follow are decompressed before they are asked
	 * for. */
	IN_ORDER = 8,
};

/* Bytes of a file that were read last, and perhaps those behind them. */
struct ahead {
	struct ahead *next; /* in the list of those that nobody reads into */
	size_t piece;
	uint64_t offset;
	size_t len, want; /* how many there are; to read when the next in order are asked for */
	uint8_t bytes[AHEAD_MAX];
};

/* Which of the pages a file has. */
struct share {
	uint64_t before, end; /* pages of the dump in front of its first one, and of its end */
};

/* Pages that are read in order. */
struct order {
	uint64_t next;		       /* the page frame behind the last one */
	unsigned run;		       /* how many there were in a row */
	bool filling;		       /* somebody fills a batch */
	struct page_batch *batches[2]; /* owned; NULL until they are needed */
};

struct kdump_pages {
	const struct dump_file *files;	    /* borrowed */
	const struct kdump_header *headers; /* borrowed; of each file */
	size_t count;
	struct bitmap written;	     /* the page frames that were written */
	struct share *shares;	     /* owned; of each file */
	struct ahead *table, *data;  /* owned lists; of descriptors, of pages */
	struct decompressor *unpack; /* owned */
	struct order order;
	struct kdump_reader *reader; /* owned; NULL until it is needed */
	char *no_reader;	     /* owned; why there can be none */
};

static struct err *load_bitmap(struct kdump_pages *p)
{
	const struct kdump_header *h = &p->headers[0];
	struct err *e = bitmap_open(&p->written, &p->files[0], h->bitmap2, h->max_mapnr);
	if (!e && p->written.set == 0)
		e = err_new(ERR_FORMAT, "it holds no pages: the dump was never finished");
	return e;
}

/*
 * All pieces of a split dump have the bitmap of all of its pages. What each says of its own ones is
 * held against what the first says of them: all of them in full would be much to read.
 */
static struct err *compare_pieces(const struct kdump_pages *p)
{
	for (size_t i = 1; i < p->count; i++) {
		const struct kdump_header *h = &p->headers[i];
		uint64_t from = h->start_pfn / 8, to = (h->end_pfn + 7) / 8;
		bool same;
		struct err *e = bitmap_compare(&p->files[0], p->headers[0].bitmap2 + from,
					       &p->files[i], h->bitmap2 + from, to - from, &same);
		if (e)
			return e;
		if (!same)
			return err_new(ERR_FORMAT, "%s and %s are pieces of different dumps",
				       p->files[0].path, p->files[i].path);
	}
	return NULL;
}

static struct err *count_pieces(struct kdump_pages *p)
{
	for (size_t i = 0; i < p->count; i++) {
		bool set;
		struct share *share = &p->shares[i];
		struct err *e =
			bitmap_find(&p->written, p->headers[i].start_pfn, &set, &share->before);
		if (!e)
			e = bitmap_find(&p->written, p->headers[i].end_pfn, &set, &share->end);
		if (e)
			return e;
	}
	return NULL;
}

struct err *kdump_pages_open(const struct dump_file *files, const struct kdump_header *headers,
			     size_t count, struct kdump_pages **ret)
{
	struct kdump_pages *p = calloc(1, sizeof(*p));
	if (!p)
		return err_nomem();
	p->files = files;
	p->headers = headers;
	p->count = count;
	p->shares = calloc(count, sizeof(*p->shares));
	struct err *e = p->shares ? NULL : err_nomem();
	if (!e)
		e = decompressor_new(&p->unpack);
	if (!e)
		e = load_bitmap(p);
	if (!e)
		e = compare_pieces(p);
	if (!e)
		e = count_pieces(p);
	if (e)
		kdump_pages_free(p);
	else
		*ret = p;
	return e;
}

static void free_aheads(struct ahead *a)
{
	while (a) {
		struct ahead *next = a->next;
		free(a);
		a = next;
	}
}

void kdump_pages_free(struct kdump_pages *p)
{
	if (!p)
		return;
	kdump_reader_close(p->reader);
	decompressor_free(p->unpack);
	page_batch_free(p->order.batches[0]);
	page_batch_free(p->order.batches[1]);
	bitmap_free(&p->written);
	free(p->shares);
	free(p->no_reader);
	free_aheads(p->table);
	free_aheads(p->data);
	free(p);
}

uint64_t kdump_pages_all(const struct kdump_pages *p)
{
	return p->written.set;
}

/* The piece that has the pages of @pfn; there is one for every page frame below max_mapnr. */
static size_t piece_of(const struct kdump_pages *p, uint64_t pfn)
{
	size_t i = 0;
	while (i + 1 < p->count && (pfn < p->headers[i].start_pfn || pfn >= p->headers[i].end_pfn))
		i++;
	return i;
}

uint64_t kdump_pages_in(const struct kdump_pages *p, size_t piece)
{
	return p->shares[piece].end - p->shares[piece].before;
}

/* ---- bytes of the files ---- */

static bool is_near(const struct ahead *a, size_t piece, uint64_t offset)
{
	return piece == a->piece && offset >= a->offset && offset - a->offset <= a->len;
}

/* Takes the one that has what is at @offset, or else the one that was used longest ago, out of the
 * list; NULL when memory is out. */
static struct ahead *take_ahead(struct ahead **list, size_t piece, uint64_t offset)
{
	unsigned count = 0;
	struct ahead **last = list;
	for (struct ahead **link = list; *link; link = &(*link)->next, count++) {
		last = link;
		if (is_near(*link, piece, offset))
			break;
	}
	struct ahead *a = *last;
	if (a && (count >= AHEADS_MAX || is_near(a, piece, offset))) {
		*last = a->next;
		return a;
	}
	a = malloc(sizeof(*a));
	if (a) {
		a->piece = SIZE_MAX; /* near nothing */
		a->len = 0;
	}
	return a;
}

static void give_ahead(struct ahead **list, struct ahead *a)
{
	a->next = *list;
	*list = a;
}

/* Fills @a so that it begins at @offset: with @len bytes, or more of them if it was near. */
static struct err *fill_ahead(const struct kdump_pages *p, struct ahead *a, size_t piece,
			      uint64_t offset, size_t len)
{
	bool near = is_near(a, piece, offset);
	size_t want = near && a->want > len ? a->want : len;
	size_t next = near ? 2 * want : AHEAD_MIN;
	a->len = 0;
	struct err *e = dump_file_read_part(&p->files[piece], offset, a->bytes, want, &a->len);
	if (e)
		return e;
	a->piece = piece;
	a->offset = offset;
	a->want = next < AHEAD_MAX ? next : AHEAD_MAX;
	return NULL;
}

/*
 * Finds @len bytes (COMPRESSED_MAX at most) at @offset in file @piece. Once what is asked for lies
 * where the last read ended, more than that is read, and twice as much each time. *ret stays until
 * the next call, by anybody; *ret_len is less than @len only where the file ends. ERR_IO,
 * ERR_NOMEM.
 */
static struct err *read_ahead(const struct kdump_pages *p, struct ahead **list, size_t piece,
			      uint64_t offset, size_t len, const uint8_t **ret, size_t *ret_len)
{
	/* While it is read into nobody else finds it. */
	struct ahead *a = take_ahead(list, piece, offset);
	if (!a)
		return err_nomem();
	size_t at = is_near(a, piece, offset) ? (size_t)(offset - a->offset) : a->len;
	if (a->len - at < len) {
		struct err *e = fill_ahead(p, a, piece, offset, len);
		at = 0;
		if (e) {
			give_ahead(list, a);
			return e;
		}
	}
	give_ahead(list, a);
	*ret = a->bytes + at;
	*ret_len = a->len - at < len ? a->len - at : len;
	return NULL;
}

struct err *kdump_pages_descriptor(struct kdump_pages *p, size_t piece, uint64_t n,
				   struct kdump_descriptor *ret)
{
	const uint8_t *raw;
	size_t done;
	struct err *e = read_ahead(p, &p->table, piece,
				   p->headers[piece].descriptors + n * KDUMP_DESCRIPTOR,
				   KDUMP_DESCRIPTOR, &raw, &done);
	if (e)
		return e;
	if (done < KDUMP_DESCRIPTOR)
		return err_new(ERR_MISSING, "cut off: the file ends before its page descriptor");
	*ret = (struct kdump_descriptor){ get_u64(raw), get_u32(raw + 8), get_u32(raw + 12) };
	return NULL;
}

struct err *kdump_pages_check(const struct kdump_pages *p, size_t piece,
			      const struct kdump_descriptor *page)
{
	if (page->offset == 0)
		return err_new(ERR_MISSING, "never written: makedumpfile ended before it");
	bool compressed = page->flags & KDUMP_COMPRESSED;
	if (page->size == 0 || page->size > COMPRESSED_MAX ||
	    (!compressed && page->size != PAGE_SIZE))
		return err_new(ERR_CORRUPT, "its page descriptor is damaged (%" PRIu32 " bytes)",
			       page->size);
	if (!range_within(page->offset, page->size, p->files[piece].size))
		return err_new(ERR_MISSING, "cut off: the file ends before its data");
	return NULL;
}

/* ---- what libkdumpfile reads ---- */

/* It takes the bitmap into memory: 32 MiB for each TiB up to the end of memory. */
static struct err *check_bitmap_size(uint64_t max_mapnr)
{
	long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
	uint64_t bytes = max_mapnr / 8;
	if (pages <= 0 || page_bytes <= 0 || bytes <= (uint64_t)pages * (uint64_t)page_bytes / 2)
		return NULL;
	return err_new(ERR_UNSUPPORTED,
		       "the bitmap of pages takes %" PRIu64
		       " MiB, which is more than half of this machine's memory",
		       bytes >> 20);
}

static struct err *check_runs(struct kdump_pages *p)
{
	uint64_t runs;
	struct err *e = bitmap_runs(&p->written, &runs);
	if (!e && runs > RUNS_MAX)
		e = err_new(ERR_UNSUPPORTED,
			    "the pages are scattered over %" PRIu64 " runs of memory, more than "
			    "libkdumpfile can be trusted with",
			    runs);
	return e;
}

static struct err *open_reader(struct kdump_pages *p)
{
	struct err *e = check_bitmap_size(p->headers[0].max_mapnr);
	if (!e)
		e = check_runs(p);
	if (e)
		return e;
	int *fds = malloc(p->count * sizeof(*fds));
	if (!fds)
		return err_nomem();
	for (size_t i = 0; i < p->count; i++)
		fds[i] = p->files[i].fd;
	e = kdump_reader_open(fds, p->count, &p->reader);
	free(fds);
	return e;
}

static struct err *read_by_library(struct kdump_pages *p, uint64_t pfn, uint32_t flags, void *page)
{
	struct err *e = p->reader || p->no_reader ? NULL : open_reader(p);
	if (e)
		p->no_reader = strdup(err_msg(e));
	err_free(e);
	if (p->reader)
		return kdump_reader_page(p->reader, pfn, page);
	return err_new(ERR_CORRUPT, "compressed by %s, for which libkdumpfile is needed here: %s",
		       decompress_method(flags), p->no_reader ? p->no_reader : "out of memory");
}

/* ---- pages ---- */

/* The bitmap of what is memory is needed for pages that are not there only. */
static struct err *absent_error(const struct kdump_pages *p, uint64_t pfn)
{
	const struct kdump_header *h = &p->headers[0];
	uint8_t byte = 0;
	if (pfn < h->max_mapnr) {
		struct err *e = dump_file_read(&p->files[0], h->bitmap1 + pfn / 8, &byte, 1,
					       "the bitmap of memory");
		if (e)
			return e;
	}
	if (byte >> pfn % 8 & 1)
		return err_new(ERR_EXCLUDED, "left out when the dump was written");
	return err_new(ERR_MISSING, "not in the dump");
}

static struct err *read_data(struct kdump_pages *p, size_t piece, uint64_t pfn,
			     const struct kdump_descriptor *d, void *page)
{
	bool compressed = d->flags & KDUMP_COMPRESSED;
	if (compressed && !decompress_can(d->flags))
		return read_by_library(p, pfn, d->flags, page);
	const uint8_t *raw;
	size_t done;
	struct err *e = read_ahead(p, &p->data, piece, d->offset, d->size, &raw, &done);
	if (e)
		return e;
	if (done < d->size)
		return err_new(ERR_MISSING, "cut off: the file ends before its data");
	if (compressed)
		return decompress_page(p->unpack, d->flags, raw, d->size, page);
	memcpy(page, raw, PAGE_SIZE);
	return NULL;
}

/* The descriptor of page frame @pfn, which is checked, and the piece that has the page. */
static struct err *find_page(struct kdump_pages *p, uint64_t pfn, size_t *ret_piece,
			     struct kdump_descriptor *ret)
{
	bool written;
	uint64_t number;
	struct err *e = bitmap_find(&p->written, pfn, &written, &number);
	if (e)
		return e;
	if (!written)
		return absent_error(p, pfn);
	*ret_piece = piece_of(p, pfn);
	e = kdump_pages_descriptor(p, *ret_piece, number - p->shares[*ret_piece].before, ret);
	return e ? e : kdump_pages_check(p, *ret_piece, ret);
}

/* ---- pages in order ---- */

/* Adds page frame @pfn to the batch if it is there and compressed; an error is for who asks. */
static void add_to_batch(struct kdump_pages *p, struct page_batch *b, uint64_t pfn)
{
	size_t piece, done;
	struct kdump_descriptor d;
	const uint8_t *raw;
	bool written;
	uint64_t number;
	struct err *e = bitmap_find(&p->written, pfn, &written, &number);
	if (!e && written)
		e = find_page(p, pfn, &piece, &d);
	if (!e && written && d.flags & KDUMP_COMPRESSED && decompress_can(d.flags)) {
		e = read_ahead(p, &p->data, piece, d.offset, d.size, &raw, &done);
		if (!e && done == d.size)
			page_batch_add(b, pfn, d.flags, raw, d.size);
	}
	err_free(e);
}

/* Fills a batch with what follows @pfn, unless there is one, and has it decompressed. */
static void fill_batch(struct kdump_pages *p, unsigned n, uint64_t pfn)
{
	struct order *o = &p->order;
	const struct reading *r = p->files[0].reading;
	struct err *e = o->batches[n] ? NULL : page_batch_new(&o->batches[n]);
	if (e) {
		err_free(e);
		return;
	}
	struct page_batch *b = o->batches[n];
	if (o->filling || page_batch_first(b) == pfn || !page_batch_is_idle(b))
		return;
	o->filling = true;
	page_batch_begin(b, pfn);
	for (uint64_t i = 0; i < PAGE_BATCH; i++)
		add_to_batch(p, b, pfn + i);
	o->filling = false;
	page_batch_start(b, r);
}

/* Takes page frame @pfn out of a batch; false if none has it. */
static bool take_from_batch(struct kdump_pages *p, uint64_t pfn, void *page, struct err **ret_error)
{
	struct order *o = &p->order;
	const struct reading *r = p->files[0].reading;
	if (!r || !r->start)
		return false;
	for (unsigned n = 0; n < 2; n++) {
		struct page_batch *b = o->batches[n];
		if (!b || !page_batch_take(b, pfn, p->unpack, page, ret_error))
			continue;
		fill_batch(p, !n, page_batch_end(b));
		return true;
	}
	return false;
}

/* Page frame @pfn was read by itself. */
static void note_order(struct kdump_pages *p, uint64_t pfn)
{
	struct order *o = &p->order;
	const struct reading *r = p->files[0].reading;
	o->run = pfn == o->next ? o->run + 1 : 0;
	o->next = pfn + 1;
	if (o->run < IN_ORDER || !r || !r->start)
		return;
	o->run = 0;
	fill_batch(p, 0, pfn + 1);
}

struct err *kdump_pages_read(struct kdump_pages *p, uint64_t pfn, void *page)
{
	size_t piece;
	struct kdump_descriptor d;
	struct err *e = NULL;
	if (take_from_batch(p, pfn, page, &e))
		return e;
	e = find_page(p, pfn, &piece, &d);
	if (!e)
		e = read_data(p, piece, pfn, &d, page);
	if (!e)
		note_order(p, pfn);
	return e;
}

bool kdump_pages_next(struct kdump_pages *p, uint64_t pfn, uint64_t *ret_pfn)
{
	return bitmap_next(&p->written, pfn, ret_pfn);
}
