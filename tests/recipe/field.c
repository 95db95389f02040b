// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/recipe/field.h"

#include <string.h>

const struct field *field_find(const struct field *table, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

void field_put(void *structure, const struct field *f, uint64_t value)
{
	uint8_t *to = (uint8_t *)structure + f->offset;
	for (size_t i = 0; i < f->size && i < sizeof(value); i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

void field_put_bytes(void *structure, const struct field *f, const void *bytes, size_t len)
{
	uint8_t *to = (uint8_t *)structure + f->offset;
	size_t n = len < f->size ? len : f->size;
	memset(to, 0, f->size);
	memcpy(to, bytes, n);
}
