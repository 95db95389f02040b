// SPDX-License-Identifier: GPL-2.0-or-later
/* kallsyms tables as the kernel's script writes them, in all their layouts, and damaged ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/names/kallsyms.h"
#include "vmcore/names/symbols.h"
#include "vmcore/names/vmcoreinfo.h"

/* Where the tables of the tests lie in a made-up memory. */
enum { MEMORY_SIZE = 1 << 20 };
#define NUM_SYMS    UINT64_C(0xffffffff82000000)
#define NAMES	    UINT64_C(0xffffffff82000100)
#define TOKEN_TABLE UINT64_C(0xffffffff82080000)
#define TOKEN_INDEX UINT64_C(0xffffffff82090000)
#define OFFSETS	    UINT64_C(0xffffffff820a0000)
#define BASE	    UINT64_C(0xffffffff820ff000)
#define TEXT	    UINT64_C(0xffffffff81000000)

enum layout { ABSOLUTE_PERCPU, BASE_RELATIVE, PLACE_RELATIVE, ADDRESSES };

struct machine {
	uint8_t bytes[MEMORY_SIZE]; /* from NUM_SYMS on */
	uint64_t end;		    /* addresses from here on cannot be read */
	size_t piece;		    /* at most as many bytes a read */
	struct buf info;
};

static struct err *read_machine(void *self, uint64_t address, void *out, size_t len,
				size_t *ret_done)
{
	struct machine *m = self;
	if (address < NUM_SYMS || address >= m->end)
		return err_new(ERR_MISSING, "nothing at 0x%llx", (unsigned long long)address);
	uint64_t left = m->end - address;
	size_t n = len < left ? len : (size_t)left;
	n = n < m->piece ? n : m->piece;
	memcpy(out, m->bytes + (address - NUM_SYMS), n);
	*ret_done = n;
	return NULL;
}

static uint8_t *at(struct machine *m, uint64_t address)
{
	return m->bytes + (address - NUM_SYMS);
}

struct input {
	const char *name; /* with the type letter in front */
	uint64_t address;
};

static const struct input small[] = {
	{ "Afixed_percpu_data", 0 },
	{ "Acpu_number", 0x1f0 },
	{ "T_text", TEXT },
	{ "T_stext", TEXT },
	{ "t__pfx_do_one", TEXT + 0xf0 },
	{ "tdo_one", TEXT + 0x100 },
	{ "tdo_one", TEXT + 0x180 },
	{ "Tschedule", TEXT + 0x200 },
	{ "Dinit_uts_ns", TEXT + 0x1000 },
	{ "Dtop", TEXT + 0x1800 },
	{ "B_end", TEXT + 0x2000 },
};
enum { SMALL = sizeof(small) / sizeof(small[0]) };

/* Tokens: every byte for itself, and "do_" and "s" + "ch" as longer ones on bytes no name has. */
static void write_tokens(struct machine *m)
{
	uint16_t where = 0;
	for (unsigned i = 0; i < 256; i++) {
		char text[8] = { (char)i, 0 };
		if (i == 1)
			strcpy(text, "do_");
		if (i == 2)
			strcpy(text, "sch");
		if (i == 0)
			strcpy(text, "?");
		at(m, TOKEN_INDEX)[2 * i] = (uint8_t)where;
		at(m, TOKEN_INDEX)[2 * i + 1] = (uint8_t)(where >> 8);
		memcpy(at(m, TOKEN_TABLE) + where, text, strlen(text) + 1);
		where = (uint16_t)(where + strlen(text) + 1);
	}
}

/* Writes one name, compressed; the result is its length there. */
static size_t write_name(uint8_t *out, const char *name)
{
	uint8_t tokens[2048];
	size_t n = 0;
	while (*name) {
		if (!strncmp(name, "do_", 3)) {
			tokens[n++] = 1;
			name += 3;
		} else if (!strncmp(name, "sch", 3)) {
			tokens[n++] = 2;
			name += 3;
		} else {
			tokens[n++] = (uint8_t)*name++;
		}
	}
	size_t head = 0;
	if (n > 0x7f) {
		out[head++] = (uint8_t)(0x80 | (n & 0x7f));
		out[head++] = (uint8_t)(n >> 7);
	} else {
		out[head++] = (uint8_t)n;
	}
	memcpy(out + head, tokens, n);
	return head + n;
}

static void write_place(struct machine *m, enum layout layout, size_t i, uint64_t address)
{
	switch (layout) {
	case ABSOLUTE_PERCPU:
		put_u32(at(m, OFFSETS) + 4 * i,
			(uint32_t)(address >> 63 ? TEXT - 1 - address : address));
		break;
	case BASE_RELATIVE:
		put_u32(at(m, OFFSETS) + 4 * i, (uint32_t)(address - TEXT));
		break;
	case PLACE_RELATIVE:
		put_u32(at(m, OFFSETS) + 4 * i, (uint32_t)(address - (OFFSETS + 4 * i)));
		break;
	case ADDRESSES:
		put_u64(at(m, OFFSETS) + 8 * i, address);
		break;
	}
}

static void add_info(struct machine *m, const char *name, uint64_t address)
{
	buf_addf(&m->info, "SYMBOL(%s)=%llx\n", name, (unsigned long long)address);
}

static struct machine *make_machine(enum layout layout, const struct input *symbols, size_t count)
{
	struct machine *m = calloc(1, sizeof(*m));
	assert_non_null(m);
	m->end = NUM_SYMS + MEMORY_SIZE;
	m->piece = SIZE_MAX;
	buf_init(&m->info);
	put_u32(at(m, NUM_SYMS), (uint32_t)count);
	write_tokens(m);
	uint8_t *names = at(m, NAMES);
	for (size_t i = 0; i < count; i++) {
		names += write_name(names, symbols[i].name);
		write_place(m, layout, i, symbols[i].address);
	}
	put_u64(at(m, BASE), TEXT);
	add_info(m, "_stext", TEXT);
	add_info(m, "init_uts_ns", TEXT + 0x1000);
	add_info(m, "kallsyms_num_syms", NUM_SYMS);
	add_info(m, "kallsyms_names", NAMES);
	add_info(m, "kallsyms_token_table", TOKEN_TABLE);
	add_info(m, "kallsyms_token_index", TOKEN_INDEX);
	add_info(m, layout == ADDRESSES ? "kallsyms_addresses" : "kallsyms_offsets", OFFSETS);
	if (layout == ABSOLUTE_PERCPU || layout == BASE_RELATIVE)
		add_info(m, "kallsyms_relative_base", BASE);
	return m;
}

static void free_machine(struct machine *m)
{
	buf_free(&m->info);
	free(m);
}

static struct err *decode(struct machine *m, struct symbols **ret)
{
	struct vmcoreinfo *info;
	assert_null(vmcoreinfo_parse(m->info.data, m->info.len, &info));
	struct kallsyms_memory memory = { m, read_machine };
	struct err *e = kallsyms_read(&memory, info, ret);
	vmcoreinfo_free(info);
	return e;
}

static struct symbols *decoded(struct machine *m)
{
	struct symbols *s = NULL;
	struct err *e = decode(m, &s);
	if (e)
		fail_msg("%s", err_msg(e));
	return s;
}

static void assert_fails(struct machine *m, enum err_code code)
{
	struct symbols *s;
	struct err *e = decode(m, &s);
	assert_non_null(e);
	assert_int_equal(err_code(e), code);
	err_free(e);
}

static void check_small(const struct symbols *s, bool with_percpu)
{
	assert_string_equal(symbols_kind(s), "kallsyms");
	for (size_t i = with_percpu ? 0 : 2; i < SMALL; i++) {
		struct symbol symbol;
		assert_true(symbols_get(s, small[i].name + 1, &symbol));
		assert_int_equal(symbol.type, small[i].name[0]);
		if (symbols_named(s, small[i].name + 1) == 1)
			assert_int_equal(symbol.address, small[i].address);
	}
	uint64_t address;
	assert_true(symbols_address(s, "do_one", &address));
	assert_int_equal(address, TEXT + 0x100);
	assert_int_equal(symbols_named(s, "do_one"), 2);
	assert_false(symbols_address(s, "nothing", &address));

	struct symbol symbol;
	assert_true(symbols_at(s, TEXT + 0xf8, &symbol));
	assert_string_equal(symbol.name, "_stext"); /* not __pfx_do_one */
	assert_true(symbols_at(s, TEXT + 0x1ff, &symbol));
	assert_int_equal(symbol.address, TEXT + 0x180);
	assert_int_equal(symbol.size, 0x80);
	assert_false(symbols_at(s, TEXT + 0x2000, &symbol));
	assert_false(symbols_at(s, TEXT - 1, &symbol));
	assert_false(symbols_at(s, 0x1f8, &symbol));
}

static void all_layouts_decode(void **state)
{
	(void)state;
	static const enum layout layouts[] = { ABSOLUTE_PERCPU, PLACE_RELATIVE, ADDRESSES };
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		struct machine *m = make_machine(layouts[i], small, SMALL);
		bool place = layouts[i] == PLACE_RELATIVE;
		/* What is near 0 cannot be said relative to a place 2 GiB away from the top. */
		if (place)
			memset(at(m, OFFSETS), 0, 8);
		struct symbols *s = decoded(m);
		assert_int_equal(symbols_count(s), SMALL);
		check_small(s, !place);
		symbols_free(s);
		free_machine(m);
	}
}

static void unsigned_offsets_are_told_apart(void **state)
{
	(void)state;
	struct machine *m = make_machine(BASE_RELATIVE, small + 2, SMALL - 2);
	struct symbols *s = decoded(m);
	check_small(s, false);
	symbols_free(s);
	free_machine(m);
}

static void memory_in_pieces(void **state)
{
	(void)state;
	struct machine *m = make_machine(PLACE_RELATIVE, small + 2, SMALL - 2);
	/* Names come in single bytes; the other tables are read whole. */
	m->piece = 4096;
	m->end = OFFSETS + 4096;
	struct symbols *s = decoded(m);
	check_small(s, false);
	symbols_free(s);
	free_machine(m);
}

static void long_names(void **state)
{
	(void)state;
	char name[512];
	memset(name, 'x', sizeof(name));
	name[0] = 't';
	name[400] = 0;
	struct input symbols[] = {
		{ "T_stext", TEXT },
		{ name, TEXT + 1 },
		{ "tshort", TEXT + 2 },
	};
	struct machine *m = make_machine(BASE_RELATIVE, symbols, 3);
	struct symbols *s = decoded(m);
	uint64_t address;
	assert_true(symbols_address(s, name + 1, &address));
	assert_int_equal(address, TEXT + 1);
	assert_true(symbols_address(s, "short", &address));
	symbols_free(s);
	free_machine(m);
}

static void tables_that_are_not_named(void **state)
{
	(void)state;
	static const char *const needed[] = { "kallsyms_num_syms", "kallsyms_names",
					      "kallsyms_token_table", "kallsyms_token_index",
					      "kallsyms_offsets" };
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		struct machine *m = make_machine(PLACE_RELATIVE, small + 2, SMALL - 2);
		memcpy(strstr(m->info.data, needed[i]), "elsewhere", 9);
		assert_fails(m, ERR_NOTFOUND);
		free_machine(m);
	}
}

static void tables_that_contradict_vmcoreinfo(void **state)
{
	(void)state;
	static const enum layout layouts[] = { ABSOLUTE_PERCPU, BASE_RELATIVE, PLACE_RELATIVE,
					       ADDRESSES };
	for (size_t i = 0; i < 4; i++) {
		struct machine *m = make_machine(layouts[i], small + 2, SMALL - 2);
		/* init_uts_ns is elsewhere by one byte. */
		write_place(m, layouts[i], 6, TEXT + 0x1001);
		assert_fails(m, ERR_CORRUPT);
		free_machine(m);
	}
	/* Nothing in it that VMCOREINFO knows. */
	struct machine *m = make_machine(PLACE_RELATIVE, small + 4, 3);
	assert_fails(m, ERR_CORRUPT);
	free_machine(m);
}

static void damaged_tables(void **state)
{
	(void)state;
	struct machine *m = make_machine(ABSOLUTE_PERCPU, small, SMALL);
	put_u32(at(m, NUM_SYMS), 0);
	assert_fails(m, ERR_CORRUPT);
	put_u32(at(m, NUM_SYMS), 0xffffffff);
	assert_fails(m, ERR_CORRUPT);
	put_u32(at(m, NUM_SYMS), 1 << 20); /* more than memory holds */
	assert_fails(m, ERR_MISSING);
	put_u32(at(m, NUM_SYMS), SMALL + 1); /* then comes a name of no bytes */
	assert_fails(m, ERR_CORRUPT);
	put_u32(at(m, NUM_SYMS), SMALL);

	at(m, NAMES)[0] = 0;
	assert_fails(m, ERR_CORRUPT);
	at(m, NAMES)[0] = 0xff;
	at(m, NAMES)[1] = 0xff;
	assert_fails(m, ERR_CORRUPT); /* longer than a name can be */
	free_machine(m);

	m = make_machine(ABSOLUTE_PERCPU, small, SMALL);
	memset(at(m, TOKEN_TABLE), 'x', 0x10000 + 2048);
	assert_fails(m, ERR_CORRUPT);
	free_machine(m);

	m = make_machine(ABSOLUTE_PERCPU, small, SMALL);
	memset(at(m, TOKEN_INDEX), 0xff, 512);
	m->end = TOKEN_TABLE + 600;
	assert_fails(m, ERR_MISSING);
	free_machine(m);
}

/* ---- as /proc prints it ---- */

static void lines_of_proc_kallsyms(void **state)
{
	(void)state;
	static const char text[] = "0000000000001000 A cpu_tss_rw\n"
				   "ffffffff81000000 T _stext\n"
				   "ffffffff81000000 T startup_64\n"
				   "ffffffff81000040 t do_one\n"
				   "ffffffff81000080 T _end";
	struct symbols *s;
	struct symbol symbol;
	assert_null(symbols_from_kallsyms_text(text, NULL, &s));
	assert_string_equal(symbols_kind(s), "/proc/kallsyms");
	assert_int_equal(symbols_count(s), 5);
	assert_true(symbols_get(s, "cpu_tss_rw", &symbol));
	assert_int_equal(symbol.address, 0x1000);
	assert_int_equal(symbol.type, 'A');
	assert_true(symbols_at(s, TEXT + 0x7f, &symbol));
	assert_string_equal(symbol.name, "do_one");
	assert_int_equal(symbol.size, 0x40);
	assert_true(symbols_at(s, TEXT, &symbol));
	assert_string_equal(symbol.name, "startup_64");
	assert_false(symbols_at(s, TEXT + 0x80, &symbol));
	symbols_free(s);
}

static void lines_that_are_none(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"\n",
		"ffffffff81000000\n",
		"ffffffff81000000 \n",
		"ffffffff81000000 T\n",
		"ffffffff81000000 T \n",
		"ffffffff81000000 Txname\n",
		"ffffffff81000000  T name\n",
		"0xffffffff81000000 T name\n",
		" T name\n",
		"1ffffffff81000000 T name\n",
		"ffffffff81000000 T good\n\n",
	};
	struct symbols *s;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct err *e = symbols_from_kallsyms_text(texts[i], NULL, &s);
		if (!e)
			fail_msg("%s", texts[i]);
		assert_int_equal(err_code(e), ERR_CORRUPT);
		err_free(e);
	}
	char *text = malloc(4096);
	assert_non_null(text);
	memset(text, 'n', 4096);
	memcpy(text, "ffffffff81000000 T ", 19);
	text[4095] = 0;
	struct err *e = symbols_from_kallsyms_text(text, NULL, &s);
	assert_non_null(e);
	err_free(e);
	free(text);
}

static void lines_of_another_kernel(void **state)
{
	(void)state;
	static const char info_text[] = "SYMBOL(_stext)=ffffffff81000000\n";
	struct vmcoreinfo *info;
	struct symbols *s;
	assert_null(vmcoreinfo_parse(info_text, strlen(info_text), &info));
	assert_null(symbols_from_kallsyms_text("ffffffff81000000 T _stext\n", info, &s));
	symbols_free(s);
	struct err *e = symbols_from_kallsyms_text("ffffffff91000000 T _stext\n", info, &s);
	assert_non_null(e);
	assert_non_null(strstr(err_msg(e), "disagrees with VMCOREINFO"));
	err_free(e);
	vmcoreinfo_free(info);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_layouts_decode),
		cmocka_unit_test(unsigned_offsets_are_told_apart),
		cmocka_unit_test(memory_in_pieces),
		cmocka_unit_test(long_names),
		cmocka_unit_test(tables_that_are_not_named),
		cmocka_unit_test(tables_that_contradict_vmcoreinfo),
		cmocka_unit_test(damaged_tables),
		cmocka_unit_test(lines_of_proc_kallsyms),
		cmocka_unit_test(lines_that_are_none),
		cmocka_unit_test(lines_of_another_kernel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
