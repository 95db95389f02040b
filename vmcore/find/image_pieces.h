/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's image in memory, piece by piece: what is mapped with the same rights, without what
 * cannot be read. */
#ifndef VMCORE_FIND_IMAGE_PIECES_H
#define VMCORE_FIND_IMAGE_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arch_map;
struct err;
struct memory;
struct vspace;

struct image_piece {
	uint64_t start, size; /* whole pages */
	bool writable, executable;
};

enum { IMAGE_PIECES_MAX = 64 };

struct image_pieces {
	struct image_piece list[IMAGE_PIECES_MAX]; /* by address */
	size_t count;
};

/*
 * Maps the image that begins at or near @text, by page tables alone: at most 128 MiB, and nothing
 * from where modules begin. Pieces beyond IMAGE_PIECES_MAX are left out.
 */
void image_pieces_find(const struct arch_map *map, struct memory *memory,
		       const struct vspace *space, uint64_t text, struct image_pieces *ret);

/* Reads all of @piece into *ret, owned by the caller. What cannot be read is zeros there, which is
 * good for searching what proves itself and for nothing else. ERR_NOMEM. */
__attribute__((warn_unused_result)) struct err *image_piece_read(struct memory *memory,
								 const struct vspace *space,
								 const struct image_piece *piece,
								 uint8_t **ret);

#endif
