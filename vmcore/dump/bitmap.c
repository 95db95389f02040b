// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/dump/bitmap.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "vmcore/dump/file.h"

enum {
	WORD_BITS = 64,
	BLOCK = 4096, /* bytes that are counted together: of 128 MiB of memory */
	BLOCK_BITS = BLOCK * 8,
	BLOCK_WORDS = BLOCK / 8,
	GROUP = 8, /* words in a copy that are counted together: a cache line */
	GROUPS = BLOCK_WORDS / GROUP,
	COPIES = 1024, /* 4 MiB: the blocks of 128 GiB of memory */
	CHUNK = 64 * BLOCK,
};

struct bitmap_block {
	uint64_t number;
	uint64_t before; /* bits set before it */
};

struct bitmap_copy {
	uint64_t number;
	uint64_t words[BLOCK_WORDS]; /* as in the file, so little-endian */
	uint16_t before[GROUPS];     /* bits set before each group of words */
};

/* A word of which only the first @count bits (0..63) are set. */
static uint64_t low_bits(unsigned count)
{
	return (UINT64_C(1) << count) - 1;
}

static unsigned count_plainly(const uint64_t *words, size_t count)
{
	unsigned set = 0;
	for (size_t i = 0; i < count; i++)
		set += (unsigned)__builtin_popcountll(words[i]);
	return set;
}

#ifdef __x86_64__
/* The processors of the first years have no such instruction, so that compilers call a function. */
__attribute__((target("popcnt"))) static unsigned count_by_popcnt(const uint64_t *words,
								  size_t count)
{
	unsigned set = 0;
	for (size_t i = 0; i < count; i++)
		set += (unsigned)__builtin_popcountll(words[i]);
	return set;
}

static unsigned count_bits(const uint64_t *words, size_t count)
{
	return __builtin_cpu_supports("popcnt") ? count_by_popcnt(words, count)
						: count_plainly(words, count);
}
#else
static unsigned count_bits(const uint64_t *words, size_t count)
{
	return count_plainly(words, count);
}
#endif

/* The bytes of the bitmap's last block may be fewer. */
static size_t block_bytes(const struct bitmap *b, uint64_t number)
{
	uint64_t left = (b->bits + 7) / 8 - number * BLOCK;
	return left < BLOCK ? (size_t)left : BLOCK;
}

/* Clears what lies behind the last bit, or the last byte that was read of the block @number. */
static void clear_behind(const struct bitmap *b, uint64_t number, uint8_t *block)
{
	uint64_t first = number * BLOCK_BITS;
	if (b->bits - first >= BLOCK_BITS)
		return;
	unsigned bits = (unsigned)(b->bits - first);
	if (bits % 8)
		block[bits / 8] &= (uint8_t)low_bits(bits % 8);
	memset(block + (bits + 7) / 8, 0, BLOCK - (bits + 7) / 8);
}

static struct err *add_block(struct bitmap *b, uint64_t number)
{
	if (b->count == b->room) {
		size_t room = b->room ? 2 * b->room : 64;
		struct bitmap_block *blocks = realloc(b->blocks, room * sizeof(*blocks));
		if (!blocks)
			return err_nomem();
		b->blocks = blocks;
		b->room = room;
	}
	b->blocks[b->count++] = (struct bitmap_block){ number, b->set };
	return NULL;
}

/* Counts the @len bytes of the bitmap that begin with the block @number; @chunk has CHUNK bytes. */
static struct err *count_chunk(struct bitmap *b, uint64_t number, uint64_t *chunk, size_t len)
{
	struct err *e = dump_file_read(b->file, b->offset + number * BLOCK, chunk, len,
				       "the bitmap of pages");
	for (size_t at = 0; at < len && !e; at += BLOCK, number++) {
		uint64_t *block = chunk + at / sizeof(uint64_t);
		clear_behind(b, number, (uint8_t *)block);
		unsigned set = count_bits(block, BLOCK_WORDS);
		if (set > 0)
			e = add_block(b, number);
		b->set += set;
	}
	return e;
}

/* The first byte of a file's area of @len bytes from @offset on, at or behind @at (from its start),
 * that is in no hole; @len if there is none. */
static uint64_t next_data(const struct dump_file *f, uint64_t offset, uint64_t len, uint64_t at)
{
	uint64_t data = dump_file_next_data(f, offset + at) - offset;
	return data < len ? data : len;
}

struct err *bitmap_open(struct bitmap *b, const struct dump_file *file, uint64_t offset,
			uint64_t bits)
{
	*b = (struct bitmap){ .file = file, .offset = offset, .bits = bits };
	b->copies = calloc(COPIES, sizeof(struct bitmap_copy *));
	uint64_t *chunk = malloc(CHUNK);
	struct err *e = b->copies && chunk ? NULL : err_nomem();
	uint64_t bytes = (bits + 7) / 8;
	for (uint64_t at = 0; at < bytes && !e; at += CHUNK) {
		at = next_data(file, offset, bytes, at) / BLOCK * BLOCK;
		size_t len = bytes - at < CHUNK ? (size_t)(bytes - at) : CHUNK;
		if (len > 0)
			e = count_chunk(b, at / BLOCK, chunk, len);
	}
	free(chunk);
	return e;
}

void bitmap_free(struct bitmap *b)
{
	for (size_t i = 0; b->copies && i < COPIES; i++)
		free(b->copies[i]);
	free(b->copies);
	free(b->blocks);
	*b = (struct bitmap)BITMAP_INIT;
}

/* The first of the blocks with set bits whose number is not below @number. */
static size_t block_from(const struct bitmap *b, uint64_t number)
{
	size_t low = 0, high = b->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (b->blocks[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Bits set before the @n-th of the blocks; all of them, for the one behind the last. */
static uint64_t set_before(const struct bitmap *b, size_t n)
{
	return n < b->count ? b->blocks[n].before : b->set;
}

static bool is_full(const struct bitmap *b, size_t n)
{
	return set_before(b, n + 1) - b->blocks[n].before == BLOCK_BITS;
}

static struct err *fill_copy(const struct bitmap *b, uint64_t number, struct bitmap_copy *c)
{
	struct err *e = dump_file_read(b->file, b->offset + number * BLOCK, c->words,
				       block_bytes(b, number), "the bitmap of pages");
	if (e)
		return e;
	clear_behind(b, number, (uint8_t *)c->words);
	unsigned before = 0;
	for (unsigned i = 0; i < GROUPS; i++) {
		c->before[i] = (uint16_t)before;
		before += count_bits(c->words + (size_t)i * GROUP, GROUP);
	}
	c->number = number;
	return NULL;
}

/* A copy of the block @number, which stays until another is asked for. */
static struct err *copy_of(struct bitmap *b, uint64_t number, const struct bitmap_copy **ret)
{
	struct bitmap_copy *c = b->copies[number % COPIES];
	if (!c || c->number != number) {
		/* Nobody else has it while it is read. */
		b->copies[number % COPIES] = NULL;
		if (!c)
			c = malloc(sizeof(*c));
		struct err *e = c ? fill_copy(b, number, c) : err_nomem();
		if (e) {
			free(c);
			return e;
		}
		free(b->copies[number % COPIES]);
		b->copies[number % COPIES] = c;
	}
	*ret = c;
	return NULL;
}

static uint64_t word(const struct bitmap_copy *c, unsigned n)
{
	return le64toh(c->words[n]);
}

/* The number of set bits in @c before its bit @bit (below BLOCK_BITS). */
static unsigned rank_in(const struct bitmap_copy *c, unsigned bit)
{
	unsigned n = bit / WORD_BITS, group = n / GROUP;
	unsigned rank = c->before[group];
	for (unsigned i = group * GROUP; i < n; i++)
		rank += (unsigned)__builtin_popcountll(c->words[i]);
	return rank + (unsigned)__builtin_popcountll(word(c, n) & low_bits(bit % WORD_BITS));
}

struct err *bitmap_find(struct bitmap *b, uint64_t bit, bool *ret_set, uint64_t *ret_rank)
{
	size_t n = bit < b->bits ? block_from(b, bit / BLOCK_BITS) : b->count;
	unsigned within = bit % BLOCK_BITS;
	if (n == b->count || b->blocks[n].number != bit / BLOCK_BITS) {
		*ret_set = false;
		*ret_rank = set_before(b, n);
		return NULL;
	}
	if (is_full(b, n)) {
		*ret_set = true;
		*ret_rank = b->blocks[n].before + within;
		return NULL;
	}
	const struct bitmap_copy *c;
	struct err *e = copy_of(b, b->blocks[n].number, &c);
	if (e)
		return e;
	*ret_set = word(c, within / WORD_BITS) >> within % WORD_BITS & 1;
	*ret_rank = b->blocks[n].before + rank_in(c, within);
	return NULL;
}

/* The first set bit of @c at or behind its bit @bit; false if there is none. */
static bool next_in(const struct bitmap_copy *c, unsigned bit, unsigned *ret)
{
	unsigned n = bit / WORD_BITS;
	uint64_t w = word(c, n) & ~low_bits(bit % WORD_BITS);
	while (w == 0) {
		if (++n == BLOCK_WORDS)
			return false;
		w = word(c, n);
	}
	*ret = n * WORD_BITS + (unsigned)__builtin_ctzll(w);
	return true;
}

bool bitmap_next(struct bitmap *b, uint64_t bit, uint64_t *ret)
{
	if (bit >= b->bits)
		return false;
	for (size_t n = block_from(b, bit / BLOCK_BITS); n < b->count; n++) {
		uint64_t first = b->blocks[n].number * BLOCK_BITS;
		unsigned from = bit > first ? (unsigned)(bit - first) : 0;
		const struct bitmap_copy *c;
		struct err *e = is_full(b, n) ? NULL : copy_of(b, b->blocks[n].number, &c);
		bool certain = !is_full(b, n) && !e;
		err_free(e);
		if (certain && !next_in(c, from, &from))
			continue;
		*ret = first + from;
		return true;
	}
	return false;
}

struct err *bitmap_runs(struct bitmap *b, uint64_t *ret)
{
	uint64_t runs = 0, last_block = UINT64_MAX, last = 0; /* the bit before the word */
	for (size_t n = 0; n < b->count; n++) {
		const struct bitmap_copy *c;
		struct err *e = copy_of(b, b->blocks[n].number, &c);
		if (e)
			return e;
		if (c->number != last_block + 1)
			last = 0;
		last_block = c->number;
		for (unsigned i = 0; i < BLOCK_WORDS; i++) {
			/* bits that are set while the one below is not */
			uint64_t w = word(c, i);
			runs += (uint64_t)__builtin_popcountll(w & ~(w << 1 | last));
			last = w >> (WORD_BITS - 1);
		}
	}
	*ret = runs;
	return NULL;
}

struct err *bitmap_compare(const struct dump_file *a, uint64_t a_offset, const struct dump_file *b,
			   uint64_t b_offset, uint64_t len, bool *ret_same)
{
	uint8_t *buffer = malloc((size_t)2 * CHUNK);
	if (!buffer)
		return err_nomem();
	struct err *e = NULL;
	bool same = true;
	for (uint64_t at = 0; at < len && same; at += CHUNK) {
		uint64_t in_a = next_data(a, a_offset, len, at);
		uint64_t in_b = next_data(b, b_offset, len, at);
		at = in_a < in_b ? in_a : in_b;
		size_t n = len - at < CHUNK ? (size_t)(len - at) : CHUNK;
		e = dump_file_read(a, a_offset + at, buffer, n, "a bitmap");
		if (!e)
			e = dump_file_read(b, b_offset + at, buffer + n, n, "a bitmap");
		if (e)
			break;
		same = memcmp(buffer, buffer + n, n) == 0;
	}
	free(buffer);
	if (!e)
		*ret_same = same;
	return e;
}
