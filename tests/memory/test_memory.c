// SPDX-License-Identifier: GPL-2.0-or-later
/* The page cache, over a source whose pages are made up and whose calls are counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/err.h"
#include "tests/memory/fakefile.h"
#include "vmcore/memory/memory.h"

enum { PAGES = 64, HOLE = 40, EXCLUDED = 41, CORRUPT = 42, PARTIAL = 43, BROKEN = 44 };

/* The last page of 64 bits is there too. */
static const uint64_t top = UINT64_MAX >> PAGE_SHIFT;

struct source {
	struct page_source ops;
	unsigned calls, runs;
	unsigned calls_of[PAGES];
};

/* The byte at physical address @pa. */
static uint8_t byte_at(uint64_t pa)
{
	return (uint8_t)(pa * 7 + (pa >> PAGE_SHIFT) * 13);
}

static struct err *read_page(void *self, uint64_t pfn, void *page, uint16_t *ret_from,
			     uint16_t *ret_to)
{
	struct source *s = self;
	s->calls++;
	if (pfn >= PAGES && pfn != top)
		return err_new(ERR_MISSING, "not there");
	if (pfn < PAGES)
		s->calls_of[pfn]++;
	if (pfn == HOLE)
		return err_new(ERR_MISSING, "not there");
	if (pfn == EXCLUDED)
		return err_new(ERR_EXCLUDED, "excluded");
	if (pfn == CORRUPT)
		return err_new(ERR_CORRUPT, "corrupt");
	if (pfn == BROKEN)
		return err_new(ERR_IO, "the disk is on fire");
	for (unsigned i = 0; i < PAGE_SIZE; i++)
		((uint8_t *)page)[i] = byte_at((pfn << PAGE_SHIFT) + i);
	*ret_from = pfn == PARTIAL ? 0x100 : 0;
	*ret_to = pfn == PARTIAL ? 0xc00 : PAGE_SIZE;
	return NULL;
}

static bool next_page(void *self, uint64_t pfn, uint64_t *ret_pfn)
{
	(void)self;
	*ret_pfn = pfn;
	return pfn < PAGES;
}

static struct memory *open_memory(struct source *s, size_t pages)
{
	*s = (struct source){ .ops = {
				      .self = s, .read_page = read_page, .next_page = next_page } };
	struct memory *m;
	assert_ok(memory_new(&s->ops, pages * PAGE_SIZE, &m));
	return m;
}

static void assert_reads(struct memory *m, uint64_t pa, size_t len, size_t expected)
{
	static uint8_t out[PAGES * PAGE_SIZE];
	size_t done = 77;
	assert_ok(memory_read_phys(m, pa, out, len, &done));
	assert_int_equal(done, expected);
	for (size_t i = 0; i < done; i++)
		assert_int_equal(out[i], byte_at(pa + i));
}

static void test_reads(void **state)
{
	(void)state;
	struct source s;
	struct memory *m = open_memory(&s, 16);
	assert_reads(m, 0, 1, 1);
	assert_reads(m, 0xfff, 2, 2);
	assert_reads(m, 0x1ff8, 8, 8);
	assert_reads(m, 0x3123, 0, 0);
	assert_reads(m, 0x3123, 0x5432, 0x5432);
	/* larger than the cache */
	assert_reads(m, 5, 0x20000, 0x20000);
	memory_free(m);
}

/* Up to the first page that is not whole. */
static size_t read_pages(void *self, uint64_t pfn, size_t count, void *pages)
{
	struct source *s = self;
	size_t done = 0;
	s->runs++;
	for (; done < count && pfn + done < HOLE; done++) {
		uint64_t pa = (pfn + done) << PAGE_SHIFT;
		for (unsigned i = 0; i < PAGE_SIZE; i++)
			((uint8_t *)pages)[done * PAGE_SIZE + i] = byte_at(pa + i);
	}
	return done;
}

static void test_runs(void **state)
{
	(void)state;
	struct source s;
	struct memory *m = open_memory(&s, 64);
	s.ops.read_pages = read_pages;
	/* Whole pages in one go, what is left at both ends by itself. */
	assert_reads(m, 0x1800, 0x5000, 0x5000);
	assert_int_equal(s.runs, 1);
	assert_int_equal(s.calls, 2);
	/* What is asked for again is kept: the third time nothing is read. */
	assert_reads(m, 0x2000, 0x4000, 0x4000);
	unsigned runs = s.runs, calls = s.calls;
	assert_reads(m, 0x2000, 0x4000, 0x4000);
	assert_int_equal(s.runs, runs);
	assert_int_equal(s.calls, calls);
	/* One page is none. */
	assert_reads(m, 0x9000, 0x1000, 0x1000);
	assert_int_equal(s.runs, runs);
	/* Up to what is not there whole. */
	assert_reads(m, (uint64_t)(HOLE - 3) << PAGE_SHIFT, 0x8000, 0x3000);
	memory_free(m);
}

static void test_each_page_is_read_once(void **state)
{
	(void)state;
	struct source s;
	struct memory *m = open_memory(&s, 16);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 16; i++)
			assert_reads(m, (uint64_t)i << PAGE_SHIFT, PAGE_SIZE, PAGE_SIZE);
	}
	assert_int_equal(s.calls, 16);
	struct memory_stats stats;
	memory_stats(m, &stats);
	assert_int_equal(stats.misses, 16);
	assert_int_equal(stats.hits, 32);
	assert_int_equal(stats.cached_bytes, 16 * PAGE_SIZE);
	memory_free(m);
}

/* A machine that runs: what was read once says nothing of now. */
static void test_forgetting(void **state)
{
	(void)state;
	struct source s;
	uint8_t byte;
	size_t done;
	struct memory *m = open_memory(&s, 4);
	struct memory_stats stats;
	for (unsigned round = 1; round <= 3; round++) {
		for (unsigned i = 0; i < 8; i++)
			assert_reads(m, 0x2000 + i, 1, 1);
		assert_int_equal(s.calls_of[2], round);
		for (unsigned i = 0; i < 2; i++) {
			struct err *e = memory_read_phys(m, HOLE << PAGE_SHIFT, &byte, 1, &done);
			assert_int_equal(err_code(e), ERR_MISSING);
			err_free(e);
		}
		assert_int_equal(s.calls_of[HOLE], round);
		/* What is there in turn takes the place of what was forgotten. */
		assert_reads(m, (uint64_t)(2 + round) << PAGE_SHIFT, 1, 1);
		memory_stats(m, &stats);
		assert_int_equal(stats.cached_bytes, 2 * PAGE_SIZE);
		memory_forget(m);
	}
	/* Pages of before are replaced, not kept beside those of now. */
	for (unsigned i = 0; i < HOLE; i++)
		assert_reads(m, (uint64_t)i << PAGE_SHIFT, PAGE_SIZE, PAGE_SIZE);
	memory_stats(m, &stats);
	assert_int_equal(stats.cached_bytes, 4 * PAGE_SIZE);
	memory_free(m);
}

/* What is used all the time outlives a read of everything else. */
static void test_eviction(void **state)
{
	(void)state;
	struct source s;
	struct memory *m = open_memory(&s, 8);
	for (unsigned i = 0; i < HOLE; i++) {
		assert_reads(m, (uint64_t)i << PAGE_SHIFT, 1, 1);
		assert_reads(m, 0x3000, 1, 1);
	}
	/* Page 3 goes at most when the hand has gone round without meeting a use. */
	assert_true(s.calls_of[3] <= 2);
	assert_int_equal(s.calls_of[20], 1);
	assert_reads(m, 0x1000, 8, 8);
	assert_int_equal(s.calls_of[1], 2);
	struct memory_stats stats;
	memory_stats(m, &stats);
	assert_int_equal(stats.cached_bytes, 8 * PAGE_SIZE);
	memory_free(m);
}

static void test_cache_of_one_page(void **state)
{
	(void)state;
	struct source s;
	struct memory *m = open_memory(&s, 1);
	for (unsigned i = 0; i < HOLE; i++)
		assert_reads(m, (uint64_t)(i * 7 % HOLE) << PAGE_SHIFT, PAGE_SIZE, PAGE_SIZE);
	memory_free(m);
	assert_err(memory_new(&s.ops, PAGE_SIZE - 1, &m), ERR_INVALID, "4 KiB");
}

static void assert_no_read(struct memory *m, uint64_t pa, int code, const char *part)
{
	uint8_t out[16];
	size_t done = 77;
	assert_err(memory_read_phys(m, pa, out, sizeof(out), &done), code, part);
	assert_int_equal(done, 77);
}

static void test_absent_is_remembered(void **state)
{
	(void)state;
	struct source s;
	struct memory *m = open_memory(&s, 4);
	for (unsigned i = 0; i < 3; i++) {
		assert_no_read(m, (uint64_t)HOLE << PAGE_SHIFT, ERR_MISSING, "0x28000");
		assert_no_read(m, (uint64_t)EXCLUDED << PAGE_SHIFT, ERR_EXCLUDED, "0x29000");
		assert_no_read(m, ((uint64_t)CORRUPT << PAGE_SHIFT) + 8, ERR_CORRUPT, "0x2a008");
		assert_no_read(m, (uint64_t)BROKEN << PAGE_SHIFT, ERR_IO, "fire");
	}
	assert_int_equal(s.calls_of[HOLE], 1);
	assert_int_equal(s.calls_of[EXCLUDED], 1);
	assert_int_equal(s.calls_of[CORRUPT], 1);
	/* an input error may pass */
	assert_int_equal(s.calls_of[BROKEN], 3);
	memory_free(m);
}

/* More absent pages than are remembered; none of them takes the place of a page. */
static void test_many_absent(void **state)
{
	(void)state;
	struct source s;
	struct memory *m = open_memory(&s, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_reads(m, (uint64_t)i << PAGE_SHIFT, 8, 8);
	for (uint64_t pfn = PAGES; pfn < 100000; pfn++) {
		uint8_t byte;
		size_t done;
		struct err *e = memory_read_phys(m, pfn << PAGE_SHIFT, &byte, 1, &done);
		assert_int_equal(err_code(e), ERR_MISSING);
		err_free(e);
	}
	struct memory_stats stats;
	memory_stats(m, &stats);
	assert_int_equal(stats.cached_bytes, 3 * PAGE_SIZE);
	memory_free(m);
}

static void test_partial_reads(void **state)
{
	(void)state;
	struct source s;
	struct memory *m = open_memory(&s, 8);
	/* up to the hole */
	assert_reads(m, 0x27ff0, 0x100, 0x10);
	assert_no_read(m, 0x28000, ERR_MISSING, "0x28000");
	/* a page that is there from 0x100 to 0xc00 */
	uint64_t page = (uint64_t)PARTIAL << PAGE_SHIFT;
	assert_reads(m, page + 0x100, 0x1000, 0xb00);
	assert_reads(m, page + 0xbff, 2, 1);
	assert_no_read(m, page + 0xff, ERR_MISSING, "part");
	assert_no_read(m, page + 0xc00, ERR_MISSING, "part");
	memory_free(m);
}

static void test_end_of_address_space(void **state)
{
	(void)state;
	struct source s;
	struct memory *m = open_memory(&s, 8);
	assert_reads(m, UINT64_MAX, 1, 1);
	/* no wrap to address 0 */
	assert_reads(m, UINT64_MAX - 7, 16, 8);
	assert_reads(m, UINT64_MAX, SIZE_MAX, 1);
	assert_no_read(m, (UINT64_MAX - 7) & ~UINT64_C(0x1fff), ERR_MISSING, "0xffffffffffffe000");
	memory_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_each_page_is_read_once),
		cmocka_unit_test(test_forgetting),
		cmocka_unit_test(test_eviction),
		cmocka_unit_test(test_cache_of_one_page),
		cmocka_unit_test(test_absent_is_remembered),
		cmocka_unit_test(test_many_absent),
		cmocka_unit_test(test_partial_reads),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_end_of_address_space),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
