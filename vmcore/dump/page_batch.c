// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/dump/page_batch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "vmcore/dump/decompress.h"
#include "vmcore/dump/reading.h"
#include "vmcore/memory/memory.h"

/* Whoever changes TODO decompresses it; done and bad say that @out is the page, or cannot be. */
enum state { NOT_THERE, TODO, TAKEN, DONE, BAD };

struct item {
	uint32_t flags;
	uint16_t len; /* of raw */
	_Atomic enum state state;
};

struct page_batch {
	uint64_t first; /* UINT64_MAX while there is none */
	atomic_bool working;
	struct decompressor *unpack; /* owned; the thread's */
	struct item items[PAGE_BATCH];
	uint8_t raw[PAGE_BATCH][PAGE_SIZE];
	uint8_t out[PAGE_BATCH][PAGE_SIZE];
};

struct err *page_batch_new(struct page_batch **ret)
{
	struct page_batch *b = calloc(1, sizeof(*b));
	if (!b)
		return err_nomem();
	struct err *e = decompressor_new(&b->unpack);
	if (e) {
		free(b);
		return e;
	}
	b->first = UINT64_MAX;
	*ret = b;
	return NULL;
}

void page_batch_free(struct page_batch *b)
{
	if (!b)
		return;
	decompressor_free(b->unpack);
	free(b);
}

bool page_batch_is_idle(const struct page_batch *b)
{
	return !atomic_load(&b->working);
}

void page_batch_begin(struct page_batch *b, uint64_t pfn)
{
	b->first = pfn;
	for (size_t i = 0; i < PAGE_BATCH; i++)
		atomic_store(&b->items[i].state, NOT_THERE);
}

void page_batch_add(struct page_batch *b, uint64_t pfn, uint32_t flags, const void *in, size_t len)
{
	struct item *item = &b->items[pfn - b->first];
	if (len > PAGE_SIZE)
		return;
	memcpy(b->raw[pfn - b->first], in, len);
	item->flags = flags;
	item->len = (uint16_t)len;
	atomic_store(&item->state, TODO);
}

static bool claim(struct item *item)
{
	enum state expected = TODO;
	return atomic_compare_exchange_strong(&item->state, &expected, TAKEN);
}

/* By another thread. */
static void work(void *closure)
{
	struct page_batch *b = closure;
	for (size_t i = PAGE_BATCH; i-- > 0;) {
		struct item *item = &b->items[i];
		if (!claim(item))
			continue;
		struct err *e =
			decompress_page(b->unpack, item->flags, b->raw[i], item->len, b->out[i]);
		atomic_store(&item->state, e ? BAD : DONE);
		err_free(e);
	}
	atomic_store(&b->working, false);
}

void page_batch_start(struct page_batch *b, const struct reading *r)
{
	atomic_store(&b->working, true);
	if (!r->start(r->self, work, b))
		atomic_store(&b->working, false);
}

uint64_t page_batch_first(const struct page_batch *b)
{
	return b->first;
}

uint64_t page_batch_end(const struct page_batch *b)
{
	return b->first + PAGE_BATCH;
}

bool page_batch_take(struct page_batch *b, uint64_t pfn, struct decompressor *own, void *page,
		     struct err **ret_error)
{
	if (pfn < b->first || pfn - b->first >= PAGE_BATCH)
		return false;
	size_t i = (size_t)(pfn - b->first);
	struct item *item = &b->items[i];
	enum state state = atomic_load(&item->state);
	if (state == NOT_THERE)
		return false;
	*ret_error = NULL;
	if (state == DONE) {
		memcpy(page, b->out[i], PAGE_SIZE);
		return true;
	}
	/* What the thread is at is done here, too: that takes no longer than to wait for it. */
	claim(item);
	*ret_error = decompress_page(own, item->flags, b->raw[i], item->len, page);
	return true;
}
