/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * makedumpfile's flattened format (makedumpfile.h: struct makedumpfile_header and
 * makedumpfile_data_header): a dump as a stream of "write these bytes there" records.
 */
#ifndef RECIPE_FLATTEN_H
#define RECIPE_FLATTEN_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct err;

/*
 * Replaces @image by its flattened form. @record is the most bytes in one record; @reversed puts
 * the records in descending order of offset, as a reader must be able to take them.
 */
struct err *flatten_image(struct buf *image, uint64_t record, bool reversed);

#endif
