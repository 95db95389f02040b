/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine's memory is divided into: its page array and its slab objects, found when they
 * are first asked for, and anew whenever the machine's epoch is another. */
#ifndef VMCORE_VMCORE_OBJECTS_H
#define VMCORE_VMCORE_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmcore/kernel/objects/page_map.h"

struct slab_object;
struct slabs;
struct vmcore;

struct vmcore_objects {
	bool tried;
	uint64_t epoch; /* of the machine, when they were found */
	bool has_pages;
	struct page_map pages;
	struct slabs *slabs; /* owned; NULL if they are not known */
	/* Why they are not, a sentence; NULL if they are. Owned. */
	char *why_pages, *why_slabs;
};

void vmcore_objects_free(struct vmcore_objects *o);

/* The page array, or NULL, with the reason in *ret_why (which may be NULL). Borrowed, until the
 * machine's epoch changes. */
const struct page_map *vmcore_pages(struct vmcore *h, const char **ret_why);
/* The same of slab objects. */
struct slabs *vmcore_slabs(struct vmcore *h, const char **ret_why);

/* As slabs_find(); false as well where slab objects are not known or memory is out. */
bool vmcore_slab_object(struct vmcore *h, uint64_t address, struct slab_object *ret);

#endif
