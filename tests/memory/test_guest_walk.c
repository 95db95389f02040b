// SPDX-License-Identifier: GPL-2.0-or-later
/* Walks through tables of guests, EPT and NPT written by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/err.h"
#include "tests/memory/fakefile.h"
#include "vmcore/memory/walk_ranges.h"

#define P      UINT64_C(1)
#define W      UINT64_C(2)
#define U      UINT64_C(4)
#define A      UINT64_C(0x20)
#define D      UINT64_C(0x40)
#define PS     UINT64_C(0x80)
#define NX     (UINT64_C(1) << 63)
#define RWX    UINT64_C(7)
#define MARKED UINT64_C(0x800)

enum { PAGES = 64, BYTES = PAGES * 4096 };

/* Physical memory from 0 on. */
struct machine {
	uint8_t bytes[BYTES];
	struct walk_reader reader;
};

static struct err *read_bytes(void *self, uint64_t pa, void *out, size_t len)
{
	struct machine *m = self;
	if (!range_within(pa, len, BYTES))
		return err_new(ERR_EXCLUDED, "left out");
	memcpy(out, m->bytes + pa, len);
	return NULL;
}

static int setup(void **state)
{
	struct machine *m = calloc(1, sizeof(*m));
	assert_non_null(m);
	m->reader = (struct walk_reader){ m, read_bytes };
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void poke(struct machine *m, uint64_t pa, uint64_t value)
{
	put_u64(m->bytes + pa, value);
}

static void poke4(struct machine *m, uint64_t pa, uint32_t value)
{
	put_u32(m->bytes + pa, value);
}

static void assert_leads(struct machine *m, const struct walk_space *space, uint64_t address,
			 uint64_t pa, uint64_t page_size, struct walk *ret)
{
	assert_ok(guest_walk(&m->reader, space, address, ret));
	assert_int_equal(ret->pa, pa);
	assert_int_equal(ret->page_size, page_size);
}

static void test_no_paging(void **state)
{
	struct walk_space space = { .format = WALK_NONE };
	struct walk w;
	assert_leads(*state, &space, 0x123456789, 0x123456789, 4096, &w);
	assert_int_equal(w.step_count, 0);
}

static void test_legacy(void **state)
{
	struct machine *m = *state;
	struct walk_space space = { .format = WALK_LEGACY, .root = 0x1018, .pse = true };
	struct walk w;
	poke4(m, 0x1000 + 4 * 0x300, 0x2000 | P | W | U);
	poke4(m, 0x2000 + 4 * 5, 0x7000 | P | A | D);
	poke4(m, 0x1000 + 4 * 0x301, 0x00800000 | 3 << 13 | PS | P | W); /* PSE-36: bits 33:32 */
	assert_leads(m, &space, 0xc0005123, 0x7123, 4096, &w);
	assert_false(w.rights.writable);
	assert_false(w.rights.user);
	assert_true(w.rights.executable && w.accessed && w.dirty);
	assert_int_equal(w.step_count, 2);
	assert_int_equal(w.steps[0].table, 0x1000);
	assert_int_equal(w.steps[0].index, 0x300);
	assert_leads(m, &space, 0xc0412345, 0x300812345, 4 << 20, &w);
	/* Without CR4.PSE the bit is ignored: it leads to a table, which is not there. */
	space.pse = false;
	assert_err(guest_walk(&m->reader, &space, 0xc0412345, &w), ERR_EXCLUDED, "PT");
	assert_err(guest_walk(&m->reader, &space, 0x100000000, &w), ERR_NOTPRESENT, "beyond");
	assert_err(guest_walk(&m->reader, &space, 0, &w), ERR_NOTPRESENT, "PD");
}

static void test_pae(void **state)
{
	struct machine *m = *state;
	struct walk_space space = { .format = WALK_PAE, .root = 0x1020 };
	struct walk w;
	poke(m, 0x1020 + 8 * 3, 0x2000 | P);
	poke(m, 0x2000, 0x3000 | P | W | U);
	poke(m, 0x2008, 0x100200000 | PS | P | W | NX);
	poke(m, 0x3000 + 8, 0x5000 | P | W);
	assert_leads(m, &space, 0xc0001234, 0x5234, 4096, &w);
	assert_true(w.rights.writable);
	assert_leads(m, &space, 0xc0200001, 0x100200001, 2 << 20, &w);
	assert_false(w.rights.executable);
	assert_err(guest_walk(&m->reader, &space, 0x40000000, &w), ERR_NOTPRESENT, "PDPT");
	poke(m, 0x1020 + 8, 0x2000 | P | PS);
	assert_err(guest_walk(&m->reader, &space, 0x40000000, &w), ERR_CORRUPT, "reserved");
}

static void test_long(void **state)
{
	struct machine *m = *state;
	/* PCID below, the bits of LAM above the address. */
	struct walk_space space = { .format = WALK_LONG,
				    .root = UINT64_C(3) << 61 | 0x1005,
				    .levels = 4 };
	struct walk w;
	poke(m, 0x1000 + 8 * 511, 0x2000 | P | W | U);
	poke(m, 0x2000 + 8 * 510, 0x3000 | P | W);
	poke(m, 0x2000, 0x40000000 | PS | P | W | U);
	poke(m, 0x3000 + 8, 0x600000 | UINT64_C(1) << 12 | PS | P); /* PAT */
	assert_leads(m, &space, 0xffffffff80201000, 0x601000, 2 << 20, &w);
	assert_int_equal(w.step_count, 3);
	assert_leads(m, &space, 0xffffff8000000001, 0x40000001, 1 << 30, &w);
	assert_err(guest_walk(&m->reader, &space, 0x800000000000, &w), ERR_NOTPRESENT, "canonical");
	/* The same as the lower level of five. */
	poke(m, 0x4000 + 8 * 511, 0x1000 | P | W | U);
	space.root = 0x4000;
	space.levels = 5;
	assert_leads(m, &space, 0xffffffff80201000, 0x601000, 2 << 20, &w);
	assert_int_equal(w.steps[0].level, 5);
	/* The encryption bit is no address. */
	space.c_mask = UINT64_C(1) << 47;
	poke(m, 0x3000 + 8, 0x600000 | space.c_mask | PS | P);
	assert_leads(m, &space, 0xffffffff80200000, 0x600000, 2 << 20, &w);
	space.levels = 3;
	assert_err(guest_walk(&m->reader, &space, 0, &w), ERR_INVALID, "3 levels");
}

static void make_ept(struct machine *m, uint64_t mark)
{
	poke(m, 0x1000, 0x2000 | RWX | mark);
	poke(m, 0x2000, 0x3000 | RWX | mark);
	poke(m, 0x3000, 0x4000 | RWX | mark);
	poke(m, 0x3008, 0x800000 | PS | RWX | mark);
	poke(m, 0x4000, 0x10000 | RWX | mark);
	poke(m, 0x4008, 0x11000 | RWX | mark);
	poke(m, 0x4010, 0x12000 | 5 | mark);
	poke(m, 0x4018, 0x30000 | UINT64_C(5) << 54 | mark); /* access tracked */
	poke(m, 0x4020, 0x5a0);				     /* removed */
	poke(m, 0x4028, 0x20000 | 6);			     /* MMIO */
}

static void test_ept(void **state)
{
	struct machine *m = *state;
	struct walk_space space = { .format = WALK_EPT, .root = 0x1000, .levels = 4, .spte = true };
	struct walk w;
	make_ept(m, MARKED);
	assert_ok(guest_walk_find_rules(&m->reader, &space));
	assert_true(space.marked);
	assert_leads(m, &space, 0x1008, 0x11008, 4096, &w);
	assert_true(w.rights.readable && w.rights.writable && w.rights.executable && !w.tracked);
	assert_leads(m, &space, 0x2000, 0x12000, 4096, &w);
	assert_false(w.rights.writable);
	assert_leads(m, &space, 0x3000, 0x30000, 4096, &w);
	assert_true(w.tracked);
	assert_leads(m, &space, 0x234567, 0x834567, 2 << 20, &w);
	assert_err(guest_walk(&m->reader, &space, 0x4000, &w), ERR_NOTPRESENT, "0x5a0");
	assert_err(guest_walk(&m->reader, &space, 0x5000, &w), ERR_NOTPRESENT, "0x20006");
	assert_int_equal(w.level, 1);
	assert_err(guest_walk(&m->reader, &space, UINT64_C(1) << 48, &w), ERR_NOTPRESENT, "beyond");
}

static void test_ept_before_the_mark(void **state)
{
	struct machine *m = *state;
	struct walk_space space = { .format = WALK_EPT, .root = 0x1000, .levels = 4, .spte = true };
	struct walk w;
	make_ept(m, 0);
	poke(m, 0x4000, 0x10000 | RWX | 0x800); /* a software bit of another meaning */
	assert_ok(guest_walk_find_rules(&m->reader, &space));
	assert_false(space.marked);
	assert_leads(m, &space, 8, 0x10008, 4096, &w);
	assert_leads(m, &space, 0x1008, 0x11008, 4096, &w);
	assert_err(guest_walk(&m->reader, &space, 0x5000, &w), ERR_NOTPRESENT, "0x20006");
}

static void test_npt_mmio(void **state)
{
	struct machine *m = *state;
	struct walk_space space = {
		.format = WALK_LONG, .root = 0x1000, .levels = 4, .spte = true
	};
	struct walk w;
	poke(m, 0x1000, 0x2000 | P | W | U);
	poke(m, 0x2000, 0x3000 | P | W | U);
	poke(m, 0x3000, 0x4000 | P | W | U);
	poke(m, 0x4000, 0x9000 | P | UINT64_C(1) << 51);
	poke(m, 0x4008, 0x9000 | P | W | U);
	assert_err(guest_walk(&m->reader, &space, 0, &w), ERR_NOTPRESENT, "PT entry");
	assert_leads(m, &space, 0x1000, 0x9000, 4096, &w);
}

/* All ranges; each call may read one table. */
static size_t list(struct machine *m, const struct walk_space *space, uint64_t first, uint64_t last,
		   struct walk_range *out, size_t most)
{
	struct walk_ranges *r;
	size_t count = 0;
	assert_ok(walk_ranges_new(&m->reader, space, first, last, &r));
	for (;;) {
		unsigned budget = 1;
		enum walk_ranges_state state = walk_ranges_next(r, &budget, &out[count]);
		if (state == RANGES_END)
			break;
		assert_int_not_equal(state, RANGES_TOO_MANY);
		count += state == RANGES_FOUND;
		assert_true(count < most);
	}
	walk_ranges_free(r);
	return count;
}

static void test_ranges(void **state)
{
	struct machine *m = *state;
	struct walk_space space = {
		.format = WALK_EPT, .root = 0x1000, .levels = 4, .spte = true, .marked = true
	};
	struct walk_range r[8];
	make_ept(m, MARKED);
	poke(m, 0x2008, 0x7000000 | RWX | MARKED);	 /* not in the dump */
	poke(m, 0x2010, 0x40001000 | PS | RWX | MARKED); /* not aligned */
	assert_int_equal(list(m, &space, 0, UINT64_MAX, r, 8), 6);
	assert_int_equal(r[0].start, 0);
	assert_int_equal(r[0].size, 0x2000);
	assert_int_equal(r[0].pa, 0x10000);
	assert_int_equal(r[1].size, 0x1000);
	assert_false(r[1].rights.writable);
	assert_true(r[2].tracked);
	assert_int_equal(r[3].start, 0x200000);
	assert_int_equal(r[3].page_size, 2 << 20);
	assert_int_equal(r[4].kind, RANGE_UNREADABLE);
	assert_int_equal(r[4].start, 1 << 30);
	assert_int_equal(r[4].why, ERR_EXCLUDED);
	assert_int_equal(r[5].kind, RANGE_DAMAGED);
	assert_int_equal(r[5].where, 0x2010);
	/* A part: pages that hold the ends are in it. */
	assert_int_equal(list(m, &space, 0x1800, 0x27ff, r, 8), 2);
	assert_int_equal(r[0].start, 0x1000);
	assert_int_equal(r[1].start, 0x2000);
	assert_int_equal(list(m, &space, UINT64_C(1) << 50, UINT64_MAX, r, 8), 0);
	assert_int_equal(list(m, &space, 2, 1, r, 8), 0);
}

static void test_ranges_in_circles(void **state)
{
	struct machine *m = *state;
	struct walk_space space = {
		.format = WALK_LONG, .root = 0x1000, .levels = 5, .spte = true
	};
	struct walk_ranges *r;
	struct walk_range range;
	unsigned budget = UINT32_MAX;
	for (unsigned i = 0; i < 512; i++)
		poke(m, 0x1000 + 8 * i, 0x1000 | P | (i & 1 ? W : U));
	assert_ok(walk_ranges_new(&m->reader, &space, 0, UINT64_MAX, &r));
	/* Bounded: it ends, and by the tables that were read before. */
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(walk_ranges_next(r, &budget, &range), RANGES_FOUND);
	assert_true(walk_ranges_tables(r) < 100);
	walk_ranges_free(r);
	/* Where no table has two places, each is read once. */
	space.tree = true;
	assert_ok(walk_ranges_new(&m->reader, &space, 0, UINT64_MAX, &r));
	for (unsigned i = 0; i < 512; i++) {
		assert_int_equal(walk_ranges_next(r, &budget, &range), RANGES_FOUND);
		assert_int_equal(range.kind, RANGE_REPEATED);
		assert_int_equal(range.where, 0x1000);
		assert_int_equal(range.start, (uint64_t)i << 48);
	}
	assert_int_equal(walk_ranges_next(r, &budget, &range), RANGES_END);
	assert_int_equal(walk_ranges_tables(r), 1);
	walk_ranges_free(r);
	space.format = WALK_NONE;
	assert_err(walk_ranges_new(&m->reader, &space, 0, 1, &r), ERR_INVALID, "levels");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_paging, setup, teardown),
		cmocka_unit_test_setup_teardown(test_legacy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pae, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ept_before_the_mark, setup, teardown),
		cmocka_unit_test_setup_teardown(test_npt_mmio, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ranges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ranges_in_circles, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
