// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as page tables: the first ones say which format and which address, the others are
 * physical memory, repeated without end so that tables lead somewhere. What the enumeration finds
 * must be what a walk says of its beginning and its end.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "tests/fuzz/require.h"
#include "vmcore/memory/walk_ranges.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A table has 512 entries: of few, an input takes some microseconds. */
enum { HEAD = 16, TABLES_LOOKED_AT = 8, RANGES_LOOKED_AT = 256 };
enum { PSE = 1, SPTE = 2, MARKED = 4, TREE = 8, SHADOW = 16 };
#define C_BIT (UINT64_C(1) << 47)

struct bytes {
	const uint8_t *data;
	size_t size;
};

static struct err *read_bytes(void *self, uint64_t pa, void *out, size_t len)
{
	const struct bytes *b = self;
	if (pa >> 40)
		return err_new(ERR_MISSING, "not in the dump");
	for (size_t done = 0, at = pa % b->size, n; done < len; done += n, at = 0) {
		n = b->size - at < len - done ? b->size - at : len - done;
		memcpy((uint8_t *)out + done, b->data + at, n);
	}
	return NULL;
}

static void check_walk(const struct walk_space *space, const struct walk *w)
{
	REQUIRE(w->step_count <= walk_levels(space) && w->level <= WALK_LEVELS_MAX);
	REQUIRE(!(w->page_size & (w->page_size - 1)));
}

/* A page of @range, the one at @offset. */
static void check_page(const struct walk_reader *reader, const struct walk_space *space,
		       const struct walk_range *range, uint64_t offset)
{
	struct walk w;
	struct err *e = guest_walk(reader, space, range->start + offset, &w);
	REQUIRE(!e);
	REQUIRE(w.pa == range->pa + offset && w.page_size == range->page_size);
	REQUIRE(w.tracked == range->tracked);
	REQUIRE(w.rights.readable == range->rights.readable &&
		w.rights.writable == range->rights.writable &&
		w.rights.executable == range->rights.executable &&
		w.rights.user == range->rights.user);
}

static void check_range(const struct walk_reader *reader, const struct walk_space *space,
			const struct walk_range *range)
{
	REQUIRE(range->size);
	if (range->kind != RANGE_MAPPED)
		return;
	REQUIRE(range->page_size && range->size % range->page_size == 0);
	/* Trees may have less levels than processors have. */
	if ((space->format == WALK_LONG || space->format == WALK_EPT) && space->levels < 4)
		return;
	check_page(reader, space, range, 0);
	check_page(reader, space, range, range->size - range->page_size);
}

static void enumerate(const struct walk_reader *reader, const struct walk_space *space,
		      uint64_t first)
{
	struct walk_ranges *ranges;
	struct walk_range range;
	unsigned budget = TABLES_LOOKED_AT;
	uint64_t from = 0;
	struct err *e = walk_ranges_new(reader, space, first, UINT64_MAX, &ranges);
	if (e) {
		err_free(e);
		return;
	}
	for (unsigned i = 0; i < RANGES_LOOKED_AT; i++) {
		if (walk_ranges_next(ranges, &budget, &range) != RANGES_FOUND)
			break;
		check_range(reader, space, &range);
		REQUIRE(range.start >= from);
		from = range.start + range.size;
		if (!from)
			break;
	}
	REQUIRE(walk_ranges_tables(ranges) <= TABLES_LOOKED_AT);
	walk_ranges_free(ranges);
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
		.pse = data[2] & PSE,
		.spte = data[2] & SPTE,
		.marked = data[2] & MARKED,
		.tree = data[2] & TREE,
		.shadow = data[2] & SHADOW,
		.c_mask = data[3] & 1 ? C_BIT : 0,
		.root = get_u32(data + 4),
	};
	uint64_t address = get_u64(data + 8);
	struct walk w;
	struct err *e = guest_walk(&reader, &space, address, &w);
	check_walk(&space, &w);
	err_free(e);
	enumerate(&reader, &space, address);
	return 0;
}
