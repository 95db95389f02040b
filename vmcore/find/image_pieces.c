// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/find/image_pieces.h"

#include <stdlib.h>

#include "arch/arch.h"
#include "base/err.h"
#include "vmcore/memory/memory.h"

enum { IMAGE_MAX = 128 << 20 /* the largest images have 60 MiB of text and data */ };

static void add(struct image_pieces *pieces, uint64_t at, uint64_t size, const struct vtop *where)
{
	struct image_piece *last = pieces->count ? &pieces->list[pieces->count - 1] : NULL;
	if (last && last->start + last->size == at && last->writable == where->writable &&
	    last->executable == where->executable)
		last->size += size;
	else if (pieces->count < IMAGE_PIECES_MAX)
		pieces->list[pieces->count++] =
			(struct image_piece){ at, size, where->writable, where->executable };
}

/* How many bytes are not there from @at on, which @where could not be followed for: all that its
 * last entry would map, or all of a table that cannot be read. */
static uint64_t hole_size(uint64_t at, const struct vtop *where)
{
	enum { INDEX_BITS = 9 };
	bool table =
		!where->step_count || where->steps[where->step_count - 1].level != where->level;
	unsigned below = where->level ? where->level - 1u + table : 0;
	uint64_t size = UINT64_C(1) << (PAGE_SHIFT + INDEX_BITS * below);
	return size - at % size;
}

/* Whether any page of the @size bytes at @pa is there: images are mapped by large pages, of which a
 * dump may have none. */
static bool is_there(const struct memory *memory, uint64_t pa, uint64_t size)
{
	uint64_t pfn;
	return memory_next_page(memory, pa / PAGE_SIZE, &pfn) && pfn * PAGE_SIZE < pa + size;
}

void image_pieces_find(const struct arch_map *map, struct memory *memory,
		       const struct vspace *space, uint64_t text, struct image_pieces *ret)
{
	ret->count = 0;
	text &= ~(uint64_t)(PAGE_SIZE - 1);
	for (uint64_t at = text; at >= text && at - text < IMAGE_MAX && at < map->modules;) {
		struct vtop where;
		struct err *e = memory_vtop(memory, space, at, &where);
		/* All that one entry maps, from here on. */
		uint64_t size = e ? hole_size(at, &where) : where.page_size - at % where.page_size;
		if (size > IMAGE_MAX - (at - text))
			size = IMAGE_MAX - (at - text);
		if (!e && is_there(memory, where.pa, size))
			add(ret, at, size, &where);
		err_free(e);
		at += size;
	}
}

struct err *image_piece_read(struct memory *memory, const struct vspace *space,
			     const struct image_piece *piece, uint8_t **ret)
{
	uint8_t *bytes = calloc(1, piece->size);
	if (!bytes)
		return err_nomem();
	for (uint64_t done = 0; done < piece->size;) {
		size_t got = 0;
		struct err *e = memory_read(memory, space, piece->start + done, bytes + done,
					    piece->size - done, &got);
		done += got;
		/* Whatever stands in the way is a page. */
		if (e || done < piece->size)
			done = (done / PAGE_SIZE + 1) * PAGE_SIZE;
		err_free(e);
	}
	*ret = bytes;
	return NULL;
}
