// SPDX-License-Identifier: GPL-2.0-or-later
/* The recipe language: what statements do to the machine, and how bad ones are named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/err.h"
#include "tests/recipe/recipe.h"

static void read_recipe(struct recipe *r, const char *text)
{
	recipe_init(r);
	struct err *e = recipe_read_text(r, "test", text);
	if (e)
		fail_msg("%s", err_msg(e));
}

static uint64_t word(const struct recipe *r, uint64_t addr)
{
	return physmem_read_u64(&r->mem, addr);
}

static void assert_maps(const struct recipe *r, size_t table, uint64_t va, uint64_t pa)
{
	uint64_t got;
	assert_true(paging_translate(&r->tables[table].paging, va, &got));
	assert_int_equal(got, pa);
}

static void assert_unmapped(const struct recipe *r, size_t table, uint64_t va)
{
	uint64_t got;
	assert_false(paging_translate(&r->tables[table].paging, va, &got));
}

static void items_have_widths(void **state)
{
	(void)state;
	struct recipe r;
	read_recipe(&r, "phys 0x1000: 1 u8 2 -1 u16 3 u32 0xffffffff\n"
			"  \"a\\x62\\n\" zero 1 fill 0xcc 2\n"
			"  hex 000ffffffffff000 ffff88003e5ebcd8 # bare\n");
	static const uint8_t expected[] = {
		1, 0,	 0,    0,    0,	   0,	0,   0,	   2, 0xff, 3,
		0, 0xff, 0xff, 0xff, 0xff, 'a', 'b', '\n', 0, 0xcc, 0xcc
	};
	uint8_t got[sizeof(expected)];
	physmem_read(&r.mem, 0x1000, got, sizeof(got));
	assert_memory_equal(got, expected, sizeof(expected));
	assert_int_equal(word(&r, 0x1000 + sizeof(expected)), 0x000ffffffffff000);
	assert_int_equal(word(&r, 0x1008 + sizeof(expected)), 0xffff88003e5ebcd8);
	recipe_free(&r);
}

static void expressions_follow_c(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t value;
	} cases[] = {
		{ "1+2*3", 7 },		{ "(1 + 2) * 3", 9 },
		{ "1 << 4 | 1", 0x11 }, { "0xff & ~0xf", 0xf0 },
		{ "0xff ^ 1", 0xfe },	{ "10 - 3 - 2", 5 },
		{ "7 / 2 + 7 % 4", 6 }, { "-1", UINT64_MAX },
		{ "--1", 1 },		{ "2g", UINT64_C(2) << 30 },
		{ "1 << 64", 0 },	{ "0 - 1 >> 63", 1 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recipe r;
		char text[128];
		snprintf(text, sizeof(text), "set a %s\nphys 0x10: a\n", cases[i].text);
		read_recipe(&r, text);
		assert_int_equal(word(&r, 0x10), cases[i].value);
		recipe_free(&r);
	}
}

static void a_blank_ends_a_value_in_a_list(void **state)
{
	(void)state;
	struct recipe r;
	read_recipe(&r, "phys 0: 1 -1 (5 - 1) 2+3\n");
	assert_int_equal(word(&r, 0), 1);
	assert_int_equal(word(&r, 8), UINT64_MAX);
	assert_int_equal(word(&r, 16), 4);
	assert_int_equal(word(&r, 24), 5);
	recipe_free(&r);
}

static void definitions_from_outside_win(void **state)
{
	(void)state;
	struct recipe r;
	recipe_init(&r);
	assert_null(recipe_define(&r, "n", 7));
	assert_null(recipe_read_text(&r, "test", "set n 1\nset m n\nset m m + 1\nphys 0: n m\n"));
	assert_int_equal(word(&r, 0), 7);
	assert_int_equal(word(&r, 8), 8);
	recipe_free(&r);
}

static void pages_have_three_states(void **state)
{
	(void)state;
	struct recipe r;
	read_recipe(&r, "phys 0x1ff8: 1 2\nzero phys 0x100000 8k\nexclude phys 0x101000 4k\n"
			"phys 0x300000: 1\nabsent phys 0x300000 4k\nphys 0xffffffffff000: 9\n");
	assert_int_equal(physmem_page(&r.mem, 1)->state, PAGE_PRESENT);
	assert_int_equal(physmem_page(&r.mem, 2)->state, PAGE_PRESENT);
	assert_int_equal(physmem_page(&r.mem, 0x100)->state, PAGE_PRESENT);
	assert_null(physmem_page(&r.mem, 0x100)->data);
	assert_int_equal(physmem_page(&r.mem, 0x101)->state, PAGE_EXCLUDED);
	assert_null(physmem_page(&r.mem, 0x300));
	assert_int_equal(word(&r, 0x300000), 0);
	static const uint64_t order[] = { 1, 2, 0x100, 0x101, 0xffffffffff };
	uint64_t pfn = 0;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++, pfn++) {
		assert_true(physmem_next(&r.mem, pfn, &pfn));
		assert_int_equal(pfn, order[i]);
	}
	assert_false(physmem_next(&r.mem, pfn, &pfn));
	recipe_free(&r);
}

static void page_tables_translate(void **state)
{
	(void)state;
	struct recipe r;
	read_recipe(&r, "pagetable four root 0x1000 pool 0x10000\n"
			"map 0xffff880000000000 0 1g 1g nx\n"
			"map 0xffffffff81000000 0x1000000 4m 2m global\n"
			"map 0x7f0000001000 0x5000 8k user ro\n"
			"map 0x7f0000003000 0x7000 4k none\n"
			"virt 0xffff880000200010: 42\n"
			"pagetable five root 0x2000 pool 0x30000 levels 5\n"
			"map 0xff11000000000000 0 1g 1g\n"
			"pagetable guest root 0x3000 pool 0x40000 ept\n"
			"map 0x8000 0x9000 4k\n"
			"pagetable secret root 0x4000 pool 0x50000 encrypted 1<<47\n"
			"map 0x8000 0xa000 4k\n"
			"pagetable process root 0x6000 pool 0x60000\n"
			"share four\n");
	assert_maps(&r, 0, 0xffff880000200010, 0x200010);
	assert_int_equal(word(&r, 0x200010), 42);
	assert_maps(&r, 0, 0xffffffff81345678, 0x1345678);
	assert_maps(&r, 0, 0x7f0000002abc, 0x6abc);
	assert_unmapped(&r, 0, 0x7f0000003000);
	assert_unmapped(&r, 0, 0xffffffff81400000);
	assert_maps(&r, 1, 0xff11000012345678, 0x12345678);
	assert_maps(&r, 2, 0x8123, 0x9123);
	assert_maps(&r, 3, 0x8123, 0xa123);
	assert_int_equal(word(&r, 0x4000) >> 47 & 1, 1);
	assert_maps(&r, 4, 0xffff880000200010, 0x200010);
	assert_unmapped(&r, 4, 0x7f0000002abc);
	recipe_free(&r);
}

static void entries_can_be_damaged(void **state)
{
	(void)state;
	struct recipe r;
	read_recipe(&r, "pagetable k root 0x1000 pool 0x10000\nmap 0 0 2m 2m\n"
			"entry 0 4 0x1003\n"); /* a root that points at itself */
	assert_int_equal(word(&r, 0x1000), 0x1003);
	recipe_free(&r);
}

static void lists_are_linked(void **state)
{
	(void)state;
	struct recipe r;
	read_recipe(&r, "pagetable k root 0x1000 pool 0x10000\nmap 0 0 2m 2m\n"
			"list 0x100000: 0x100100 0x100200\nlist 0x100300:\n"
			"hlist 0x100400: 0x100500\nhlist 0x100400: 0x100600\n");
	assert_int_equal(word(&r, 0x100000), 0x100100);
	assert_int_equal(word(&r, 0x100008), 0x100200);
	assert_int_equal(word(&r, 0x100100), 0x100200);
	assert_int_equal(word(&r, 0x100108), 0x100000);
	assert_int_equal(word(&r, 0x100200), 0x100000);
	assert_int_equal(word(&r, 0x100208), 0x100100);
	assert_int_equal(word(&r, 0x100300), 0x100300);
	assert_int_equal(word(&r, 0x100308), 0x100300);
	assert_int_equal(word(&r, 0x100400), 0x100500);
	assert_int_equal(word(&r, 0x100500), 0x100600);
	assert_int_equal(word(&r, 0x100508), 0x100400);
	assert_int_equal(word(&r, 0x100600), 0);
	assert_int_equal(word(&r, 0x100608), 0x100500);
	recipe_free(&r);
}

static void vmcoreinfo_is_text(void **state)
{
	(void)state;
	struct recipe r;
	read_recipe(&r, "vmcoreinfo:\n\ttext \"OSRELEASE=3.10\"\n\tsymbol a = 0xff\n"
			"\tnumber phys_base = -4096\n");
	assert_string_equal(r.vmcoreinfo.data,
			    "OSRELEASE=3.10\nSYMBOL(a)=ff\nNUMBER(phys_base)=-4096\n");
	recipe_free(&r);
}

static void bad_recipes_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "\n\nfoo 1", "test:3: no directive 'foo'" },
		{ "phys 0: \"abc", "test:1: a string without its closing quote" },
		{ "phys 0: zz", "test:1: no symbol or constant 'zz'" },
		{ "phys 0 1", "test:1: expected ':' instead of '1'" },
		{ "phys 0: 1\n\t2\n\tu8 256", "test:3: 0x100 does not fit 8 bits" },
		{ "phys 0xffffffffffffff00: 1", "test:1: there is no physical address "
						"0xffffffffffffff00" },
		{ "virt 0: 1", "test:1: virtual addresses need a 'pagetable' first" },
		{ "set a 1 / 0", "test:1: division by zero" },
		{ "set a 0x10000000000000000",
		  "test:1: '0x10000000000000000' is no 64-bit number" },
		{ "use k", "test:1: no page table 'k'" },
		{ "map 0 0 4k", "test:1: a 'pagetable' must come first" },
		{ "pagetable k root 1 pool 0",
		  "test:1: 'root' and 'pool' must be physical addresses of pages" },
		{ "pagetable k root 0x1000 pool 0x2000\nmap 0 0 1g 1g\nmap 0 0 4k",
		  "test:3: 0 is mapped by a larger page already" },
		{ "prstatus 1: foo = 1", "test:1: 'foo' is no register or field of this note" },
		{ "format zip", "test:1: no format 'zip'" },
		{ "symbols \"no such file\"", "test:1: no file 'no such file'" },
		{ "put task_struct at 0:", "test:1: types need a 'symbols' file first" },
		{ "truncate 1 2", "test:1: '2' makes no sense here" },
		{ "drop", "test:1: expected 'piece N'" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recipe r;
		recipe_init(&r);
		struct err *e = recipe_read_text(&r, "test", cases[i].text);
		assert_non_null(e);
		assert_string_equal(err_msg(e), cases[i].message);
		err_free(e);
		recipe_free(&r);
	}
}

static void nesting_is_bounded(void **state)
{
	(void)state;
	static const char openers[] = "(-~[";
	for (size_t i = 0; openers[i]; i++) {
		char text[100000] = "set a ";
		memset(text + 6, openers[i], sizeof(text) - 7);
		struct recipe r;
		recipe_init(&r);
		struct err *e = recipe_read_text(&r, "test", text);
		assert_non_null(e);
		assert_string_equal(err_msg(e), "test:1: an expression nested too deeply");
		err_free(e);
		recipe_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_have_widths),
		cmocka_unit_test(expressions_follow_c),
		cmocka_unit_test(a_blank_ends_a_value_in_a_list),
		cmocka_unit_test(definitions_from_outside_win),
		cmocka_unit_test(pages_have_three_states),
		cmocka_unit_test(page_tables_translate),
		cmocka_unit_test(entries_can_be_damaged),
		cmocka_unit_test(lists_are_linked),
		cmocka_unit_test(vmcoreinfo_is_text),
		cmocka_unit_test(bad_recipes_are_named),
		cmocka_unit_test(nesting_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
