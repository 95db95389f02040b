// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages of ELF dumps. The segments become two lists of disjoint ranges of physical memory: the
 * bytes that the file has, and the ranges that it knows of and does not have. What is in the
 * first is never looked up in the second.
 */
#include "vmcore/dump/elf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/dump/file.h"
#include "vmcore/dump/notes.h"
#include "vmcore/dump/source.h"
#include "vmcore/memory/ranges.h"

enum { NOTE_BYTES_MAX = 64 << 20 }; /* of all PT_NOTE segments together */

/* Physical memory; in the mapped list, virtual. */
struct range {
	struct pa_range at;
	uint64_t offset;   /* of at.start in the file; in the absent list, unused */
	enum err_code why; /* in the absent list: ERR_EXCLUDED or ERR_MISSING */
};

struct ranges {
	struct range *list; /* owned; sorted and disjoint once settle() was called */
	size_t count;
};

struct elf_dump {
	const struct dump_file *file; /* borrowed */
	struct ranges present, absent;
	struct ranges mapped; /* of /proc/kcore alone: what can be read by virtual address */
};

/*
 * Sorts, and cuts off what an earlier range has already. Where segments overlap they tell of the
 * same memory, so that either copy will do.
 */
static void settle(struct ranges *r)
{
	if (r->count == 0)
		return;
	qsort(r->list, r->count, sizeof(*r->list), ranges_by_start);
	size_t kept = 0;
	uint64_t end = 0;
	for (size_t i = 0; i < r->count; i++) {
		struct range x = r->list[i];
		if (x.at.end <= end)
			continue;
		if (x.at.start < end) {
			x.offset += end - x.at.start;
			x.at.start = end;
		}
		end = x.at.end;
		r->list[kept++] = x;
	}
	r->count = kept;
}

/* The first range that ends behind @pa, or NULL. */
static const struct range *first_ending_behind(const struct ranges *r, uint64_t pa)
{
	return ranges_from(r->list, r->count, sizeof(*r->list), pa);
}

static void add(struct ranges *r, uint64_t start, uint64_t end, uint64_t offset, enum err_code why)
{
	if (start < end)
		r->list[r->count++] = (struct range){ { start, end }, offset, why };
}

/* Into what is in the file, what the headers promise and the file is too short for, and what was
 * left out. */
static void split_segment(struct elf_dump *d, const struct elf_segment *s)
{
	uint64_t size = d->file->size;
	uint64_t there = s->offset >= size ? 0 : size - s->offset;
	if (there > s->filesz)
		there = s->filesz;
	uint64_t data_end = s->paddr + s->filesz;
	add(&d->present, s->paddr, s->paddr + there, s->offset, ERR_MISSING);
	add(&d->absent, s->paddr + there, data_end, 0, ERR_MISSING);
	add(&d->absent, data_end, s->paddr + s->memsz, 0, ERR_EXCLUDED);
}

static struct err *build_ranges(struct elf_dump *d, const struct elf_headers *h)
{
	d->present.list = malloc(h->load_count * sizeof(struct range));
	d->absent.list = malloc(2 * h->load_count * sizeof(struct range));
	if (!d->present.list || !d->absent.list)
		return err_nomem();
	for (size_t i = 0; i < h->load_count; i++)
		split_segment(d, &h->loads[i]);
	settle(&d->present);
	settle(&d->absent);
	return NULL;
}

static struct err *absent_error(const struct elf_dump *d, uint64_t pa)
{
	const struct range *r = first_ending_behind(&d->absent, pa);
	if (!r || r->at.start >= pa + PAGE_SIZE)
		return err_new(ERR_MISSING, "not in the dump");
	if (r->why == ERR_EXCLUDED)
		return err_new(ERR_EXCLUDED, "left out when the dump was written");
	return err_new(ERR_MISSING, "cut off: the file is shorter than its headers say");
}

/* Reads what of [pa, pa + PAGE_SIZE) ranges from @r on have without a gap. */
static struct err *read_run(const struct elf_dump *d, const struct range *r, uint64_t pa,
			    uint8_t *page, uint16_t *ret_from, uint16_t *ret_to)
{
	const struct range *last = d->present.list + d->present.count;
	uint64_t from = r->at.start > pa ? r->at.start - pa : 0;
	uint64_t to = from;
	for (; r < last && r->at.start <= pa + to && to < PAGE_SIZE; r++) {
		uint64_t end = r->at.end - pa < PAGE_SIZE ? r->at.end - pa : PAGE_SIZE;
		size_t done;
		struct err *e = dump_file_read_part(d->file, r->offset + (pa + to - r->at.start),
						    page + to, (size_t)(end - to), &done);
		if (e)
			return e;
		to += done;
		if (to < end)
			break; /* the file has shrunk since it was opened */
	}
	if (to == from)
		return err_new(ERR_MISSING, "cut off: the file has become shorter");
	*ret_from = (uint16_t)from;
	*ret_to = (uint16_t)to;
	return NULL;
}

static size_t read_pages(void *self, uint64_t pfn, size_t count, void *pages)
{
	const struct elf_dump *d = self;
	size_t done = 0;
	if (pfn > UINT64_MAX >> PAGE_SHIFT)
		return 0;
	uint64_t pa = pfn << PAGE_SHIFT;
	const struct range *r = first_ending_behind(&d->present, pa);
	if (!r || r->at.start > pa)
		return 0;
	uint64_t there = (r->at.end - pa) / PAGE_SIZE;
	if (count > there)
		count = (size_t)there;
	struct err *e = count ? dump_file_read_part(d->file, r->offset + (pa - r->at.start), pages,
						    count * PAGE_SIZE, &done)
			      : NULL;
	err_free(e);
	return e ? 0 : done / PAGE_SIZE;
}

static struct err *read_page(void *self, uint64_t pfn, void *page, uint16_t *ret_from,
			     uint16_t *ret_to)
{
	const struct elf_dump *d = self;
	if (pfn > UINT64_MAX >> PAGE_SHIFT)
		return err_new(ERR_MISSING, "not in the dump");
	uint64_t pa = pfn << PAGE_SHIFT;
	const struct range *r = first_ending_behind(&d->present, pa);
	if (!r || r->at.start >= pa + PAGE_SIZE)
		return absent_error(d, pa);
	return read_run(d, r, pa, page, ret_from, ret_to);
}

static struct err *read_mapped(void *self, uint64_t va, void *out, size_t len)
{
	const struct elf_dump *d = self;
	const struct range *r = first_ending_behind(&d->mapped, va);
	size_t done = 0;
	if (r && va >= r->at.start && len <= r->at.end - va) {
		struct err *e = dump_file_read_part(d->file, r->offset + (va - r->at.start), out,
						    len, &done);
		if (e || done == len)
			return e;
	}
	return err_new(ERR_MISSING, "virtual address 0x%" PRIx64 ": in no segment", va + done);
}

static bool next_page(void *self, uint64_t pfn, uint64_t *ret_pfn)
{
	const struct elf_dump *d = self;
	if (pfn > UINT64_MAX >> PAGE_SHIFT)
		return false;
	const struct range *r = first_ending_behind(&d->present, pfn << PAGE_SHIFT);
	if (!r)
		return false;
	*ret_pfn = r->at.start >> PAGE_SHIFT > pfn ? r->at.start >> PAGE_SHIFT : pfn;
	return true;
}

static struct err *read_notes(const struct elf_headers *h, const struct dump_file *f,
			      const struct dump_options *options, struct notes *notes)
{
	uint64_t total = 0;
	for (size_t i = 0; i < h->note_count; i++) {
		const struct elf_segment *s = &h->notes[i];
		total += s->filesz < NOTE_BYTES_MAX ? s->filesz : NOTE_BYTES_MAX + 1;
		if (total > NOTE_BYTES_MAX)
			return err_new(ERR_FORMAT, "its ELF notes claim to be over 64 MiB long");
		struct err *e = notes_read(notes, f, s->offset, s->filesz, options);
		if (e)
			return e;
	}
	return notes_find_vmcoreinfo(notes);
}

/* kdump gives the kernel's text a segment of its own (not everybody does), with its address. */
static void find_phys_base(const struct elf_headers *h, struct dump_info *info)
{
	const struct arch_map *map = (h->arch ? h->arch : arch_unnamed())->map;
	for (size_t i = 0; i < h->load_count; i++) {
		const struct elf_segment *s = &h->loads[i];
		if (s->vaddr - map->image < map->image_bytes) {
			info->has_phys_base = true;
			info->phys_base = s->paddr - (s->vaddr - map->image);
			return;
		}
	}
}

static void count_memory(const struct elf_dump *d, const struct elf_headers *h,
			 struct dump_info *info)
{
	info->memory_bytes = info->max_pfn = 0;
	for (size_t i = 0; i < d->present.count; i++)
		info->memory_bytes += d->present.list[i].at.end - d->present.list[i].at.start;
	for (size_t i = 0; i < h->load_count; i++) {
		uint64_t end = h->loads[i].paddr + h->loads[i].memsz;
		uint64_t pfn = (end + PAGE_SIZE - 1) >> PAGE_SHIFT;
		if (pfn > info->max_pfn)
			info->max_pfn = pfn;
	}
}

static void describe(const struct elf_dump *d, const struct elf_headers *h, struct dump_info *info)
{
	info->arch = h->arch;
	info->compression = "none";
	info->dump_level = -1;
	find_phys_base(h, info);
	info->truncated |= h->incomplete;
	for (size_t i = 0; i < d->absent.count; i++) {
		if (d->absent.list[i].why == ERR_EXCLUDED)
			info->filtered = true;
		else
			info->truncated = true;
	}
	count_memory(d, h, info);
}

static struct err *open_segments(const struct elf_headers *headers, const struct dump_file *f,
				 const struct dump_options *options, struct notes *notes,
				 struct dump_info *info, struct elf_dump **ret)
{
	struct elf_dump *d = calloc(1, sizeof(*d));
	if (!d)
		return err_nomem();
	d->file = f;
	struct err *e = build_ranges(d, headers);
	if (!e)
		e = read_notes(headers, f, options, notes);
	if (e) {
		elf_dump_close(d);
		return e;
	}
	describe(d, headers, info);
	log_debug(LOG_DUMP, "%s: ELF, %zu segments, %zu ranges in the file, %zu absent", f->path,
		  headers->load_count, d->present.count, d->absent.count);
	*ret = d;
	return NULL;
}

struct err *elf_dump_open(const struct dump_file *f, const struct dump_options *options,
			  struct notes *notes, struct dump_info *info, struct elf_dump **ret)
{
	struct elf_headers headers;
	struct err *e = elf_check(f, false, &headers);
	if (e)
		return e;
	e = open_segments(&headers, f, options, notes, info, ret);
	elf_headers_free(&headers);
	return e;
}

/* ---- of a machine that runs ---- */

/* Cuts off what is no RAM (any more). */
static struct err *keep_ram(struct elf_dump *d, const struct pa_range *ram, size_t count)
{
	struct ranges kept = { 0 };
	kept.list = malloc((d->present.count + count) * sizeof(struct range));
	if (!kept.list)
		return err_nomem();
	for (size_t i = 0; i < d->present.count; i++) {
		const struct range *x = &d->present.list[i];
		const struct pa_range *r = ranges_from(ram, count, sizeof(*ram), x->at.start);
		for (; r && r < ram + count && r->start < x->at.end; r++) {
			uint64_t start = r->start > x->at.start ? r->start : x->at.start;
			uint64_t end = r->end < x->at.end ? r->end : x->at.end;
			add(&kept, start, end, x->offset + (start - x->at.start), x->why);
		}
	}
	free(d->present.list);
	d->present = kept;
	return NULL;
}

static struct err *map_segments(struct elf_dump *d, const struct elf_headers *h)
{
	d->mapped.list = malloc((h->mapped_count + 1) * sizeof(struct range));
	if (!d->mapped.list)
		return err_nomem();
	for (size_t i = 0; i < h->mapped_count; i++) {
		const struct elf_segment *s = &h->mapped[i];
		add(&d->mapped, s->vaddr, s->vaddr + s->filesz, s->offset, ERR_MISSING);
	}
	settle(&d->mapped);
	return NULL;
}

struct err *elf_dump_open_mapped(const struct elf_headers *headers, const struct dump_file *f,
				 const struct dump_options *options, struct notes *notes,
				 struct dump_info *info, struct elf_dump **ret)
{
	struct elf_dump *d = NULL;
	struct err *e = open_segments(headers, f, options, notes, info, &d);
	if (e)
		return e;
	e = map_segments(d, headers);
	if (e)
		elf_dump_close(d);
	else
		*ret = d;
	return e;
}

struct err *elf_dump_renew(struct elf_dump *d, const struct elf_headers *headers,
			   const struct pa_range *ram, size_t count, struct dump_info *info)
{
	struct elf_dump renewed = { .file = d->file };
	struct err *e = build_ranges(&renewed, headers);
	if (!e)
		e = map_segments(&renewed, headers);
	if (!e && ram)
		e = keep_ram(&renewed, ram, count);
	if (!e) {
		struct elf_dump old = *d;
		*d = renewed;
		renewed = old;
		count_memory(d, headers, info);
	}
	free(renewed.present.list);
	free(renewed.absent.list);
	free(renewed.mapped.list);
	return e;
}

uint64_t elf_dump_lacks(const struct elf_dump *d, const struct pa_range *ram, size_t count)
{
	uint64_t lacks = 0;
	for (size_t i = 0; i < count; i++) {
		uint64_t at = (ram[i].start + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
		uint64_t end = ram[i].end & ~(uint64_t)(PAGE_SIZE - 1);
		while (at < end) {
			const struct range *r = first_ending_behind(&d->present, at);
			if (r && r->at.start <= at) {
				at = r->at.end;
				continue;
			}
			uint64_t next = r && r->at.start < end ? r->at.start : end;
			lacks += next - at;
			at = next;
		}
	}
	return lacks;
}

void elf_dump_close(struct elf_dump *d)
{
	if (!d)
		return;
	free(d->present.list);
	free(d->absent.list);
	free(d->mapped.list);
	free(d);
}

struct page_source elf_dump_pages(struct elf_dump *d)
{
	return (struct page_source){
		.self = d,
		.read_page = read_page,
		/* What changes is read a page at a time, as it is asked for. */
		.read_pages = d->mapped.list ? NULL : read_pages,
		.next_page = next_page,
		.read_mapped = d->mapped.list ? read_mapped : NULL,
	};
}

/* ---- as a source ---- */

static struct page_source source_pages(void *self)
{
	return elf_dump_pages(self);
}

static void source_close(void *self)
{
	elf_dump_close(self);
}

static const struct source_ops ops = { .pages = source_pages, .close = source_close };

static void make_source(struct elf_dump *d, struct dump_parts *parts)
{
	parts->ops = &ops;
	parts->self = d;
}

struct err *elf_dump_source(const struct dump_file *f, const struct dump_options *options,
			    struct dump_parts *parts)
{
	struct elf_dump *d = NULL;
	struct err *e = elf_dump_open(f, options, &parts->notes, &parts->info, &d);
	if (!e)
		make_source(d, parts);
	return e;
}

struct err *elf_dump_source_of(const struct elf_headers *headers, const struct dump_file *f,
			       const struct dump_options *options, struct dump_parts *parts)
{
	struct elf_dump *d = NULL;
	struct err *e = open_segments(headers, f, options, &parts->notes, &parts->info, &d);
	if (!e)
		make_source(d, parts);
	return e;
}
