/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One page, compressed as makedumpfile does it. */
#ifndef RECIPE_COMPRESS_H
#define RECIPE_COMPRESS_H

#include <stddef.h>

#include "tests/recipe/plan.h"

/*
 * Appends @page, compressed, to @out. ERR_UNSUPPORTED if the tool was built without the library.
 * COMPRESS_NONE is no method of compression and invalid here.
 */
struct err *compress_page(enum compression method, const void *page, size_t len, struct buf *out);

#endif
