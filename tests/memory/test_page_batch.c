// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages that another thread decompresses: whoever of the two does a page, it is that page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/err.h"
#include "config.h"
#include "vmcore/dump/decompress.h"
#include "vmcore/dump/kdump.h"
#include "vmcore/dump/page_batch.h"
#include "vmcore/dump/reading.h"
#include "vmcore/memory/memory.h"

#ifdef HAVE_ZLIB
#include <zlib.h>

enum { FIRST = 1000, ROUNDS = 200, DAMAGED = 7, ABSENT = 11 };

struct helper {
	pthread_t thread;
	bool refuses, runs;
	void (*work)(void *closure);
	void *closure;
};

static void *help(void *closure)
{
	struct helper *h = closure;
	h->work(h->closure);
	return NULL;
}

static bool start(void *self, void (*work)(void *closure), void *closure)
{
	struct helper *h = self;
	h->work = work;
	h->closure = closure;
	h->runs = !h->refuses && !pthread_create(&h->thread, NULL, help, h);
	return h->runs;
}

static void fill(struct page_batch *b, unsigned round)
{
	page_batch_begin(b, FIRST);
	for (unsigned i = 0; i < PAGE_BATCH; i++) {
		uint8_t page[PAGE_SIZE], packed[2 * PAGE_SIZE];
		uLongf len = sizeof(packed);
		memset(page, (int)(i + round), sizeof(page));
		assert_int_equal(compress(packed, &len, page, sizeof(page)), Z_OK);
		if (i == DAMAGED)
			packed[0] ^= 0xff;
		if (i != ABSENT)
			page_batch_add(b, FIRST + i, KDUMP_ZLIB, packed, len);
	}
}

static void take_all(struct page_batch *b, struct decompressor *own, unsigned round)
{
	for (unsigned i = 0; i < PAGE_BATCH; i++) {
		uint8_t page[PAGE_SIZE];
		struct err *e = NULL;
		bool there = page_batch_take(b, FIRST + i, own, page, &e);
		assert_int_equal(there, i != ABSENT);
		assert_int_equal(e != NULL, i == DAMAGED);
		if (e)
			assert_int_equal(err_code(e), ERR_CORRUPT);
		err_free(e);
		for (size_t at = 0; there && i != DAMAGED && at < PAGE_SIZE; at += 500)
			assert_int_equal(page[at], (uint8_t)(i + round));
	}
}

static void test_batches(void **state)
{
	struct decompressor *own;
	struct page_batch *b;
	struct err *e;
	(void)state;
	assert_null(decompressor_new(&own));
	assert_null(page_batch_new(&b));
	assert_false(page_batch_take(b, FIRST, own, NULL, &e));
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct helper helper = { .refuses = round % 4 == 3 };
		const struct reading reading = { .self = &helper, .start = start };
		fill(b, round);
		page_batch_start(b, &reading);
		if (helper.runs && round % 2)
			pthread_join(helper.thread, NULL);
		take_all(b, own, round);
		assert_false(page_batch_take(b, FIRST - 1, own, NULL, &e));
		assert_false(page_batch_take(b, page_batch_end(b), own, NULL, &e));
		if (helper.runs && !(round % 2))
			pthread_join(helper.thread, NULL);
		assert_true(page_batch_is_idle(b));
		/* Once more, now that all of it is done. */
		take_all(b, own, round);
	}
	page_batch_free(b);
	decompressor_free(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_batches) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
	return 77;
}

#endif
