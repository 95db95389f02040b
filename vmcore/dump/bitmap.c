// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/dump/bitmap.h"

#include <endian.h>
#include <stdlib.h>

/* A rank for every 8 words, a cache line: an eighth of the bitmap's own size. */
enum { WORD_BITS = 64, GROUP = 8 };

static uint64_t word_count(uint64_t bits)
{
	return (bits + WORD_BITS - 1) / WORD_BITS;
}

bool bitmap_alloc(struct bitmap *b, uint64_t bits)
{
	uint64_t words = word_count(bits);
	*b = (struct bitmap){
		.words = calloc(words + 1, sizeof(uint64_t)),
		.ranks = calloc(words / GROUP + 1, sizeof(uint64_t)),
		.bits = bits,
	};
	if (b->words && b->ranks)
		return true;
	bitmap_free(b);
	return false;
}

void bitmap_free(struct bitmap *b)
{
	free(b->words);
	free(b->ranks);
	*b = (struct bitmap){ 0 };
}

static uint64_t word(const struct bitmap *b, uint64_t n)
{
	return le64toh(b->words[n]);
}

/* A word of which only the first @count bits (0..63) are set. */
static uint64_t low_bits(unsigned count)
{
	return (UINT64_C(1) << count) - 1;
}

void bitmap_index(struct bitmap *b)
{
	uint64_t words = word_count(b->bits);
	if (b->bits % WORD_BITS)
		b->words[words - 1] &= htole64(low_bits(b->bits % WORD_BITS));
	uint64_t last = 0; /* the bit before the word */
	for (uint64_t i = 0; i < words; i++) {
		if (i % GROUP == 0)
			b->ranks[i / GROUP] = b->set;
		uint64_t w = word(b, i);
		b->set += (uint64_t)__builtin_popcountll(w);
		/* bits that are set while the one below is not */
		b->runs += (uint64_t)__builtin_popcountll(w & ~(w << 1 | last));
		last = w >> 63;
	}
	if (words % GROUP == 0)
		b->ranks[words / GROUP] = b->set;
}

bool bitmap_test(const struct bitmap *b, uint64_t bit)
{
	return bit < b->bits && word(b, bit / WORD_BITS) >> bit % WORD_BITS & 1;
}

uint64_t bitmap_rank(const struct bitmap *b, uint64_t bit)
{
	uint64_t n = bit / WORD_BITS;
	uint64_t rank = b->ranks[n / GROUP];
	for (uint64_t i = n / GROUP * GROUP; i < n; i++)
		rank += (uint64_t)__builtin_popcountll(word(b, i));
	/* There is a word more than there are bits for, so n is always one. */
	return rank + (uint64_t)__builtin_popcountll(word(b, n) & low_bits(bit % WORD_BITS));
}

bool bitmap_next(const struct bitmap *b, uint64_t bit, uint64_t *ret)
{
	if (bit >= b->bits)
		return false;
	uint64_t n = bit / WORD_BITS;
	uint64_t w = word(b, n) & ~low_bits(bit % WORD_BITS);
	for (uint64_t words = word_count(b->bits); w == 0; w = word(b, n)) {
		if (++n == words)
			return false;
	}
	*ret = n * WORD_BITS + (uint64_t)__builtin_ctzll(w);
	return true;
}
