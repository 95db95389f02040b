/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hash map from 64-bit keys to 64-bit values: open addressing, linear probing, at most three
 * quarters full. Values that are pointers stay their owner's.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot;

struct map {
	struct map_slot *slots; /* owned; NULL while empty */
	size_t capacity;	/* a power of two, or 0 */
	size_t used;
};

#define MAP_INIT  \
	{         \
		0 \
	}

void map_free(struct map *m);

/* The value of @key in *ret; false if there is none. */
bool map_get(const struct map *m, uint64_t key, uint64_t *ret);

/* Adds or replaces; false when memory is out. */
__attribute__((warn_unused_result)) bool map_put(struct map *m, uint64_t key, uint64_t value);

/*
 * Adds @key if it is not there yet; *ret_added says whether it was added. The guard of every walk
 * over a list that may be damaged. False when memory is out.
 */
__attribute__((warn_unused_result)) bool map_add(struct map *m, uint64_t key, uint64_t value,
						 bool *ret_added);

/* Removes @key; nothing happens if it is not there. */
void map_remove(struct map *m, uint64_t key);

/* A good mixing of the bits of @key, for other tables (the finaliser of SplitMix64). */
static inline uint64_t map_hash(uint64_t key)
{
	key ^= key >> 30;
	key *= UINT64_C(0xbf58476d1ce4e5b9);
	key ^= key >> 27;
	key *= UINT64_C(0x94d049bb133111eb);
	return key ^ key >> 31;
}

#endif
