/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's description of physical memory: where all of that is mapped (the direct map) and the
 * array of struct page (vmemmap; include/linux/mm_types.h, Documentation/arch/x86/x86_64/mm.rst).
 */
#ifndef VMCORE_KERNEL_OBJECTS_PAGE_MAP_H
#define VMCORE_KERNEL_OBJECTS_PAGE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "vmcore/names/types/types.h"

struct err;
struct kernel;

struct page_map {
	const struct kernel *k; /* borrowed */
	uint64_t direct;	/* the direct map: physical address 0 is here */
	uint64_t end;		/* physical memory ends here, in bytes */
	uint64_t vmemmap;	/* the struct page of page frame 0 */
	uint64_t page_size;	/* of a struct page, in bytes */
	uint64_t tail_flag;	/* in flags, where there is first_page; 0: none */
};

/*
 * Finds both, by the symbols that kernels with a random layout have (page_offset_base,
 * vmemmap_base), else at the addresses that Linux has given them; the direct map is believed if
 * the page tables agree. @k is borrowed and must outlive the result. ERR_NOTFOUND where one of them
 * is not known or types are not.
 */
__attribute__((warn_unused_result)) struct err *page_map_open(const struct kernel *k,
							      struct page_map *ret);

/* The physical address that @va of the direct map stands for; false if it is not in there. */
bool page_map_physical(const struct page_map *p, uint64_t va, uint64_t *ret);
/* The address of the struct page of the page frame that holds @pa, which may not be there. */
uint64_t page_map_page(const struct page_map *p, uint64_t pa);
/* The physical address that the struct page at or around @page describes, and how far @page is
 * from its start; false if there is none. */
bool page_map_described(const struct page_map *p, uint64_t page, uint64_t *ret_pa,
			uint64_t *ret_offset);

/* The head of the compound page that @page is part of, or @page. False if it cannot be read or
 * leads nowhere. */
bool page_map_head(const struct page_map *p, uint64_t page, uint64_t *ret);

/* What is told of a page by a bit of flags or, later, by its type. */
enum page_is { PAGE_IS_NOT, PAGE_IS, PAGE_IS_UNKNOWN };

/* How this kernel marks a kind of pages. */
struct page_mark {
	bool has_flag;
	uint8_t flag; /* the bit of flags, tried first */
	enum { PAGE_TYPE_UNKNOWN, PAGE_TYPE_BYTE, PAGE_TYPE_BITS, PAGE_TYPE_VALUE } by_type;
	uint64_t type;
};

/* Of @what: "slab", "buddy", "table", "offline", "hugetlb": enum pageflags' PG_slab, page_type's
 * bits of the same name (6.10), PGTY_slab (6.12), or what VMCOREINFO says of page_type. */
void page_map_find_mark(const struct page_map *p, const char *what, struct page_mark *ret);
/* Whether the page at @page, a head, has @mark. PAGE_IS_UNKNOWN if the kernel does not tell how, or
 * what tells cannot be read. */
enum page_is page_map_is(const struct page_map *p, uint64_t page, const struct page_mark *mark);
/* The same of a bit of enum pageflags, "reserved", "lru"... */
enum page_is page_map_has_flag(const struct page_map *p, uint64_t page, const char *flag);

#endif
