// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/memory/ranges.h"

const void *ranges_from(const void *list, size_t count, size_t size, uint64_t pa)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct pa_range *range = (const void *)((const char *)list + middle * size);
		if (range->end <= pa)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count ? (const char *)list + low * size : NULL;
}

int ranges_by_start(const void *a, const void *b)
{
	const struct pa_range *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}
