// SPDX-License-Identifier: GPL-2.0-or-later
/* Walks over page tables written by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/map.h"
#include "tests/memory/fakefile.h"
#include "vmcore/memory/memory.h"

#define P  UINT64_C(1) /* present */
#define W  UINT64_C(2) /* writable */
#define U  UINT64_C(4) /* user */
#define PS UINT64_C(0x80)
#define NX (UINT64_C(1) << 63)

enum { ROOT = 0x1000 };

/* Physical memory: only what was written to is there. */
struct machine {
	struct page_source ops;
	struct map pages;  /* page frame to owned page */
	uint64_t excluded; /* this page frame is */
	struct memory *memory;
};

static uint8_t *page_of(struct machine *k, uint64_t pfn)
{
	uint64_t p;
	if (map_get(&k->pages, pfn, &p))
		return (uint8_t *)(uintptr_t)p;
	uint8_t *page = calloc(1, PAGE_SIZE);
	assert_non_null(page);
	assert_true(map_put(&k->pages, pfn, (uintptr_t)page));
	return page;
}

static void poke(struct machine *k, uint64_t pa, uint64_t value)
{
	put_u64(page_of(k, pa >> PAGE_SHIFT) + pa % PAGE_SIZE, value);
}

static struct err *read_page(void *self, uint64_t pfn, void *page, uint16_t *ret_from,
			     uint16_t *ret_to)
{
	struct machine *k = self;
	uint64_t p;
	if (pfn == k->excluded)
		return err_new(ERR_EXCLUDED, "excluded");
	if (!map_get(&k->pages, pfn, &p))
		return err_new(ERR_MISSING, "not there");
	memcpy(page, (void *)(uintptr_t)p, PAGE_SIZE);
	*ret_from = 0;
	*ret_to = PAGE_SIZE;
	return NULL;
}

static bool next_page(void *self, uint64_t pfn, uint64_t *ret_pfn)
{
	struct machine *k = self;
	uint64_t p;
	for (; pfn < 0x100000; pfn++) {
		if (pfn != k->excluded && map_get(&k->pages, pfn, &p)) {
			*ret_pfn = pfn;
			return true;
		}
	}
	return false;
}

static int setup(void **state)
{
	struct machine *k = calloc(1, sizeof(*k));
	assert_non_null(k);
	k->ops = (struct page_source){ .self = k, .read_page = read_page, .next_page = next_page };
	assert_ok(memory_new(&k->ops, 64 * PAGE_SIZE, &k->memory));
	*state = k;
	return 0;
}

/* Forgets what was read, after a poke at what is cached. */
static void forget(struct machine *k)
{
	memory_free(k->memory);
	assert_ok(memory_new(&k->ops, 64 * PAGE_SIZE, &k->memory));
}

static int teardown(void **state)
{
	struct machine *k = *state;
	uint64_t p;
	for (uint64_t pfn = 0; pfn < 0x100000; pfn++) {
		if (map_get(&k->pages, pfn, &p))
			free((void *)(uintptr_t)p);
	}
	map_free(&k->pages);
	memory_free(k->memory);
	free(k);
	return 0;
}

static const struct vspace four = { .root = ROOT, .levels = 4 };
static const struct vspace five = { .root = ROOT, .levels = 5 };

static void assert_vtop(struct machine *k, const struct vspace *space, uint64_t va, uint64_t pa,
			uint64_t page_size)
{
	struct vtop t;
	assert_ok(memory_vtop(k->memory, space, va, &t));
	assert_int_equal(t.pa, pa);
	assert_int_equal(t.page_size, page_size);
}

static void assert_no_vtop(struct machine *k, const struct vspace *space, uint64_t va, int code,
			   unsigned level, const char *part)
{
	struct vtop t;
	assert_err(memory_vtop(k->memory, space, va, &t), code, part);
	assert_int_equal(t.level, level);
}

/* 0xffffffff81234567: indices 511, 510, 9, 52 (0x34), offset 0x567 */
static const uint64_t text = UINT64_C(0xffffffff81234567);

static void map_text(struct machine *k, uint64_t root)
{
	poke(k, root + 511 * 8, 0x2000 | P | W | U);
	poke(k, 0x2000 + 510 * 8, 0x3000 | P | W | U);
	poke(k, 0x3000 + 9 * 8, 0x4000 | P | W | U);
	poke(k, 0x4000 + 0x34 * 8, 0xabcd000 | P | W | U);
}

static void test_four_levels(void **state)
{
	struct machine *k = *state;
	map_text(k, ROOT);
	assert_vtop(k, &four, text, 0xabcd567, 0x1000);

	struct vtop t;
	assert_ok(memory_vtop(k->memory, &four, text, &t));
	assert_int_equal(t.step_count, 4);
	assert_int_equal(t.level, 1);
	assert_int_equal(t.steps[0].level, 4);
	assert_int_equal(t.steps[0].entry_address, ROOT + 511 * 8);
	assert_int_equal(t.steps[3].level, 1);
	assert_int_equal(t.steps[3].entry_address, 0x41a0);
	assert_int_equal(t.steps[3].entry, 0xabcd000 | P | W | U);
	/* a PCID or flags in CR3 are no address */
	struct vspace dirty = { .root = ROOT | 0x123, .levels = 4 };
	assert_vtop(k, &dirty, text, 0xabcd567, 0x1000);
}

static void test_five_levels(void **state)
{
	struct machine *k = *state;
	poke(k, ROOT + 511 * 8, 0x8000 | P);
	map_text(k, 0x8000);
	assert_vtop(k, &five, text, 0xabcd567, 0x1000);
	/* 0xff11000000000000 is canonical with five levels only */
	poke(k, ROOT + 0x111 * 8, 0x9000 | P);
	poke(k, 0x9000, 0xa000 | P);
	poke(k, 0xa000, 0x40000000 | P | PS);
	forget(k);
	assert_vtop(k, &five, UINT64_C(0xff11000000000123), 0x40000123, 1 << 30);
	assert_no_vtop(k, &four, UINT64_C(0xff11000000000123), ERR_NOTPRESENT, 0, "canonical");
	assert_no_vtop(k, &five, UINT64_C(0xfe11000000000123), ERR_NOTPRESENT, 0, "canonical");
}

static void test_large_pages(void **state)
{
	struct machine *k = *state;
	poke(k, ROOT, 0x2000 | P);
	poke(k, 0x2000, UINT64_C(0x1c0000000) | P | PS);
	poke(k, 0x2008, 0x3000 | P);
	poke(k, 0x3000, 0x600000 | P | PS);
	/* at level 1, bit 7 is PAT */
	poke(k, 0x3010, 0x4000 | P);
	poke(k, 0x4000, 0x777000 | P | PS);
	/* PAT of a large page lies in its address field */
	poke(k, 0x3008, 0x800000 | P | PS | 0x1000);
	assert_vtop(k, &four, 0x12345678, UINT64_C(0x1d2345678), 1 << 30);
	assert_vtop(k, &four, 0x40012345, 0x612345, 2 << 20);
	assert_vtop(k, &four, 0x40200000, 0x800000, 2 << 20);
	assert_vtop(k, &four, 0x40400010, 0x777010, 0x1000);
}

static void test_reserved_bits(void **state)
{
	struct machine *k = *state;
	poke(k, ROOT, 0x2000 | P);
	poke(k, 0x2000, 0x40002000 | P | PS);
	poke(k, 0x2008, 0x3000 | P);
	poke(k, 0x3000, 0x602000 | P | PS);
	poke(k, ROOT + 8, P | PS);
	assert_no_vtop(k, &four, 0, ERR_CORRUPT, 3, "PUD");
	assert_no_vtop(k, &four, 0x40000000, ERR_CORRUPT, 2, "reserved");
	assert_no_vtop(k, &four, UINT64_C(0x8000000000), ERR_CORRUPT, 4, "PGD");
}

static void test_permissions(void **state)
{
	struct machine *k = *state;
	struct vtop t;
	map_text(k, ROOT);
	assert_ok(memory_vtop(k->memory, &four, text, &t));
	assert_true(t.writable && t.user && t.executable);
	/* the pages next to it; what one level forbids is forbidden */
	poke(k, 0x4000 + 0x35 * 8, 0x1000 | P | W | NX);
	poke(k, 0x3000 + 10 * 8, 0x4000 | P | U);
	forget(k);
	assert_ok(memory_vtop(k->memory, &four, text + 0x1000, &t));
	assert_true(t.writable && !t.user && !t.executable);
	assert_ok(memory_vtop(k->memory, &four, text + 0x200000, &t));
	assert_true(!t.writable && t.user && t.executable);
}

static void test_encryption_mask(void **state)
{
	struct machine *k = *state;
	const uint64_t c = UINT64_C(1) << 47;
	const struct vspace space = { .root = ROOT | c, .levels = 4, .c_mask = c };
	poke(k, ROOT, 0x2000 | P | c);
	poke(k, 0x2000, 0x3000 | P | c);
	poke(k, 0x3000, 0x4000 | P | c);
	poke(k, 0x3008, 0x600000 | P | PS | c);
	poke(k, 0x4000, 0x5000 | P | c);
	poke(k, 0x4008, 0x6000 | P);
	assert_vtop(k, &space, 0, 0x5000, 0x1000);
	assert_vtop(k, &space, 0x1008, 0x6008, 0x1000);
	assert_vtop(k, &space, 0x200008, 0x600008, 2 << 20);
	assert_no_vtop(k, &four, 0, ERR_MISSING, 3, "level 3");
}

static void test_not_there(void **state)
{
	struct machine *k = *state;
	map_text(k, ROOT);
	poke(k, ROOT, 0x77000 | P);
	poke(k, ROOT + 8, 0x78000 | P);
	k->excluded = 0x78;
	assert_no_vtop(k, &four, text + 0x1000, ERR_NOTPRESENT, 1, "not mapped");
	assert_no_vtop(k, &four, text + 0x200000, ERR_NOTPRESENT, 2, "PMD");
	assert_no_vtop(k, &four, UINT64_C(0xffff800000000000), ERR_NOTPRESENT, 4, "PGD");
	/* the table itself: missing, filtered */
	assert_no_vtop(k, &four, 0, ERR_MISSING, 3, "page table of level 3");
	assert_no_vtop(k, &four, UINT64_C(0x8000000000), ERR_EXCLUDED, 3, "level 3 (PUD)");
	assert_no_vtop(k, &four, UINT64_C(0x0000800000000000), ERR_NOTPRESENT, 0, "canonical");
	assert_no_vtop(k, &four, UINT64_C(0xffff7fffffffffff), ERR_NOTPRESENT, 0, "canonical");
	assert_no_vtop(k, &(struct vspace){ .levels = 4 }, 0, ERR_NOTPRESENT, 0, "no page tables");
	assert_no_vtop(k, &(struct vspace){ .root = ROOT, .levels = 3 }, 0, ERR_INVALID, 0, "3");
}

/* An entry that is not present says nothing else, whatever its other bits. */
static void test_not_present_with_bits(void **state)
{
	struct machine *k = *state;
	poke(k, ROOT, ~P);
	assert_no_vtop(k, &four, 0x123, ERR_NOTPRESENT, 4, "0xfffffffffffffffe");
}

/* A table that points at itself is walked as deep as any. */
static void test_recursive_table(void **state)
{
	struct machine *k = *state;
	poke(k, ROOT + 511 * 8, ROOT | P);
	assert_vtop(k, &four, UINT64_C(0xfffffffffffff000), ROOT, 0x1000);
	assert_vtop(k, &five, UINT64_C(0xfffffffffffffff8), ROOT + 0xff8, 0x1000);
}

static void test_read(void **state)
{
	struct machine *k = *state;
	uint8_t out[0x3000];
	size_t done;
	map_text(k, ROOT);
	/* two pages that are not neighbours in physical memory, then a hole */
	poke(k, 0x4000 + 0x35 * 8, 0x5000 | P);
	poke(k, 0xabcdff8, 0x1111);
	poke(k, 0x5000, 0x2222);
	uint64_t va = (text | 0xfff) - 7;
	assert_ok(memory_read(k->memory, &four, va, out, 16, &done));
	assert_int_equal(done, 16);
	assert_int_equal(get_u64(out), 0x1111);
	assert_int_equal(get_u64(out + 8), 0x2222);
	assert_ok(memory_read(k->memory, &four, va, out, sizeof(out), &done));
	assert_int_equal(done, 8 + 0x1000);
	assert_err(memory_read(k->memory, &four, va + 0x1008, out, 8, &done), ERR_NOTPRESENT,
		   "not mapped");
	/* mapped, but the page is filtered */
	poke(k, 0x4000 + 0x37 * 8, 0x66000 | P);
	forget(k);
	k->excluded = 0x66;
	assert_err(memory_read(k->memory, &four, va + 0x2008, out, 8, &done), ERR_EXCLUDED,
		   "physical address 0x66000");
	assert_ok(memory_read(k->memory, &four, 0x1234, out, 0, &done));
	assert_int_equal(done, 0);
}

static void test_read_all(void **state)
{
	struct machine *k = *state;
	uint8_t out[16];
	map_text(k, ROOT);
	poke(k, 0xabcdff8, 0x1111);
	uint64_t va = (text | 0xfff) - 7;
	assert_ok(memory_read_all(k->memory, &four, va, out, 8));
	assert_int_equal(get_u64(out), 0x1111);
	/* the error is that of the part that is not there */
	assert_err(memory_read_all(k->memory, &four, va, out, 9), ERR_NOTPRESENT,
		   "0xffffffff81235000");
}

static void test_last_address(void **state)
{
	struct machine *k = *state;
	uint8_t out[16];
	size_t done;
	poke(k, ROOT + 511 * 8, ROOT | P);
	uint64_t va = UINT64_MAX - 7;
	assert_ok(memory_read(k->memory, &four, va, out, 16, &done));
	assert_int_equal(done, 8);
	assert_int_equal(get_u64(out), ROOT | P);
	assert_ok(memory_read(k->memory, &four, UINT64_MAX, out, SIZE_MAX, &done));
	assert_int_equal(done, 1);
	assert_err(memory_read_all(k->memory, &four, va, out, 16), ERR_INVALID, "last address");
}

static void assert_next(struct machine *k, const struct vspace *space, uint64_t va,
			uint64_t expected)
{
	uint64_t next = 0;
	assert_true(memory_next(k->memory, space, va, &next));
	assert_int_equal(next, expected);
}

static void test_next(void **state)
{
	struct machine *k = *state;
	uint64_t next;
	map_text(k, ROOT);
	page_of(k, 0xabcd);
	/* a 1 GiB page of which only two pages are in the dump */
	poke(k, ROOT + 2 * 8, 0x7000 | P);
	poke(k, 0x7000, 0x40000000 | P | PS);
	page_of(k, 0x40010);
	page_of(k, 0x40020);
	/* and a table that is not there */
	poke(k, ROOT + 3 * 8, 0x99000 | P);
	const uint64_t big = UINT64_C(2) << 39;

	assert_next(k, &four, 0, big + 0x10000);
	assert_next(k, &four, big, big + 0x10000);
	assert_next(k, &four, big + 0x10000, big + 0x20000);
	assert_next(k, &four, big + 0x20000, text & ~UINT64_C(0xfff));
	/* from within the hole in the middle */
	assert_next(k, &four, UINT64_C(0x1234000000000000), text & ~UINT64_C(0xfff));
	assert_false(memory_next(k->memory, &four, text, &next));
	assert_false(memory_next(k->memory, &four, UINT64_MAX, &next));
	assert_false(memory_next(k->memory, &(struct vspace){ .levels = 4 }, 0, &next));
	/* the top table is not there */
	assert_false(
		memory_next(k->memory, &(struct vspace){ .root = 0x99000, .levels = 4 }, 0, &next));
}

/* ---- what only Linux translates ---- */

#define PROTNONE UINT64_C(0x100)
#define ADDRESS	 UINT64_C(0x000ffffffffff000)

/* Not present, and the address inverted since L1TF. */
static uint64_t protnone(uint64_t pa, bool inverted)
{
	return (inverted ? ~pa & ADDRESS : pa) | PROTNONE | W;
}

/* Maps page 0 of @va's table at level 1, for 4 levels, by @entry; user tables. */
static void map_user(struct machine *k, uint64_t entry)
{
	poke(k, 0x1000, 0x2000 | P | W | U);
	poke(k, 0x2000, 0x3000 | P | W | U);
	poke(k, 0x3000, 0x4000 | P | W | U);
	poke(k, 0x4000, entry);
	poke(k, 0x5000, 0x1122334455667788);
}

static void pages_of_a_process_that_are_protnone(void **state)
{
	struct machine *k = *state;
	struct vspace process = { .root = ROOT, .levels = 4, .process = true };
	struct vtop t;
	uint8_t bytes[8];
	for (unsigned inverted = 0; inverted < 2; inverted++) {
		map_user(k, protnone(0x5000, inverted));
		forget(k);
		assert_ok(memory_vtop(k->memory, &process, 0x8, &t));
		assert_int_equal(t.pa, 0x5008);
		assert_int_equal(t.page_size, PAGE_SIZE);
		assert_false(t.user);
		assert_ok(memory_read_all(k->memory, &process, 0, bytes, sizeof(bytes)));
		assert_int_equal(get_u64(bytes), 0x1122334455667788);
		/* The processor does not, nor do the kernel's own tables or a guest's. */
		assert_err(memory_vtop(k->memory, &four, 0, &t), ERR_NOTPRESENT, "not mapped");
	}
	/* With the bit that encrypts memory, which is inverted, too. */
	process.c_mask = UINT64_C(1) << 47;
	map_user(k, protnone(0x5000 | process.c_mask, true));
	forget(k);
	assert_ok(memory_vtop(k->memory, &process, 0, &t));
	assert_int_equal(t.pa, 0x5000);
}

static void large_page_of_a_process_that_is_protnone(void **state)
{
	struct machine *k = *state;
	struct vspace process = { .root = ROOT, .levels = 4, .process = true };
	struct vtop t;
	for (unsigned inverted = 0; inverted < 2; inverted++) {
		map_user(k, 0);
		/* Only the bits of a large page's address are inverted. */
		poke(k, 0x3000, (protnone(0x400000, inverted) & ~UINT64_C(0x1ff000)) | PS);
		forget(k);
		assert_ok(memory_vtop(k->memory, &process, 0x1234, &t));
		assert_int_equal(t.pa, 0x401234);
		assert_int_equal(t.page_size, 0x200000);
	}
}

static void what_is_swapped_out_is_not_protnone(void **state)
{
	struct machine *k = *state;
	const struct vspace process = { .root = ROOT, .levels = 4, .process = true };
	struct vtop t;
	map_user(k, (~UINT64_C(0x5000) & ADDRESS) | W);
	assert_err(memory_vtop(k->memory, &process, 0, &t), ERR_NOTPRESENT, "not mapped");
	/* A table that is not there is none, whatever its bits. */
	poke(k, 0x3000, protnone(0x4000, false));
	forget(k);
	assert_err(memory_vtop(k->memory, &process, 0, &t), ERR_NOTPRESENT, "PMD");
	/* The kernel's half is the same for all. */
	poke(k, 0x1000 + 8 * 256, 0x2000 | P | W);
	poke(k, 0x3000, 0x4000 | P | W);
	poke(k, 0x4000, protnone(0x5000, true));
	forget(k);
	assert_err(memory_vtop(k->memory, &process, 0xffff800000000000, &t), ERR_NOTPRESENT, "PTE");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_four_levels),
		TEST(test_five_levels),
		TEST(test_large_pages),
		TEST(test_reserved_bits),
		TEST(test_permissions),
		TEST(test_encryption_mask),
		TEST(test_not_there),
		TEST(test_not_present_with_bits),
		TEST(test_recursive_table),
		TEST(test_read),
		TEST(test_read_all),
		TEST(test_last_address),
		TEST(test_next),
		cmocka_unit_test_setup_teardown(pages_of_a_process_that_are_protnone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(large_page_of_a_process_that_is_protnone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_swapped_out_is_not_protnone, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
