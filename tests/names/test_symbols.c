// SPDX-License-Identifier: GPL-2.0-or-later
/* Symbol tables: lookups by name and address, .symtab, and the maps under them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/name_map.h"
#include "tests/names/sample_files.h"
#include "vmcore/names/symbols.h"

#define TEXT UINT64_C(0xffffffff81000000)

struct input {
	const char *name;
	uint64_t address, size;
	char type;
	unsigned weight;
};

static struct symbols *make(const struct input *list, size_t count)
{
	struct symbols *s;
	assert_null(symbols_new("test", 0, &s));
	for (size_t i = 0; i < count; i++) {
		struct symbol symbol = { list[i].name, list[i].address, list[i].size,
					 list[i].type };
		assert_null(symbols_add(s, &symbol, strlen(list[i].name), list[i].weight));
	}
	assert_null(symbols_finish(s));
	return s;
}

static void assert_at(const struct symbols *s, uint64_t address, const char *name)
{
	struct symbol symbol;
	bool found = symbols_at(s, address, &symbol);
	if (!name) {
		assert_false(found);
		return;
	}
	assert_true(found);
	assert_string_equal(symbol.name, name);
}

static void the_best_symbol_holds_an_address(void **state)
{
	(void)state;
	static const struct input list[] = {
		{ "_end", TEXT + 0x1000, 0, 'B', 0 },
		{ "late", TEXT + 0x800, 0x10, 'T', 2 },
		{ "$x", TEXT + 0x420, 0, 't', 0 },
		{ ".Lloop", TEXT + 0x410, 0, 't', 0 },
		{ "$d", TEXT + 0x400, 0, 't', 0 },
		{ "label", TEXT + 0x400, 0, 't', 0 },
		{ "function", TEXT + 0x400, 0x40, 't', 3 },
		{ "Weak", TEXT + 0x400, 0, 'W', 0 },
		{ "__pfx_function", TEXT + 0x3f0, 0x10, 't', 3 },
		{ "__cfi_function", TEXT + 0x3e0, 0x10, 't', 3 },
		{ "b_second", TEXT + 0x300, 0, 't', 0 },
		{ "a_first", TEXT + 0x300, 0, 't', 0 },
		{ "global", TEXT + 0x200, 0, 'T', 0 },
		{ "local", TEXT + 0x200, 0, 't', 0 },
		{ "_stext", TEXT, 0, 'T', 0 },
		{ "__irqentry_text_start", TEXT + 0x200, 0, 'T', 0 },
		{ "absolute", TEXT + 0x500, 0, 'A', 0 },
		{ "per_cpu_thing", 0x1000, 8, 'D', 2 },
	};
	struct symbols *s = make(list, sizeof(list) / sizeof(list[0]));
	assert_at(s, TEXT - 1, NULL);
	assert_at(s, 0, NULL);
	assert_at(s, 0x1000, NULL);
	assert_at(s, UINT64_MAX, NULL);
	assert_at(s, TEXT, "_stext");
	assert_at(s, TEXT + 0x1ff, "_stext");
	assert_at(s, TEXT + 0x200, "global");
	assert_at(s, TEXT + 0x300, "a_first");
	assert_at(s, TEXT + 0x3f8, "a_first");
	assert_at(s, TEXT + 0x400, "function");
	assert_at(s, TEXT + 0x430, "function");
	assert_at(s, TEXT + 0x500, "function");
	assert_at(s, TEXT + 0x900, "late");
	assert_at(s, TEXT + 0xfff, "late");
	assert_at(s, TEXT + 0x1000, NULL);

	struct symbol symbol;
	assert_true(symbols_get(s, "a_first", &symbol));
	assert_int_equal(symbol.size, 0x100); /* up to function, not to what belongs to it */
	assert_true(symbols_get(s, "late", &symbol));
	assert_int_equal(symbol.size, 0x10);
	assert_true(symbols_get(s, "_end", &symbol));
	assert_int_equal(symbol.size, 0);
	for (size_t i = 1; i < symbols_count(s); i++)
		assert_true(symbols_nth(s, i - 1).address <= symbols_nth(s, i).address);
	assert_false(symbols_at(NULL, TEXT, &symbol));
	assert_false(symbols_get(NULL, "late", &symbol));
	assert_int_equal(symbols_named(NULL, "late"), 0);
	assert_int_equal(symbols_all_named(NULL, "late", &symbol, 1), 0);
	symbols_free(s);
	symbols_free(NULL);
}

/* RHEL 7's mem_encrypt_boot.S has a local `_end` amid the kernel's text. */
static void of_several_the_global_one_counts(void **state)
{
	(void)state;
	static const struct input list[] = {
		{ "early", TEXT, 0, 'T', 0 },	     { "_end", TEXT + 0x100, 0, 't', 0 },
		{ "late", TEXT + 0x800, 0, 'T', 0 }, { "_end", TEXT + 0x1000, 0, 'B', 0 },
		{ "both", TEXT + 0x200, 0, 't', 0 }, { "both", TEXT + 0x300, 0, 't', 0 },
	};
	struct symbols *s = make(list, sizeof(list) / sizeof(*list));
	uint64_t address;
	assert_true(symbols_address(s, "_end", &address));
	assert_int_equal(address, TEXT + 0x1000);
	assert_true(symbols_address(s, "both", &address));
	assert_int_equal(address, TEXT + 0x200);
	assert_at(s, TEXT + 0x900, "late");
	assert_at(s, TEXT + 0x1000, NULL);
	symbols_free(s);
}

static void without_end_the_last_symbol_is_it(void **state)
{
	(void)state;
	static const struct input sized[] = { { "one", TEXT, 0x20, 'T', 0 } };
	struct symbols *s = make(sized, 1);
	assert_at(s, TEXT + 0x1f, "one");
	assert_at(s, TEXT + 0x20, NULL);
	symbols_free(s);
	s = make(NULL, 0);
	assert_at(s, TEXT, NULL);
	assert_int_equal(symbols_count(s), 0);
	symbols_free(s);
}

/* __x64_sys_pause, __ia32_sys_pause and __do_sys_pause are one function: a trace of the kernel says
 * the last. */
static void aliases_are_named_as_the_kernel_does(void **state)
{
	(void)state;
	static const struct input list[] = {
		{ "__x64_sys_pause", TEXT, 0x20, 'T', 0 },
		{ "__ia32_sys_pause", TEXT, 0x20, 'T', 0 },
		{ "__do_sys_pause", TEXT, 0x20, 't', 0 },
		{ "__memcpy", TEXT + 0x20, 0x20, 'T', 0 },
		{ "memcpy", TEXT + 0x20, 0x20, 'W', 0 },
		{ "__ctors_start", TEXT + 0x40, 0, 'T', 0 },
		{ "_a_function", TEXT + 0x40, 0x20, 't', 0 },
		{ "function", TEXT + 0x40, 0x20, 't', 0 },
	};
	struct symbols *s = make(list, sizeof(list) / sizeof(list[0]));
	assert_at(s, TEXT + 1, "__do_sys_pause");
	assert_at(s, TEXT + 0x21, "__memcpy");
	assert_at(s, TEXT + 0x41, "function");
	symbols_free(s);
}

static void many_of_one_name_or_address(void **state)
{
	(void)state;
	struct symbols *s;
	assert_null(symbols_new("test", 3, &s));
	enum { COUNT = 300000 };
	for (uint64_t i = 0; i < COUNT; i++) {
		struct symbol symbol = { "same", TEXT + (COUNT - i), 0, 't' };
		assert_null(symbols_add(s, &symbol, 4, 0));
	}
	for (uint64_t i = 0; i < COUNT; i++) {
		char name[32];
		struct symbol symbol = { name, TEXT, 0, 't' };
		int len = snprintf(name, sizeof(name), "name%llu", (unsigned long long)i);
		assert_null(symbols_add(s, &symbol, (size_t)len, 0));
	}
	assert_null(symbols_finish(s));
	assert_int_equal(symbols_named(s, "same"), COUNT);
	uint64_t address;
	assert_true(symbols_address(s, "same", &address));
	assert_int_equal(address, TEXT + 1);
	assert_int_equal(symbols_named(s, "name299999"), 1);
	struct symbol some[3];
	assert_int_equal(symbols_all_named(s, "same", some, 2), 2);
	assert_int_equal(some[0].address, TEXT + 1);
	assert_int_equal(some[1].address, TEXT + 2);
	assert_int_equal(symbols_all_named(s, "name299999", some, 3), 1);
	assert_string_equal(some[0].name, "name299999");
	assert_int_equal(symbols_all_named(s, "name300000", some, 3), 0);
	assert_at(s, TEXT, "name0");
	struct symbol symbol = { "x", 0, 0, 't' };
	char big[5000] = { 0 };
	symbol.name = big;
	struct err *e = symbols_add(s, &symbol, sizeof(big), 0);
	assert_non_null(e);
	err_free(e);
	symbols_free(s);
}

static void maps_hold_what_was_put_in(void **state)
{
	(void)state;
	struct name_map m = NAME_MAP_INIT;
	static char names[50000][12];
	uint32_t number;
	assert_false(name_map_get(&m, "nothing", &number));
	for (uint32_t i = 0; i < 50000; i++) {
		bool added;
		snprintf(names[i], sizeof(names[i]), "%x", i * 2654435761U);
		uint32_t *slot = name_map_at(&m, names[i], &added);
		assert_non_null(slot);
		assert_true(added && !*slot);
		*slot = i;
	}
	for (uint32_t i = 0; i < 50000; i++) {
		bool added;
		assert_true(name_map_get(&m, names[i], &number));
		assert_int_equal(number, i);
		assert_int_equal(*name_map_at(&m, names[i], &added), i);
		assert_false(added);
	}
	assert_false(name_map_get(&m, "", &number));
	assert_false(name_map_reserve(&m, SIZE_MAX));
	name_map_free(&m);
}

static struct symbols *open_symtab(const char *name, uint64_t slide)
{
	int fd = open(sample_path(name), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	struct symbols *s = NULL;
	struct err *e = symbols_from_elf(fd, name, slide, &s);
	close(fd);
	if (e)
		fail_msg("%s", err_msg(e));
	return s;
}

static void assert_symbol(const struct symbols *s, const char *name, uint64_t address, char type)
{
	struct symbol symbol;
	assert_true(symbols_get(s, name, &symbol));
	assert_int_equal(symbol.address, address);
	assert_int_equal(symbol.type, type);
}

static void symtab_is_moved_by_the_slide(void **state)
{
	(void)state;
	const uint64_t slide = 0x1d000000;
	struct symbols *s = open_symtab("dwarf5.elf", slide);
	assert_string_equal(symbols_kind(s), "symtab");
	assert_symbol(s, "_stext", TEXT + slide, 'T');
	assert_symbol(s, "schedule", TEXT + slide, 'T');
	assert_symbol(s, "linux_banner", TEXT + slide + 0x1020, 'R');
	assert_symbol(s, "sample_pointer", TEXT + slide + 0x2270, 'B');
	assert_symbol(s, "init_uts_ns", TEXT + slide + 0x2020, 'D');
	/* Offsets and constants stay; an address in the per-CPU section does not. */
	assert_symbol(s, "__per_cpu_start", 0, 'D');
	assert_symbol(s, "cpu_number", 0x40, 'D');
	assert_symbol(s, "absolute_constant", 0x1234, 'A');
	assert_symbol(s, "__per_cpu_load", TEXT + slide + 0x2278, 'B');
	assert_at(s, TEXT + slide, "schedule");
	struct symbol symbol;
	assert_true(symbols_get(s, "runqueues", &symbol));
	assert_int_equal(symbol.size, 64);
	assert_true(symbols_get(s, "schedule", &symbol));
	assert_true(symbol.size > 0 && symbol.size < 0x20);
	/* Names of files and sections are none of symbols. */
	assert_int_equal(symbols_named(s, "sample.c"), 0);
	symbols_free(s);

	s = open_symtab("symbols-only.elf", 0);
	assert_symbol(s, "schedule", TEXT, 'T');
	symbols_free(s);
}

static void files_without_symbols(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum err_code code;
	} files[] = {
		{ "stripped.elf", ERR_NOTFOUND },
		{ "module.ko", ERR_FORMAT },
		{ "rust.s", ERR_FORMAT },
	};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!sample_exists(files[i].name))
			continue;
		struct symbols *s;
		int fd = open(sample_path(files[i].name), O_RDONLY | O_CLOEXEC);
		struct err *e = symbols_from_elf(fd, files[i].name, 0, &s);
		assert_non_null(e);
		assert_int_equal(err_code(e), files[i].code);
		assert_non_null(strstr(err_msg(e), files[i].name));
		err_free(e);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_symbol_holds_an_address),
		cmocka_unit_test(of_several_the_global_one_counts),
		cmocka_unit_test(without_end_the_last_symbol_is_it),
		cmocka_unit_test(aliases_are_named_as_the_kernel_does),
		cmocka_unit_test(many_of_one_name_or_address),
		cmocka_unit_test(maps_hold_what_was_put_in),
		cmocka_unit_test(symtab_is_moved_by_the_slide),
		cmocka_unit_test(files_without_symbols),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
