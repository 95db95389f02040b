// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/map.h"

#include <stdlib.h>

struct map_slot {
	uint64_t key, value;
	bool taken;
};

void map_free(struct map *m)
{
	free(m->slots);
	*m = (struct map)MAP_INIT;
}

/* The slot of @key, or the free one where it would go. There is always a free one. */
static size_t find_slot(const struct map *m, uint64_t key)
{
	size_t i = (size_t)map_hash(key) & (m->capacity - 1);
	while (m->slots[i].taken && m->slots[i].key != key)
		i = (i + 1) & (m->capacity - 1);
	return i;
}

bool map_get(const struct map *m, uint64_t key, uint64_t *ret)
{
	if (!m->used)
		return false;
	size_t i = find_slot(m, key);
	if (!m->slots[i].taken)
		return false;
	*ret = m->slots[i].value;
	return true;
}

static bool grow(struct map *m)
{
	struct map bigger = { .capacity = m->capacity ? 2 * m->capacity : 16, .used = m->used };
	bigger.slots = calloc(bigger.capacity, sizeof(*bigger.slots));
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < m->capacity; i++)
		if (m->slots[i].taken)
			bigger.slots[find_slot(&bigger, m->slots[i].key)] = m->slots[i];
	free(m->slots);
	*m = bigger;
	return true;
}

/* The slot for @key, taken now if it was free (*ret_added); NULL when memory is out. */
static struct map_slot *take_slot(struct map *m, uint64_t key, bool *ret_added)
{
	if (m->used >= m->capacity / 4 * 3 && !grow(m))
		return NULL;
	struct map_slot *slot = &m->slots[find_slot(m, key)];
	*ret_added = !slot->taken;
	if (!slot->taken) {
		slot->taken = true;
		slot->key = key;
		m->used++;
	}
	return slot;
}

bool map_put(struct map *m, uint64_t key, uint64_t value)
{
	bool added;
	struct map_slot *slot = take_slot(m, key, &added);
	if (!slot)
		return false;
	slot->value = value;
	return true;
}

bool map_add(struct map *m, uint64_t key, uint64_t value, bool *ret_added)
{
	struct map_slot *slot = take_slot(m, key, ret_added);
	if (!slot)
		return false;
	if (*ret_added)
		slot->value = value;
	return true;
}

void map_remove(struct map *m, uint64_t key)
{
	if (!m->used)
		return;
	size_t hole = find_slot(m, key);
	if (!m->slots[hole].taken)
		return;
	m->used--;
	/* Move back whatever would no longer be found across the hole. */
	for (size_t i = hole;;) {
		m->slots[hole].taken = false;
		for (;;) {
			i = (i + 1) & (m->capacity - 1);
			if (!m->slots[i].taken)
				return;
			size_t home = (size_t)map_hash(m->slots[i].key) & (m->capacity - 1);
			bool reachable =
				hole <= i ? home > hole && home <= i : home > hole || home <= i;
			if (!reachable)
				break;
		}
		m->slots[hole] = m->slots[i];
		hole = i;
	}
}
