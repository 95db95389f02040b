// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/name_map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "base/map.h"

/* Small, for slots are what misses the caches; most wrong ones are known by their hash. */
struct name_slot {
	uint32_t hash;
	uint32_t entry; /* its index plus one; 0: free */
};

struct name_entry {
	const char *name; /* borrowed */
	uint32_t number;
};

void name_map_free(struct name_map *m)
{
	free(m->slots);
	free(m->entries);
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
	for (; m->slots[i].entry; i = (i + 1) & (m->capacity - 1))
		if (m->slots[i].hash == hash &&
		    !strcmp(m->entries[m->slots[i].entry - 1].name, name))
			break;
	return &m->slots[i];
}

static size_t entries_of(size_t capacity)
{
	return capacity / 4 * 3;
}

static bool resize(struct name_map *m, size_t capacity)
{
	struct name_entry *entries =
		reallocarray(m->entries, entries_of(capacity), sizeof(*entries));
	if (!entries)
		return false;
	m->entries = entries;
	struct name_slot *slots = calloc(capacity, sizeof(*slots));
	if (!slots)
		return false;
	for (size_t i = 0; i < m->capacity; i++) {
		if (!m->slots[i].entry)
			continue;
		size_t to = m->slots[i].hash & (capacity - 1);
		while (slots[to].entry)
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
	while (entries_of(capacity) < count) {
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
	if (!slot->entry)
		return false;
	*ret = m->entries[slot->entry - 1].number;
	return true;
}

/* Without entropy the map still works; it is merely predictable. */
static uint64_t choose_seed(void)
{
	uint64_t seed;
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = 0;
	return seed | 1;
}

uint32_t *name_map_at(struct name_map *m, const char *name, bool *ret_added)
{
	if (!m->seed)
		m->seed = choose_seed();
	if (m->used == entries_of(m->capacity) && !name_map_reserve(m, m->used + 1))
		return NULL;
	uint32_t hash = hash_name(m->seed, name);
	struct name_slot *slot = find_slot(m, name, hash);
	*ret_added = !slot->entry;
	if (!slot->entry) {
		m->entries[m->used] = (struct name_entry){ .name = name };
		*slot = (struct name_slot){ .hash = hash, .entry = (uint32_t)++m->used };
	}
	return &m->entries[slot->entry - 1].number;
}

const char *name_map_entry(const struct name_map *m, size_t index, uint32_t *ret)
{
	if (index >= m->used)
		return NULL;
	*ret = m->entries[index].number;
	return m->entries[index].name;
}
