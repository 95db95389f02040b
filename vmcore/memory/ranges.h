/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of ranges of physical memory. */
#ifndef VMCORE_MEMORY_RANGES_H
#define VMCORE_MEMORY_RANGES_H

#include <stddef.h>
#include <stdint.h>

/* What the elements of such a list begin with: [start, end), physical addresses. */
struct pa_range {
	uint64_t start, end;
};

/*
 * The first of @count elements of @size bytes at @list, sorted and disjoint, that ends above @pa:
 * the one that holds it, or else the first above it; NULL if there is none.
 */
const void *ranges_from(const void *list, size_t count, size_t size, uint64_t pa);

/* The order of such elements, for qsort(). */
int ranges_by_start(const void *a, const void *b);

#endif
