// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/image/index_reader.h"

#include <ctype.h>
#include <string.h>

#include "base/bytes.h"

enum { HEADER = 24, UNIT = 16, RANGE = 20, SLOT = 8 };

static uint32_t word(const struct index_reader *r, size_t at)
{
	return get_u32(r->bytes + at);
}

/* The name of a slot, or NULL if it does not end in the section. */
static const char *name_of(const struct index_reader *r, uint32_t slot)
{
	size_t at = (size_t)r->pool_at + word(r, r->slot_at + (size_t)slot * SLOT);
	return at < r->size && memchr(r->bytes + at, 0, r->size - at) ? r->bytes + at : NULL;
}

static bool is_free(const struct index_reader *r, uint32_t slot)
{
	size_t at = r->slot_at + (size_t)slot * SLOT;
	return !word(r, at) && !word(r, at + 4);
}

/* The slot of @name, or r->slots. */
static uint32_t look_up(const struct index_reader *r, const char *name)
{
	uint32_t hash = 0;
	for (const char *p = name; *p; p++)
		hash = hash * 67 + (unsigned)tolower((unsigned char)*p) - 113;
	uint32_t at = hash % r->slots, step = (hash * 17 % r->slots) | 1;
	for (; !is_free(r, at); at = (at + step) % r->slots)
		if (!strcmp(name_of(r, at), name))
			return at;
	return r->slots;
}

static const char *check_vector(const struct index_reader *r, uint32_t slot)
{
	size_t at = (size_t)r->pool_at + word(r, r->slot_at + (size_t)slot * SLOT + 4);
	if (at % 4 || at + 4 > r->size)
		return "a vector's place";
	uint32_t count = word(r, at);
	if (!count || count > (r->size - at - 4) / 4)
		return "a vector's length";
	for (uint32_t i = 1; i <= count; i++) {
		uint32_t value = word(r, at + (size_t)i * 4), kind = value >> 28 & 7;
		if ((value & 0xffffff) >= r->units || value >> 24 & 0xf || !kind || kind > 3)
			return "an element of a vector";
	}
	return NULL;
}

static const char *check_symbols(struct index_reader *r)
{
	for (uint32_t i = 0; i < r->slots; i++) {
		if (is_free(r, i))
			continue;
		if (!name_of(r, i))
			return "a name";
		const char *wrong = check_vector(r, i);
		if (wrong)
			return wrong;
		r->names++;
	}
	if (r->names == r->slots)
		return "no free slot";
	for (uint32_t i = 0; i < r->slots; i++)
		if (!is_free(r, i) && look_up(r, name_of(r, i)) != i)
			return "a name in a slot where nobody looks for it";
	return NULL;
}

static const char *check_ranges(const struct index_reader *r)
{
	for (uint32_t i = 0; i < r->ranges; i++) {
		size_t at = r->range_at + (size_t)i * RANGE;
		if (get_u64(r->bytes + at) >= get_u64(r->bytes + at + 8) ||
		    word(r, at + 16) >= r->units)
			return "a range";
	}
	return NULL;
}

const char *index_open(const char *bytes, size_t size, struct index_reader *ret)
{
	struct index_reader r = { .bytes = bytes, .size = size };
	if (size < HEADER || word(&r, 0) != 8)
		return "the header";
	r.unit_at = word(&r, 4);
	r.range_at = word(&r, 12);
	r.slot_at = word(&r, 16);
	r.pool_at = word(&r, 20);
	if (r.unit_at != HEADER || r.unit_at > r.range_at || word(&r, 8) != r.range_at ||
	    r.range_at > r.slot_at || r.slot_at > r.pool_at || r.pool_at > size || r.pool_at % 4)
		return "the order of the areas";
	r.units = (r.range_at - r.unit_at) / UNIT;
	r.ranges = (r.slot_at - r.range_at) / RANGE;
	r.slots = (r.pool_at - r.slot_at) / SLOT;
	if (!r.slots || r.slots & (r.slots - 1) || r.slots * SLOT != r.pool_at - r.slot_at)
		return "the size of the symbol table";
	const char *wrong = check_symbols(&r);
	if (!wrong)
		wrong = check_ranges(&r);
	if (!wrong)
		*ret = r;
	return wrong;
}

uint32_t index_find(const struct index_reader *r, const char *name, uint32_t i)
{
	uint32_t slot = look_up(r, name);
	if (slot == r->slots)
		return 0;
	size_t at = (size_t)r->pool_at + word(r, r->slot_at + (size_t)slot * SLOT + 4);
	return i < word(r, at) ? word(r, at + 4 + (size_t)i * 4) : 0;
}
