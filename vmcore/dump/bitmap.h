/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bitmap that knows how many bits are set before any of its bits. Bit n is bit n % 8 of byte
 * n / 8, as in the bitmaps of kdump-compressed files.
 */
#ifndef VMCORE_DUMP_BITMAP_H
#define VMCORE_DUMP_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bitmap {
	uint64_t *words; /* owned; as in the file, so little-endian */
	uint64_t *ranks; /* owned; bits set before each group of words */
	uint64_t bits;	 /* how many it has */
	uint64_t set;	 /* how many of them are set */
	uint64_t runs;	 /* of consecutive set bits */
};

/* Allocates room for @bits bits, to be filled through words; false when memory is out. */
bool bitmap_alloc(struct bitmap *b, uint64_t bits);
void bitmap_free(struct bitmap *b);

/* Counts, once the words are there. Bits behind the last are cleared. */
void bitmap_index(struct bitmap *b);

/* False for bits that it does not have. */
bool bitmap_test(const struct bitmap *b, uint64_t bit);

/* The number of set bits before @bit (at most bits). */
uint64_t bitmap_rank(const struct bitmap *b, uint64_t bit);

/* The first set bit >= @bit; false if there is none. */
bool bitmap_next(const struct bitmap *b, uint64_t bit, uint64_t *ret);

#endif
