/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of kdump-compressed files, decompressed by the libraries that configure found. Which method
 * a page has is told by the flags of its descriptor (enum in kdump.h).
 */
#ifndef VMCORE_DUMP_DECOMPRESS_H
#define VMCORE_DUMP_DECOMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct decompressor;

/* What the methods work with, kept from page to page. For one thread. ERR_NOMEM. */
__attribute__((warn_unused_result)) struct err *decompressor_new(struct decompressor **ret);
void decompressor_free(struct decompressor *d);

/* The method that @flags say, as users know it; "none" if they say none. */
const char *decompress_method(uint32_t flags);

/* Whether this program was built with the library for the pages of @flags. */
bool decompress_can(uint32_t flags);

/*
 * Makes the page of PAGE_SIZE bytes of the @len bytes at @in, by a method that it can. ERR_CORRUPT
 * when they are no such page; what is in @page then is undefined.
 */
__attribute__((warn_unused_result)) struct err *
decompress_page(struct decompressor *d, uint32_t flags, const void *in, size_t len, void *page);

#endif
