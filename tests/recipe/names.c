// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/recipe/names.h"

#include <stdlib.h>
#include <string.h>

struct name_entry {
	char *name; /* owned */
	size_t len;
	uint64_t value;
	uint64_t older; /* index + 1 of the entry before it with the same hash, or 0 */
};

void names_init(struct names *n)
{
	*n = (struct names){ .by_hash = MAP_INIT };
}

void names_free(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->entries[i].name);
	free(n->entries);
	map_free(&n->by_hash);
	names_init(n);
}

/* FNV-1a, 64 bits. */
static uint64_t hash_name(const char *name, size_t len)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static struct name_entry *find(const struct names *n, const char *name, size_t len)
{
	uint64_t index;
	if (!map_get(&n->by_hash, hash_name(name, len), &index))
		return NULL;
	while (index) {
		struct name_entry *entry = &n->entries[index - 1];
		if (entry->len == len && !memcmp(entry->name, name, len))
			return entry;
		index = entry->older;
	}
	return NULL;
}

bool names_get(const struct names *n, const char *name, size_t len, uint64_t *ret)
{
	const struct name_entry *entry = find(n, name, len);
	if (!entry)
		return false;
	*ret = entry->value;
	return true;
}

bool names_put(struct names *n, const char *name, size_t len, uint64_t value, bool replace)
{
	struct name_entry *entry = find(n, name, len);
	if (entry) {
		if (replace)
			entry->value = value;
		return true;
	}
	if (n->count == n->capacity) {
		size_t capacity = n->capacity ? 2 * n->capacity : 64;
		struct name_entry *entries = realloc(n->entries, capacity * sizeof(*entries));
		if (!entries)
			return false;
		n->entries = entries;
		n->capacity = capacity;
	}
	char *copy = strndup(name, len);
	if (!copy)
		return false;
	uint64_t hash = hash_name(name, len), older = 0;
	map_get(&n->by_hash, hash, &older);
	if (!map_put(&n->by_hash, hash, n->count + 1)) {
		free(copy);
		return false;
	}
	n->entries[n->count++] = (struct name_entry){ copy, len, value, older };
	return true;
}
