/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hash map from names to 32-bit numbers (usually an index into an array of the owner's). Names
 * are borrowed and must outlive the map. They may come from a dump, so the hash is seeded at random
 * for each map: nobody can prepare names that all meet in one place.
 */
#ifndef BASE_NAME_MAP_H
#define BASE_NAME_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct name_slot;
struct name_entry;

struct name_map {
	struct name_slot *slots;    /* owned; NULL while empty */
	struct name_entry *entries; /* owned; in the order of addition, three for four slots */
	size_t capacity;	    /* of slots: a power of two, or 0 */
	size_t used;		    /* of entries */
	uint64_t seed;		    /* 0: not chosen yet */
};

#define NAME_MAP_INIT \
	{             \
		0     \
	}

void name_map_free(struct name_map *m);

/* Room for @count names in all, so that adding them moves nothing; false when memory is out. */
__attribute__((warn_unused_result)) bool name_map_reserve(struct name_map *m, size_t count);

/* The number of @name in *ret; false if it is not there. */
bool name_map_get(const struct name_map *m, const char *name, uint32_t *ret);

/* The @index-th name that was added, borrowed as it was, with its number in *ret; NULL behind the
 * last. */
const char *name_map_entry(const struct name_map *m, size_t index, uint32_t *ret);

/*
 * Where the number of @name is kept, to be read or changed until the next addition; it is added
 * with the number 0 if it was not there (*ret_added). NULL when memory is out.
 */
__attribute__((warn_unused_result)) uint32_t *name_map_at(struct name_map *m, const char *name,
							  bool *ret_added);

#endif
