// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/memory/walk_ranges.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/map.h"

enum {
	TABLE_BYTES = 4096,
	/* Of 4 KiB pages, 8 TiB: where tables may have many places (trees end by themselves),
	 * damaged ones that lead to each other must end somewhere. */
	TABLES_MAX = 4 << 20,
};

/* A table on the way from the top to where the enumeration is. */
struct level {
	uint64_t table;		   /* its physical address */
	uint64_t start;		   /* the first address that it translates */
	unsigned next;		   /* the entry that is looked at next */
	unsigned end;		   /* one more than the last entry of it that is looked at */
	struct walk_rights rights; /* of all tables above */
	uint8_t bytes[TABLE_BYTES];
};

struct walk_ranges {
	struct walk_reader reader;
	struct walk_space space;
	uint64_t first, last;
	unsigned depth; /* the level of the innermost table; 0 when all is done */
	bool begun;
	uint64_t tables;
	struct map seen;	/* of a tree: physical addresses of the tables so far */
	bool failed;		/* for lack of memory */
	struct walk_range open; /* grows while pages go on where it ends */
	bool is_open;
	struct level levels[WALK_LEVELS_MAX + 1]; /* by level */
};

/* The half of long mode's addresses that begins with ones follows the other in the tables. */
static uint64_t half(const struct walk_space *space)
{
	return UINT64_C(1) << (walk_address_bits(space) - 1);
}

/* Where @address is in the tables; what is between the halves becomes @between. */
static uint64_t in_tables(const struct walk_space *space, uint64_t address, uint64_t between)
{
	if (!walk_is_signed(space) || address < half(space))
		return address;
	return address >= -half(space) ? address & (2 * half(space) - 1) : between;
}

static uint64_t canonical(const struct walk_space *space, uint64_t address)
{
	return walk_is_signed(space) && address & half(space) ? address | -half(space) : address;
}

struct err *walk_ranges_new(const struct walk_reader *reader, const struct walk_space *space,
			    uint64_t first, uint64_t last, struct walk_ranges **ret)
{
	unsigned levels = walk_levels(space);
	if (levels < 2 || levels > WALK_LEVELS_MAX)
		return err_new(ERR_INVALID, "page tables of %u levels", levels);
	struct walk_ranges *r = calloc(1, sizeof(*r));
	if (!r)
		return err_nomem();
	r->reader = *reader;
	r->space = *space;
	r->first = in_tables(space, first, half(space));
	r->last = in_tables(space, last, half(space) - 1);
	*ret = r;
	return NULL;
}

void walk_ranges_free(struct walk_ranges *r)
{
	if (!r)
		return;
	map_free(&r->seen);
	free(r);
}

uint64_t walk_ranges_tables(const struct walk_ranges *r)
{
	return r->tables;
}

/* The part of the table at level @l that translates what is asked for. */
static void bound(const struct walk_ranges *r, unsigned level, struct level *l)
{
	unsigned shift = walk_level_shift(&r->space, level);
	unsigned entries = walk_table_entries(&r->space, level);
	uint64_t last = l->start + (((uint64_t)entries << shift) - 1);
	l->next = r->first > l->start ? (unsigned)((r->first - l->start) >> shift) : 0;
	l->end = r->last < last ? (unsigned)((r->last - l->start) >> shift) + 1 : entries;
}

/* Whether the table at @table is new, or may have many places. */
static bool is_new(struct walk_ranges *r, uint64_t table)
{
	bool added = true;
	if (r->space.tree && !map_add(&r->seen, table, 0, &added))
		r->failed = true;
	return added;
}

/* Reads the table of @level at @table; false if that cannot be, with *ret saying so. */
static bool enter(struct walk_ranges *r, unsigned level, uint64_t table, uint64_t start,
		  const struct walk_rights *rights, struct walk_range *ret)
{
	struct level *l = &r->levels[level];
	unsigned entries = walk_table_entries(&r->space, level);
	l->table = table;
	l->start = start;
	l->rights = *rights;
	bound(r, level, l);
	bool fresh = is_new(r, table);
	struct err *e = NULL;
	if (fresh) {
		r->tables++;
		e = r->reader.read(r->reader.self, table, l->bytes,
				   (size_t)entries * walk_entry_bytes(&r->space));
	}
	if (fresh && !e) {
		r->depth = level;
		return true;
	}
	*ret = (struct walk_range){
		.kind = fresh ? RANGE_UNREADABLE : RANGE_REPEATED,
		.start = canonical(&r->space, start),
		.size = (uint64_t)entries << walk_level_shift(&r->space, level),
		.where = table,
		.why = e ? (int)err_code(e) : 0,
	};
	err_free(e);
	return false;
}

static bool same_rights(const struct walk_rights *a, const struct walk_rights *b)
{
	return a->readable == b->readable && a->writable == b->writable &&
	       a->executable == b->executable && a->user == b->user;
}

/* Whether @next goes on where @range ends, and then makes it longer. */
static bool extend(struct walk_range *range, const struct walk_range *next)
{
	if (range->kind != RANGE_MAPPED || next->kind != RANGE_MAPPED ||
	    range->start + range->size != next->start || range->pa + range->size != next->pa ||
	    range->page_size != next->page_size || range->tracked != next->tracked ||
	    !same_rights(&range->rights, &next->rights))
		return false;
	range->size += next->size;
	return true;
}

static uint64_t get_entry(const struct walk_ranges *r, const struct level *l, unsigned index)
{
	return walk_entry_bytes(&r->space) == 4 ? get_u32(l->bytes + 4 * index)
						: get_u64(l->bytes + 8 * index);
}

/* Looks at one entry. True when *ret is something new; descends into tables. */
static bool look(struct walk_ranges *r, unsigned *budget, struct walk_range *ret)
{
	unsigned level = r->depth;
	struct level *l = &r->levels[level];
	unsigned index = l->next++;
	unsigned shift = walk_level_shift(&r->space, level);
	uint64_t entry = get_entry(r, l, index), to = 0;
	uint64_t start = l->start + ((uint64_t)index << shift);
	struct walk_rights rights = l->rights;

	if (!entry)
		return false;
	enum walk_entry_kind kind = walk_entry(&r->space, level, entry, &to);
	if (kind == WALK_ABSENT)
		return false;
	if (kind == WALK_DAMAGED) {
		*ret = (struct walk_range){
			.kind = RANGE_DAMAGED,
			.start = canonical(&r->space, start),
			.size = UINT64_C(1) << shift,
			.where = l->table + (uint64_t)index * walk_entry_bytes(&r->space),
		};
		return true;
	}
	bool tracked = walk_is_tracked(&r->space, entry) && kind == WALK_PAGE;
	if ((r->space.format != WALK_PAE || level < 3) && !tracked)
		walk_restrict(&r->space, entry, &rights);
	if (kind == WALK_TABLE) {
		--*budget;
		return !enter(r, level - 1, to, start, &rights, ret);
	}
	*ret = (struct walk_range){
		.kind = RANGE_MAPPED,
		.start = canonical(&r->space, start),
		.size = UINT64_C(1) << shift,
		.pa = to,
		.page_size = UINT64_C(1) << shift,
		.rights = rights,
		.tracked = tracked,
	};
	return true;
}

static bool begin(struct walk_ranges *r, unsigned *budget, struct walk_range *ret)
{
	static const struct walk_rights all = { true, true, true, true };
	unsigned bits = walk_address_bits(&r->space);
	r->begun = true;
	if (r->first > r->last || r->first >> (bits - 1) > 1)
		return true;
	--*budget;
	return enter(r, walk_levels(&r->space), walk_root_table(&r->space), 0, &all, ret);
}

enum walk_ranges_state walk_ranges_next(struct walk_ranges *r, unsigned *budget,
					struct walk_range *ret)
{
	struct walk_range found;
	if (!r->begun && !begin(r, budget, &found)) {
		*ret = found;
		return RANGES_FOUND;
	}
	while (r->depth) {
		struct level *l = &r->levels[r->depth];
		if (l->next >= l->end) {
			r->depth = r->depth == walk_levels(&r->space) ? 0 : r->depth + 1;
			continue;
		}
		if (!r->space.tree && r->tables >= TABLES_MAX)
			return RANGES_TOO_MANY;
		if (r->failed)
			return RANGES_NOMEM;
		if (!*budget)
			return RANGES_PAUSED;
		if (!look(r, budget, &found))
			continue;
		if (r->is_open && extend(&r->open, &found))
			continue;
		bool complete = r->is_open;
		if (complete)
			*ret = r->open;
		r->open = found;
		r->is_open = true;
		if (complete)
			return RANGES_FOUND;
	}
	if (!r->is_open)
		return RANGES_END;
	r->is_open = false;
	*ret = r->open;
	return RANGES_FOUND;
}
