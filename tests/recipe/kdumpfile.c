// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file: a block with struct disk_dump_header; blocks with struct kdump_sub_header and, behind
 * it, the notes; two bitmaps, of the pages that exist and of those that are dumped; a page
 * descriptor for each dumped page; the pages. A piece of a split dump has all of it, but only the
 * descriptors and pages of its own range.
 */
#include "tests/recipe/kdumpfile.h"

#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "tests/recipe/compress.h"
#include "tests/recipe/image.h"
#include "tests/recipe/recipe.h"

#define HEADER_VERSION	 6
#define HEADER_BYTES	 464
#define SUBHEADER_BYTES	 104
#define SUBHEADER_BLOCK	 1
#define DESCRIPTOR_BYTES 24
#define UTSNAME_OFFSET	 12
#define MAPNR_MAX	 (UINT64_C(1) << 30) /* 4 TiB: bitmaps of 2 x 128 MiB */

/* struct disk_dump_header; struct new_utsname begins at UTSNAME_OFFSET. */
static const struct field header_fields[] = {
	{ "signature", 0, 8 },
	{ "header_version", 8, 4 },
	{ "utsname.sysname", UTSNAME_OFFSET, UTS_BYTES },
	{ "utsname.nodename", UTSNAME_OFFSET + UTS_BYTES, UTS_BYTES },
	{ "utsname.release", UTSNAME_OFFSET + 2 * UTS_BYTES, UTS_BYTES },
	{ "utsname.version", UTSNAME_OFFSET + 3 * UTS_BYTES, UTS_BYTES },
	{ "utsname.machine", UTSNAME_OFFSET + 4 * UTS_BYTES, UTS_BYTES },
	{ "utsname.domainname", UTSNAME_OFFSET + 5 * UTS_BYTES, UTS_BYTES },
	{ "timestamp.tv_sec", 408, 8 },
	{ "timestamp.tv_usec", 416, 8 },
	{ "status", 424, 4 },
	{ "block_size", 428, 4 },
	{ "sub_hdr_size", 432, 4 },
	{ "bitmap_blocks", 436, 4 },
	{ "max_mapnr", 440, 4 },
	{ "total_ram_blocks", 444, 4 },
	{ "device_blocks", 448, 4 },
	{ "written_blocks", 452, 4 },
	{ "current_cpu", 456, 4 },
	{ "nr_cpus", 460, 4 },
};

/* struct kdump_sub_header */
static const struct field subheader_fields[] = {
	{ "sub.phys_base", 0, 8 },	  { "sub.dump_level", 8, 4 },
	{ "sub.split", 12, 4 },		  { "sub.start_pfn", 16, 8 },
	{ "sub.end_pfn", 24, 8 },	  { "sub.offset_vmcoreinfo", 32, 8 },
	{ "sub.size_vmcoreinfo", 40, 8 }, { "sub.offset_note", 48, 8 },
	{ "sub.size_note", 56, 8 },	  { "sub.offset_eraseinfo", 64, 8 },
	{ "sub.size_eraseinfo", 72, 8 },  { "sub.start_pfn_64", 80, 8 },
	{ "sub.end_pfn_64", 88, 8 },	  { "sub.max_mapnr_64", 96, 8 },
};

/* page_desc_t */
static const struct field descriptor_fields[] = {
	{ "page.offset", 0, 8 },
	{ "page.size", 8, 4 },
	{ "page.flags", 12, 4 },
	{ "page.page_flags", 16, 8 },
};

/* DUMP_DH_COMPRESSED_*, in a page's flags and in the header's status. */
static const uint32_t compression_flag[] = {
	[COMPRESS_NONE] = 0,   [COMPRESS_ZLIB] = 1,  [COMPRESS_LZO] = 2,
	[COMPRESS_SNAPPY] = 4, [COMPRESS_ZSTD] = 32,
};

struct writer {
	const struct recipe *r;
	struct buf *out;
	uint64_t max_mapnr;
	uint64_t present; /* how many pages are dumped, in all pieces */
	uint64_t existing;
	uint64_t start_pfn, end_pfn; /* this piece */
	uint64_t zero_page; /* file offset of the first page of zeros, or 0: shared by all */
	uint32_t zero_size, zero_flags;
};

static void put(void *structure, const struct field *table, size_t count, const char *name,
		uint64_t value)
{
	field_put(structure, field_find(table, count, name), value);
}

#define PUT(structure, table, name, value) put(structure, table, FIELD_COUNT(table), name, value)

static uint64_t blocks(uint64_t bytes)
{
	return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

static uint64_t bitmap_bytes(const struct writer *w)
{
	return blocks((w->max_mapnr + 7) / 8) * PAGE_BYTES;
}

static bool is_dumped(const struct writer *w, uint64_t pfn)
{
	return physmem_page(&w->r->mem, pfn)->state == PAGE_PRESENT;
}

/* What there is, and which part of it belongs into @piece: pages are dealt out evenly, in order. */
static struct err *survey(struct writer *w, unsigned int piece)
{
	const struct physmem *mem = &w->r->mem;
	for (uint64_t pfn = 0; physmem_next(mem, pfn, &pfn); pfn++) {
		w->max_mapnr = pfn + 1;
		w->existing++;
		w->present += is_dumped(w, pfn);
	}
	if (!w->max_mapnr || w->max_mapnr > MAPNR_MAX)
		return err_new(ERR_UNSUPPORTED, "a kdump file over %ju pages",
			       (uintmax_t)w->max_mapnr);
	uint64_t pieces = w->r->plan.pieces, seen = 0;
	w->end_pfn = w->max_mapnr;
	for (uint64_t pfn = 0; physmem_next(mem, pfn, &pfn); pfn++) {
		if (!is_dumped(w, pfn))
			continue;
		if (piece > 1 && seen == w->present * (piece - 1) / pieces)
			w->start_pfn = pfn;
		if (piece < pieces && seen == w->present * piece / pieces) {
			w->end_pfn = pfn;
			return NULL;
		}
		seen++;
	}
	return NULL;
}

static void write_header(struct writer *w, uint64_t sub_blocks)
{
	const struct plan *plan = &w->r->plan;
	uint8_t h[HEADER_BYTES] = { 0 };
	memcpy(h, "KDUMP   ", 8);
	memcpy(h + UTSNAME_OFFSET, plan->uts, sizeof(plan->uts));
	PUT(h, header_fields, "header_version", HEADER_VERSION);
	PUT(h, header_fields, "status", compression_flag[plan->compression]);
	PUT(h, header_fields, "block_size", PAGE_BYTES);
	PUT(h, header_fields, "sub_hdr_size", sub_blocks);
	PUT(h, header_fields, "bitmap_blocks", 2 * blocks(bitmap_bytes(w)));
	PUT(h, header_fields, "max_mapnr", w->max_mapnr);
	PUT(h, header_fields, "total_ram_blocks", w->existing);
	PUT(h, header_fields, "written_blocks", w->present);
	PUT(h, header_fields, "nr_cpus", w->r->cpu_notes ? w->r->cpu_notes : 1);
	buf_add(w->out, h, sizeof(h));
	image_pad(w->out, PAGE_BYTES);
}

/* Also the header, which must know how many blocks this takes. */
static struct err *write_headers(struct writer *w)
{
	const struct plan *plan = &w->r->plan;
	uint8_t sub[SUBHEADER_BYTES] = { 0 };
	struct buf notes = BUF_INIT;
	size_t info_offset, info_len;
	image_notes(w->r, &notes, &info_offset, &info_len);
	struct err *e = buf_error(&notes);
	if (e)
		return e;
	uint64_t notes_at = SUBHEADER_BLOCK * PAGE_BYTES + sizeof(sub);
	PUT(sub, subheader_fields, "sub.phys_base", plan->phys_base);
	PUT(sub, subheader_fields, "sub.dump_level", plan->dump_level);
	PUT(sub, subheader_fields, "sub.split", plan->pieces > 1);
	PUT(sub, subheader_fields, "sub.start_pfn", w->start_pfn);
	PUT(sub, subheader_fields, "sub.end_pfn", w->end_pfn);
	PUT(sub, subheader_fields, "sub.offset_vmcoreinfo", info_len ? notes_at + info_offset : 0);
	PUT(sub, subheader_fields, "sub.size_vmcoreinfo", info_len);
	PUT(sub, subheader_fields, "sub.offset_note", notes.len ? notes_at : 0);
	PUT(sub, subheader_fields, "sub.size_note", notes.len);
	PUT(sub, subheader_fields, "sub.start_pfn_64", w->start_pfn);
	PUT(sub, subheader_fields, "sub.end_pfn_64", w->end_pfn);
	PUT(sub, subheader_fields, "sub.max_mapnr_64", w->max_mapnr);
	uint64_t sub_blocks = blocks(sizeof(sub) + notes.len);
	write_header(w, sub_blocks);
	buf_add(w->out, sub, sizeof(sub));
	buf_add(w->out, notes.data, notes.len);
	image_pad(w->out, (SUBHEADER_BLOCK + sub_blocks) * PAGE_BYTES);
	buf_free(&notes);
	return buf_error(w->out);
}

static struct err *write_bitmaps(struct writer *w)
{
	uint64_t first = w->out->len, second = first + bitmap_bytes(w);
	image_pad(w->out, second + bitmap_bytes(w));
	if (w->out->failed)
		return err_nomem();
	for (uint64_t pfn = 0; physmem_next(&w->r->mem, pfn, &pfn); pfn++) {
		char bit = (char)(1 << pfn % 8);
		w->out->data[first + pfn / 8] |= bit;
		if (is_dumped(w, pfn))
			w->out->data[second + pfn / 8] |= bit;
	}
	return NULL;
}

/* Appends the page's bytes; a page that does not shrink is stored as it is. */
static struct err *store_page(struct writer *w, const uint8_t *page, uint32_t *ret_size,
			      uint32_t *ret_flags)
{
	enum compression method = w->r->plan.compression;
	size_t start = w->out->len;
	if (method != COMPRESS_NONE) {
		struct err *e = compress_page(method, page, PAGE_BYTES, w->out);
		if (e)
			return e;
		if (w->out->len - start < PAGE_BYTES) {
			*ret_size = (uint32_t)(w->out->len - start);
			*ret_flags = compression_flag[method];
			return NULL;
		}
		buf_cut(w->out, start);
	}
	buf_add(w->out, page, PAGE_BYTES);
	*ret_size = (uint32_t)PAGE_BYTES;
	*ret_flags = 0;
	return buf_error(w->out);
}

/* Stores the page and fills in its descriptor. makedumpfile, too, stores zeros only once. */
static struct err *write_page(struct writer *w, const uint8_t *page, uint64_t descriptor_at)
{
	static const uint8_t zeros[PAGE_BYTES];
	bool is_zero = !memcmp(page, zeros, sizeof(zeros));
	uint64_t offset = w->out->len;
	uint32_t size, flags;
	if (is_zero && w->zero_page) {
		offset = w->zero_page;
		size = w->zero_size;
		flags = w->zero_flags;
	} else {
		struct err *e = store_page(w, page, &size, &flags);
		if (e)
			return e;
	}
	if (is_zero) {
		w->zero_page = offset;
		w->zero_size = size;
		w->zero_flags = flags;
	}
	char *descriptor = w->out->data + descriptor_at;
	PUT(descriptor, descriptor_fields, "page.offset", offset);
	PUT(descriptor, descriptor_fields, "page.size", size);
	PUT(descriptor, descriptor_fields, "page.flags", flags);
	return NULL;
}

static struct err *write_pages(struct writer *w)
{
	uint64_t count = 0, pfn;
	for (pfn = w->start_pfn; physmem_next(&w->r->mem, pfn, &pfn) && pfn < w->end_pfn; pfn++)
		count += is_dumped(w, pfn);
	uint64_t descriptor = w->out->len;
	image_pad(w->out, descriptor + count * DESCRIPTOR_BYTES);
	struct err *e = buf_error(w->out);
	for (pfn = w->start_pfn; !e && physmem_next(&w->r->mem, pfn, &pfn) && pfn < w->end_pfn;
	     pfn++) {
		if (!is_dumped(w, pfn))
			continue;
		e = write_page(w, physpage_bytes(physmem_page(&w->r->mem, pfn)), descriptor);
		descriptor += DESCRIPTOR_BYTES;
	}
	return e;
}

struct err *kdumpfile_make(const struct recipe *r, unsigned int piece, struct buf *out)
{
	struct writer w = { .r = r, .out = out };
	struct err *e = survey(&w, piece);
	if (!e)
		e = write_headers(&w);
	if (!e)
		e = write_bitmaps(&w);
	if (!e)
		e = write_pages(&w);
	return e;
}

static uint64_t get(const void *structure, const struct field *table, size_t count,
		    const char *name)
{
	const struct field *f = field_find(table, count, name);
	const uint8_t *at = (const uint8_t *)structure + f->offset;
	return f->size == 8 ? get_u64(at) : get_u32(at);
}

#define GET(structure, table, name) get(structure, table, FIELD_COUNT(table), name)

/* Where the descriptor of the page at @addr is, by the headers and the second bitmap. */
static struct err *find_descriptor(const struct buf *image, uint64_t addr, uint64_t *ret)
{
	const char *sub = image->data + SUBHEADER_BLOCK * PAGE_BYTES;
	uint64_t pfn = addr >> RECIPE_PAGE_SHIFT;
	uint64_t start = GET(sub, subheader_fields, "sub.start_pfn_64");
	uint64_t end = GET(sub, subheader_fields, "sub.end_pfn_64");
	uint64_t bitmaps = GET(image->data, header_fields, "bitmap_blocks") * PAGE_BYTES;
	uint64_t first =
		PAGE_BYTES * (SUBHEADER_BLOCK + GET(image->data, header_fields, "sub_hdr_size"));
	const char *dumped = image->data + first + bitmaps / 2;
	if (first + bitmaps > image->len || pfn / 8 >= bitmaps / 2)
		return err_new(ERR_NOTFOUND, "no page at %#jx", (uintmax_t)addr);
	if (pfn < start || pfn >= end || !(dumped[pfn / 8] >> pfn % 8 & 1))
		return err_new(ERR_NOTFOUND, "the page at %#jx is not in this file",
			       (uintmax_t)addr);
	uint64_t before = 0;
	for (uint64_t i = start; i < pfn; i++)
		before += dumped[i / 8] >> i % 8 & 1;
	*ret = first + bitmaps + before * DESCRIPTOR_BYTES;
	return NULL;
}

struct err *kdumpfile_field(struct buf *image, const char *name, uint64_t index,
			    const struct field **ret_field, void **ret_structure)
{
	uint64_t where = 0;
	const struct field *f = field_find(header_fields, FIELD_COUNT(header_fields), name);
	if (!f) {
		f = field_find(subheader_fields, FIELD_COUNT(subheader_fields), name);
		where = SUBHEADER_BLOCK * PAGE_BYTES;
	}
	if (!f) {
		f = field_find(descriptor_fields, FIELD_COUNT(descriptor_fields), name);
		struct err *e = f ? find_descriptor(image, index, &where) : NULL;
		if (e)
			return e;
	}
	if (!f)
		return err_new(ERR_NOTFOUND, "no kdump header field '%s'", name);
	*ret_field = f;
	*ret_structure = image->data + where;
	return NULL;
}

struct err *kdumpfile_corrupt(struct buf *image, uint64_t addr)
{
	uint64_t where;
	struct err *e = find_descriptor(image, addr, &where);
	if (e)
		return e;
	const char *descriptor = image->data + where;
	uint64_t offset = GET(descriptor, descriptor_fields, "page.offset");
	uint64_t size = GET(descriptor, descriptor_fields, "page.size");
	if (!GET(descriptor, descriptor_fields, "page.flags"))
		return err_new(ERR_UNSUPPORTED,
			       "the page at %#jx is stored uncompressed: "
			       "nobody could see the damage",
			       (uintmax_t)addr);
	/* No method takes a run of ones for a compressed page. */
	memset(image->data + offset, 0xff, size);
	return NULL;
}
