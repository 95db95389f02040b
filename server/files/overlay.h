/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes that stand in for those of a file when it is served: the file itself is not touched. What
 * lies behind the file's end makes it longer; a gap in between reads as zeros.
 */
#ifndef SERVER_FILES_OVERLAY_H
#define SERVER_FILES_OVERLAY_H

#include <stddef.h>
#include <stdint.h>

struct err;

struct overlay_patch {
	uint64_t offset;
	unsigned char *bytes; /* owned */
	size_t len;	      /* 1 or more */
};

struct overlay {
	struct overlay_patch *list; /* owned; by offset, and apart from each other */
	size_t count;
};

#define OVERLAY_INIT \
	{            \
		0    \
	}

void overlay_free(struct overlay *o);

/* Puts a copy of @len (1 or more) @bytes at @offset. ERR_INVALID when that is within another
 * patch, or past the end of all files. */
__attribute__((warn_unused_result)) struct err *overlay_add(struct overlay *o, uint64_t offset,
							    const void *bytes, size_t len);

/* Moves the patches of @more to @o: all, and then @more is empty, or none. Errors as above. */
__attribute__((warn_unused_result)) struct err *overlay_move(struct overlay *o,
							     struct overlay *more);

/* Where the last patch ends; 0 if there is none. */
uint64_t overlay_end(const struct overlay *o);

/* Replaces what is patched of the @len bytes at @data, which lie at @offset of the file. */
void overlay_apply(const struct overlay *o, uint64_t offset, void *data, size_t len);

#endif
