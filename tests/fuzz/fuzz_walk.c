// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as page tables: the first four say which format and which address, the others are
 * physical memory, repeated without end so that tables lead somewhere.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/err.h"
#include "server/memory/walk_ranges.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 16, TABLES_LOOKED_AT = 64, RANGES_LOOKED_AT = 4096 };

struct bytes {
	const uint8_t *data;
	size_t size;
};

static struct err *read_bytes(void *self, uint64_t pa, void *out, size_t len)
{
	const struct bytes *b = self;
	if (pa >> 40)
		return err_new(ERR_MISSING, "not in the dump");
	for (size_t i = 0; i < len; i++)
		((uint8_t *)out)[i] = b->data[(pa + i) % b->size];
	return NULL;
}

static void check_walk(const struct walk_space *space, const struct walk *w)
{
	if (w->step_count > walk_levels(space) || w->level > WALK_LEVELS_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size <= HEAD)
		return 0;
	struct bytes b = { data + HEAD, size - HEAD };
	struct walk_reader reader = { &b, read_bytes };
	struct walk_space space = {
		.format = data[0] % 5,
		.levels = data[1] & 7,
		.pse = data[2] & 1,
		.spte = data[2] & 2,
		.marked = data[2] & 4,
		.root = get_u32(data + 4),
	};
	struct walk w;
	struct err *e = guest_walk(&reader, &space, get_u64(data + 8), &w);
	if (!e && w.page_size & (w.page_size - 1))
		abort();
	check_walk(&space, &w);
	err_free(e);

	struct walk_ranges *ranges;
	struct walk_range range;
	unsigned budget = TABLES_LOOKED_AT;
	e = walk_ranges_new(&reader, &space, get_u32(data + 8), UINT64_MAX, &ranges);
	if (e) {
		err_free(e);
		return 0;
	}
	for (unsigned i = 0; i < RANGES_LOOKED_AT; i++)
		if (walk_ranges_next(ranges, &budget, &range) != RANGES_FOUND)
			break;
	walk_ranges_free(ranges);
	return 0;
}
