/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a kdump-compressed file as makedumpfile does (its diskdump_mod.h has the structures). */
#ifndef RECIPE_KDUMPFILE_H
#define RECIPE_KDUMPFILE_H

#include <stdint.h>

#include "tests/recipe/field.h"

struct buf;
struct err;
struct recipe;

/* Appends piece @piece (1..plan.pieces) to the empty @out. */
struct err *kdumpfile_make(const struct recipe *r, unsigned int piece, struct buf *out);

/*
 * Finds a header field of the finished @image: of struct disk_dump_header by name, of struct
 * kdump_sub_header as `sub.NAME`, or `page.NAME` of the page descriptor for the physical address
 * @index.
 */
struct err *kdumpfile_field(struct buf *image, const char *name, uint64_t index,
			    const struct field **ret_field, void **ret_structure);

/* Makes the stored bytes of the page at physical @addr undecodable. */
struct err *kdumpfile_corrupt(struct buf *image, uint64_t addr);

#endif
