// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /proc/kcore before 5.2 gives every segment the physical address 0 (fs/proc/kcore.c). Those of RAM
 * are what /proc/iomem lists, each where the direct map has it: one distance from physical to
 * virtual addresses, a multiple of 1 GiB, fits them all, and then tells which the others are.
 */
#include "vmcore/live/kcore_segments.h"

#include <inttypes.h>
#include <stdbool.h>

#include "arch/address.h"
#include "base/err.h"
#include "vmcore/dump/elf.h"
#include "vmcore/live/iomem.h"

/* The direct map begins at a multiple of it, moved by KASLR or not (arch/x86/mm/kaslr.c). */
#define DIRECT_MAP_UNIT (UINT64_C(1) << 30)

static bool has_addresses(const struct elf_headers *h)
{
	if (h->load_count < 2)
		return true;
	for (size_t i = 0; i < h->load_count; i++)
		if (h->loads[i].paddr)
			return true;
	return false;
}

static uint64_t page_down(uint64_t address)
{
	return address & ~(uint64_t)(PAGE_SIZE - 1);
}

/* Whole pages of RAM: kcore has no others. */
static struct pa_range whole_pages(const struct pa_range *r)
{
	return (struct pa_range){ page_down(r->start + PAGE_SIZE - 1), page_down(r->end) };
}

static const struct elf_segment *segment_of(const struct elf_headers *h, uint64_t base,
					    struct pa_range ram)
{
	for (size_t i = 0; i < h->load_count; i++)
		if (h->loads[i].vaddr == base + ram.start &&
		    h->loads[i].memsz == ram.end - ram.start)
			return &h->loads[i];
	return NULL;
}

/* Whether every range of RAM is a segment when the direct map begins at @base. */
static bool fits(const struct elf_headers *h, const struct ram_map *ram, uint64_t base)
{
	for (size_t i = 0; i < ram->count; i++) {
		struct pa_range r = whole_pages(&ram->list[i]);
		if (r.start < r.end && !segment_of(h, base, r))
			return false;
	}
	return true;
}

/* The largest range is one of the segments: each of its size is tried. */
static bool find_base(const struct elf_headers *h, const struct ram_map *ram, uint64_t *ret)
{
	struct pa_range largest = { 0 };
	for (size_t i = 0; i < ram->count; i++) {
		struct pa_range r = whole_pages(&ram->list[i]);
		if (r.start < r.end && r.end - r.start > largest.end - largest.start)
			largest = r;
	}
	for (size_t i = 0; i < h->load_count; i++) {
		uint64_t base = h->loads[i].vaddr - largest.start;
		if (h->loads[i].memsz != largest.end - largest.start || !is_kernel_address(base) ||
		    base % DIRECT_MAP_UNIT || !fits(h, ram, base))
			continue;
		*ret = base;
		return true;
	}
	return false;
}

/* Keeps the segments of RAM alone; that of the kernel's text shows memory that they have too. */
static void place(struct elf_headers *h, const struct ram_map *ram, uint64_t base)
{
	size_t kept = 0;
	for (size_t i = 0; i < h->load_count; i++) {
		struct elf_segment s = h->loads[i];
		uint64_t pa = s.vaddr - base;
		const struct pa_range *r = ram_map_from(ram, pa);
		if (!r || pa < r->start || s.memsz > r->end - pa)
			continue;
		s.paddr = pa;
		h->loads[kept++] = s;
	}
	h->load_count = kept;
}

struct err *kcore_place_segments(const struct iomem *iomem, struct elf_headers *h)
{
	uint64_t base;
	if (has_addresses(h))
		return NULL;
	if (!iomem->file)
		return err_new(ERR_IO, "its segments have no physical addresses: %s",
			       iomem->why ? err_msg(iomem->why) : "nor is RAM known");
	if (!find_base(h, &iomem->ram, &base))
		return err_new(ERR_FORMAT,
			       "its segments have no physical addresses, and none of them is the "
			       "RAM that %s lists",
			       iomem->path);
	place(h, &iomem->ram, base);
	return NULL;
}
