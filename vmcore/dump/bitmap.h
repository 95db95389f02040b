/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bitmap in a file, which tells how many bits are set before any of its bits. Bit n is bit n % 8
 * of byte n / 8, as in the bitmaps of kdump-compressed files.
 *
 * It stays in the file. Kept is a count for each 4 KiB of it that has set bits, and copies of those
 * that were asked for last: a machine whose memory begins far up, and a bitmap that is mostly a
 * hole, cost nothing.
 */
#ifndef VMCORE_DUMP_BITMAP_H
#define VMCORE_DUMP_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dump_file;
struct err;

struct bitmap_block;
struct bitmap_copy;

struct bitmap {
	const struct dump_file *file; /* borrowed */
	uint64_t offset;	      /* of its first byte in the file */
	uint64_t bits;		      /* how many it has */
	uint64_t set;		      /* how many of them are set */
	struct bitmap_block *blocks;  /* owned; those with set bits, in order */
	size_t count, room;	      /* of blocks; how many fit */
	struct bitmap_copy **copies;  /* owned; NULL, or of any block */
};

#define BITMAP_INIT \
	{           \
		0   \
	}

/*
 * Counts the bits of the bitmap of @bits bits at @offset in @file, which is borrowed and must
 * outlive it. Holes of the file are skipped. Errors: ERR_IO, ERR_NOMEM, ERR_FORMAT if the file ends
 * before it. @b is to be freed also after an error.
 */
__attribute__((warn_unused_result)) struct err *
bitmap_open(struct bitmap *b, const struct dump_file *file, uint64_t offset, uint64_t bits);
void bitmap_free(struct bitmap *b);

/*
 * Whether @bit is set (never behind the last one), and how many bits before it are. Errors, as the
 * file may have become another: ERR_IO, ERR_NOMEM, ERR_FORMAT.
 */
__attribute__((warn_unused_result)) struct err *bitmap_find(struct bitmap *b, uint64_t bit,
							    bool *ret_set, uint64_t *ret_rank);

/* The first set bit >= @bit; false if there is none. What cannot be read any more is taken for
 * set. */
bool bitmap_next(struct bitmap *b, uint64_t bit, uint64_t *ret);

/* How many runs of consecutive set bits there are: reads all that has set bits. Errors as above. */
__attribute__((warn_unused_result)) struct err *bitmap_runs(struct bitmap *b, uint64_t *ret);

/*
 * Whether the @len bytes of the file @a at @a_offset and those of @b at @b_offset are the same.
 * What is a hole in both is not read. Errors as above.
 */
__attribute__((warn_unused_result)) struct err *
bitmap_compare(const struct dump_file *a, uint64_t a_offset, const struct dump_file *b,
	       uint64_t b_offset, uint64_t len, bool *ret_same);

#endif
