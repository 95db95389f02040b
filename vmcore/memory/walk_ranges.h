/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that a set of page tables maps, as ranges: pages that follow each other on both sides, with
 * the same size and rights, are one.
 */
#ifndef VMCORE_MEMORY_WALK_RANGES_H
#define VMCORE_MEMORY_WALK_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "vmcore/memory/guest_walk.h"

enum walk_range_kind {
	RANGE_MAPPED,
	RANGE_UNREADABLE, /* a table that translates it cannot be read; `why` says why */
	RANGE_DAMAGED,	  /* an entry that translates it has reserved bits set */
	RANGE_REPEATED,	  /* the table that translates it was met before (walk_space.tree) */
};

struct walk_range {
	enum walk_range_kind kind;
	uint64_t start, size; /* bytes, of the addresses that are translated */
	/* Of RANGE_MAPPED: */
	uint64_t pa, page_size;
	struct walk_rights rights;
	bool tracked;
	uint64_t
		where; /* of the others: physical address of the table, or (DAMAGED) of the entry */
	int why;       /* of RANGE_UNREADABLE: enum err_code */
};

enum walk_ranges_state {
	RANGES_FOUND,
	RANGES_PAUSED, /* the budget is used up: ask again */
	RANGES_END,
	RANGES_TOO_MANY, /* the tables are more than any machine has: damaged, they lead in circles
			  */
	RANGES_NOMEM,
};

struct walk_ranges;

/*
 * Enumerates what lies in [first, last]; virtual addresses of long mode are canonical. @reader's
 * functions must outlive the result; @space and
 * @reader are copied. ERR_INVALID where paging is off.
 */
__attribute__((warn_unused_result)) struct err *walk_ranges_new(const struct walk_reader *reader,
								const struct walk_space *space,
								uint64_t first, uint64_t last,
								struct walk_ranges **ret);
void walk_ranges_free(struct walk_ranges *r);

/* The next range, after reading no more than *budget tables, which are taken from it. */
enum walk_ranges_state walk_ranges_next(struct walk_ranges *r, unsigned *budget,
					struct walk_range *ret);

/* How many tables were read so far. */
uint64_t walk_ranges_tables(const struct walk_ranges *r);

#endif
