/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a .gdb_index of version 8 as GDB's manual describes it, and trusts nothing in it. */
#ifndef TESTS_IMAGE_INDEX_READER_H
#define TESTS_IMAGE_INDEX_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct index_reader {
	const char *bytes; /* borrowed */
	size_t size;
	uint32_t units, ranges, slots; /* how many there are */
	uint32_t unit_at, range_at, slot_at, pool_at;
	uint32_t names; /* slots in use */
};

/* NULL, or what is wrong: offsets out of order or bounds, a name that its own hash does not lead
 * to, a vector without elements or with a unit that is not there. */
const char *index_open(const char *bytes, size_t size, struct index_reader *ret);

/* Element @i of the vector of @name as in the file; 0 if there is no such name or element. */
uint32_t index_find(const struct index_reader *r, const char *name, uint32_t i);

#endif
