/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compressed pages that lie one behind the other, and that another thread decompresses before they
 * are asked for. It begins with the last of them, and who asks does what it has not come to: both
 * meet somewhere, and neither waits for the other.
 */
#ifndef VMCORE_DUMP_PAGE_BATCH_H
#define VMCORE_DUMP_PAGE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct decompressor;
struct err;
struct page_batch;
struct reading;

enum { PAGE_BATCH = 32 }; /* pages in one */

__attribute__((warn_unused_result)) struct err *page_batch_new(struct page_batch **ret);
/* No thread works on it any more. NULL is allowed. */
void page_batch_free(struct page_batch *b);

/* Whether no thread works on it: it may be filled anew. */
bool page_batch_is_idle(const struct page_batch *b);
/* Empties it, and makes it one of page frames from @pfn on, PAGE_BATCH of them. */
void page_batch_begin(struct page_batch *b, uint64_t pfn);
/* The compressed form of page frame @pfn, copied. One that is too large is left out. */
void page_batch_add(struct page_batch *b, uint64_t pfn, uint32_t flags, const void *in, size_t len);
/* Has it decompressed by a thread of @r's. */
void page_batch_start(struct page_batch *b, const struct reading *r);

/* Its first page frame, and the one behind the last. */
uint64_t page_batch_first(const struct page_batch *b);
uint64_t page_batch_end(const struct page_batch *b);

/* False if it does not have @pfn. Else @page is the page, or *ret_error why it is none; what is not
 * done yet is done by @own. */
bool page_batch_take(struct page_batch *b, uint64_t pfn, struct decompressor *own, void *page,
		     struct err **ret_error);

#endif
