/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of vmcore/memory/: translations of virtual pages that were made last. They are as old as
 * the pages in the cache, and forgotten with them.
 */
#ifndef VMCORE_MEMORY_TRANSLATIONS_H
#define VMCORE_MEMORY_TRANSLATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "vmcore/memory/memory.h"

enum { TRANSLATIONS = 64 }; /* a power of two */

struct translation {
	struct vspace space; /* whose; the root is 0 if there is none */
	uint64_t page;	     /* virtual address of 4 KiB that were translated */
	uint64_t pa;	     /* where they are */
	uint64_t rest;	     /* of the mapping from there on, in bytes */
};

/* Of all that was translated; its entries may be replaced. */
struct translation *memory_translations(struct memory *m);

static inline struct translation *translation_of(struct memory *m, uint64_t va)
{
	uint64_t page = va >> PAGE_SHIFT;
	return &memory_translations(m)[(page ^ page >> 9) % TRANSLATIONS];
}

static inline bool translation_is_of(const struct translation *t, const struct vspace *space,
				     uint64_t va)
{
	return t->page == va >> PAGE_SHIFT << PAGE_SHIFT && t->space.root == space->root &&
	       t->space.levels == space->levels && t->space.c_mask == space->c_mask &&
	       t->space.process == space->process && t->space.root;
}

#endif
