/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the files that a recipe's plan asks for, damage included. */
#ifndef RECIPE_OUTPUT_H
#define RECIPE_OUTPUT_H

#include <stdbool.h>

struct buf;
struct err;
struct recipe;

/*
 * Appends piece @piece (1..plan.pieces) of the dump to the empty @out. *ret_dropped: the plan wants
 * this piece missing; @out stays empty then.
 */
struct err *output_make(const struct recipe *r, unsigned int piece, struct buf *out,
			bool *ret_dropped);

/* Writes @path, or @path.1, @path.2, ... for a split dump. A dropped piece's file is removed. */
struct err *output_write(const struct recipe *r, const char *path);

#endif
