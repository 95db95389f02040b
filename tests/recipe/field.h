/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layouts of fixed structures as tables: what a member is called, where it is, how wide. */
#ifndef RECIPE_FIELD_H
#define RECIPE_FIELD_H

#include <stddef.h>
#include <stdint.h>

struct field {
	const char *name;
	uint16_t offset;
	uint8_t size; /* 1, 2, 4 or 8: little-endian number; else text */
};

#define FIELD_COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* NULL if there is no field @name. */
const struct field *field_find(const struct field *table, size_t count, const char *name);

/* Stores @value, cut to the field's width. */
void field_put(void *structure, const struct field *f, uint64_t value);

/* Stores @bytes, cut or filled up with zeros to the field's width. */
void field_put_bytes(void *structure, const struct field *f, const void *bytes, size_t len);

#endif
