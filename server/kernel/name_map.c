// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/kernel/name_map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "base/map.h"

/* Sixteen bytes, so that a cache line holds four. */
struct name_slot {
	const char *name; /* NULL: free */
	uint32_t hash;	  /* spares most comparisons, and reading the names when growing */
	uint32_t number;
};

void name_map_free(struct name_map *m)
{
	free(m->slots);
	*m = (struct name_map)NAME_MAP_INIT;
}

static uint32_t hash_name(uint64_t seed, const char *name)
{
	size_t len = strlen(name);
	uint64_t h = seed ^ len;
	for (; len >= 8; name += 8, len -= 8)
		h = map_hash(h ^ get_u64(name));
	uint64_t rest = 0;
	memcpy(&rest, name, len);
	return (uint32_t)map_hash(h ^ rest);
}

/* The slot of @name, or the free one where it would go. There is always a free one. */
static struct name_slot *find_slot(const struct name_map *m, const char *name, uint32_t hash)
{
	size_t i = hash & (m->capacity - 1);
	for (; m->slots[i].name; i = (i + 1) & (m->capacity - 1))
		if (m->slots[i].hash == hash && !strcmp(m->slots[i].name, name))
			break;
	return &m->slots[i];
}

static bool resize(struct name_map *m, size_t capacity)
{
	struct name_slot *slots = calloc(capacity, sizeof(*slots));
	if (!slots)
		return false;
	for (size_t i = 0; i < m->capacity; i++) {
		if (!m->slots[i].name)
			continue;
		size_t to = m->slots[i].hash & (capacity - 1);
		while (slots[to].name)
			to = (to + 1) & (capacity - 1);
		slots[to] = m->slots[i];
	}
	free(m->slots);
	m->slots = slots;
	m->capacity = capacity;
	return true;
}

bool name_map_reserve(struct name_map *m, size_t count)
{
	size_t capacity = 16;
	/* The hash has 32 bits; beyond that all of them would crowd at the front. */
	while (capacity / 4 * 3 <= count) {
		if (capacity > UINT32_MAX)
			return false;
		capacity *= 2;
	}
	return capacity <= m->capacity || resize(m, capacity);
}

bool name_map_get(const struct name_map *m, const char *name, uint32_t *ret)
{
	if (!m->used)
		return false;
	const struct name_slot *slot = find_slot(m, name, hash_name(m->seed, name));
	if (!slot->name)
		return false;
	*ret = slot->number;
	return true;
}

uint32_t *name_map_at(struct name_map *m, const char *name, bool *ret_added)
{
	if (!m->seed) {
		/* Without entropy the map still works; it is merely predictable. */
		if (getrandom(&m->seed, sizeof(m->seed), GRND_NONBLOCK) != sizeof(m->seed))
			m->seed = 0;
		m->seed |= 1;
	}
	if (!name_map_reserve(m, m->used + 1))
		return NULL;
	uint32_t hash = hash_name(m->seed, name);
	struct name_slot *slot = find_slot(m, name, hash);
	*ret_added = !slot->name;
	if (!slot->name) {
		*slot = (struct name_slot){ .name = name, .hash = hash };
		m->used++;
	}
	return &slot->number;
}
