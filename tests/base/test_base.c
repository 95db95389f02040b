// SPDX-License-Identifier: GPL-2.0-or-later
/* The leaves: errors, buffers, hex, JSON, maps, logging. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "arch/address.h"
#include "arch/x86_64/base/regs.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"

static void err_wraps_outside_in(void **state)
{
	(void)state;
	struct err *e = err_new(ERR_FORMAT, "file is cut off at 0x%x", 0x40);
	e = err_wrap(e, "read ELF header");
	e = err_wrap(e, "open %s", "vmcore");
	assert_string_equal(err_msg(e), "open vmcore: read ELF header: file is cut off at 0x40");
	assert_int_equal(err_code(e), ERR_FORMAT);
	err_free(e);
	assert_null(err_wrap(NULL, "nothing"));
}

static void err_out_of_memory_is_static(void **state)
{
	(void)state;
	struct err *e = err_wrap(err_nomem(), "while");
	assert_int_equal(err_code(e), ERR_NOMEM);
	assert_string_equal(err_msg(e), "out of memory");
	err_free(e);
	err_free(e);
}

static void err_names_only_memory_kinds(void **state)
{
	(void)state;
	assert_string_equal(err_memory_kind(ERR_EXCLUDED), "excluded");
	assert_string_equal(err_memory_kind(ERR_NOTPRESENT), "not present");
	assert_string_equal(err_memory_kind(ERR_MISSING), "missing");
	assert_string_equal(err_memory_kind(ERR_CORRUPT), "corrupt");
	assert_null(err_memory_kind(ERR_IO));
}

static void buf_is_always_a_string(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	assert_string_equal(b.data, "");
	buf_addf(&b, "%d-%s", 7, "seven");
	buf_addch(&b, '!');
	assert_string_equal(b.data, "7-seven!");
	buf_fill(&b, 'x', 0);
	assert_string_equal(b.data, "7-seven!");
	buf_fill(&b, 'x', 70);
	assert_int_equal(b.len, 78);
	assert_string_equal(b.data + 76, "xx");
	buf_cut(&b, 8);
	buf_drop(&b, 2);
	assert_string_equal(b.data, "seven!");
	buf_cut(&b, 5);
	assert_string_equal(b.data, "seven");
	buf_drop(&b, 0);
	buf_reset(&b);
	assert_string_equal(b.data, "");
	for (int i = 0; i < 10000; i++)
		buf_addch(&b, 'x');
	assert_int_equal(b.len, 10000);
	assert_int_equal(strlen(b.data), 10000);
	buf_free(&b);
	assert_string_equal(b.data, "");
}

/* What is formatted fits into the room that there is, to the last byte, or makes more. */
static void buf_formats_at_its_end(void **state)
{
	(void)state;
	for (size_t filled = 0; filled < 200; filled++) {
		struct buf b = BUF_INIT;
		for (size_t i = 0; i < filled; i++)
			buf_addch(&b, 'x');
		buf_addf(&b, "%s-%d", "seven", 42);
		assert_int_equal(b.len, filled + 8);
		assert_string_equal(b.data + filled, "seven-42");
		buf_addf(&b, "%s", "");
		assert_int_equal(b.len, filled + 8);
		buf_free(&b);
	}
}

static void buf_remembers_failure(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	assert_false(buf_reserve(&b, SIZE_MAX / 2));
	buf_addstr(&b, "dropped");
	assert_int_equal(b.len, 0);
	struct err *e = buf_error(&b);
	assert_non_null(e);
	err_free(e);
	buf_reset(&b);
	assert_null(buf_error(&b));
	buf_free(&b);
}

static void buf_escapes_xml(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	/* The last one is cut off within a character, as long names are. */
	buf_addxml(&b, "<a&\"b'>\x01\xff schl\xc3\xa4"
		       "ft \xe2\x82");
	assert_string_equal(b.data, "&lt;a&amp;&quot;b&apos;&gt;?? schl\xc3\xa4"
				    "ft ??");
	buf_free(&b);
}

static void hex_is_strict(void **state)
{
	(void)state;
	uint64_t v;
	unsigned char bytes[2];
	assert_true(hex_u64("ffffffff81000000", 16, &v));
	assert_int_equal(v, UINT64_C(0xffffffff81000000));
	assert_true(hex_u64("Ab", 2, &v));
	assert_int_equal(v, 0xab);
	assert_false(hex_u64("", 0, &v));
	assert_false(hex_u64("12345678123456781", 17, &v));
	assert_false(hex_u64("0x1", 3, &v));
	assert_false(hex_u64(" 1", 2, &v));
	assert_false(hex_u64("-1", 2, &v));
	assert_int_equal(hex_prefix("12Ef,8", 6, &v), 4);
	assert_int_equal(v, 0x12ef);
	assert_int_equal(hex_prefix("12Ef,8", 2, &v), 2);
	assert_int_equal(v, 0x12);
	assert_int_equal(hex_prefix(",8", 2, &v), 0);
	assert_int_equal(hex_prefix("12345678123456781", 17, &v), 17);
	assert_true(hex_decode(bytes, "12Ef", 4));
	assert_int_equal(bytes[0], 0x12);
	assert_int_equal(bytes[1], 0xef);
	assert_false(hex_decode(bytes, "123", 3));
	assert_false(hex_decode(bytes, "12g4", 4));
}

/* All bytes, and lengths from 0 on, against printf. */
static void hex_digits_are_those_of_printf(void **state)
{
	(void)state;
	unsigned char bytes[256];
	char digits[sizeof(bytes) * 2 + 1], expected[sizeof(digits)];
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (unsigned char)(i * 151 + 16);
		sprintf(expected + 2 * i, "%02x", bytes[i]);
	}
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		memset(digits, '?', sizeof(digits));
		uint8_t sum = 0;
		for (size_t i = 0; i < 2 * len; i++)
			sum = (uint8_t)(sum + expected[i]);
		assert_int_equal(hex_encode(digits, bytes, len), sum);
		assert_memory_equal(digits, expected, 2 * len);
		assert_int_equal(digits[2 * len], '?');
	}
}

static void numbers_are_whole(void **state)
{
	(void)state;
	uint64_t v;
	assert_true(number_parse("18446744073709551615", false, &v));
	assert_int_equal(v, UINT64_MAX);
	assert_false(number_parse("18446744073709551616", false, &v));
	assert_true(number_parse("0xff", false, &v));
	assert_int_equal(v, 255);
	assert_true(number_parse("ff", true, &v));
	assert_int_equal(v, 255);
	assert_false(number_parse("ff", false, &v));
	assert_false(number_parse("0x", true, &v));
	assert_false(number_parse("", false, &v));
	assert_false(number_parse("12 ", false, &v));
}

static void json_sets_commas_and_escapes(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	struct json j = JSON_INIT(&b);
	json_object(&j, NULL);
	json_str(&j, "comm", "a\"b\\\n\xc3\xa9\xff");
	json_u64(&j, "tid", UINT64_MAX);
	json_array(&j, "list");
	json_hex(&j, NULL, 0x10);
	json_hex(&j, NULL, UINT64_MAX);
	json_u64(&j, NULL, 0);
	json_object(&j, NULL);
	json_end(&j);
	json_end(&j);
	json_bool(&j, "on", false);
	json_end(&j);
	assert_string_equal(
		b.data,
		"{\"comm\":\"a\\\"b\\\\\\u000a\xc3\xa9\\ufffd\","
		"\"tid\":18446744073709551615,\"list\":[\"0x10\",\"0xffffffffffffffff\",0,{}],"
		"\"on\":false}");
	buf_free(&b);
}

/* Against a plain array, with keys that collide often. */
static void map_agrees_with_an_array(void **state)
{
	enum { KEYS = 512, STEPS = 20000 };
	uint64_t values[KEYS] = { 0 };
	bool there[KEYS] = { false };
	struct map m = MAP_INIT;
	uint32_t random = 1;
	(void)state;
	for (int i = 0; i < STEPS; i++) {
		random = random * 1664525 + 1013904223;
		unsigned key = random >> 16 & (KEYS - 1);
		uint64_t value;
		bool added;
		switch (random >> 30) {
		case 0:
			map_remove(&m, key);
			there[key] = false;
			break;
		case 1:
			assert_true(map_add(&m, key, (uint64_t)i, &added));
			assert_int_equal(added, !there[key]);
			if (added)
				values[key] = (uint64_t)i;
			there[key] = true;
			break;
		default:
			assert_true(map_put(&m, key, (uint64_t)i));
			values[key] = (uint64_t)i;
			there[key] = true;
		}
		unsigned other = random >> 8 & (KEYS - 1);
		assert_int_equal(map_get(&m, other, &value), there[other]);
		if (there[other])
			assert_int_equal(value, values[other]);
	}
	size_t count = 0;
	for (int i = 0; i < KEYS; i++)
		count += there[i];
	assert_int_equal(m.used, count);
	map_free(&m);
}

static void ranges_do_not_wrap(void **state)
{
	(void)state;
	assert_true(range_within(0, 0, 0));
	assert_true(range_within(4, 4, 8));
	assert_false(range_within(4, 5, 8));
	assert_false(range_within(UINT64_MAX, 2, 8));
	assert_false(range_within(2, UINT64_MAX, 8));
}

static void log_knows_its_categories(void **state)
{
	(void)state;
	struct err *e = log_enable("packet,nonsense");
	assert_non_null(e);
	assert_non_null(strstr(err_msg(e), "nonsense"));
	assert_false(log_on(LOG_PACKET));
	err_free(e);
	assert_null(log_enable("tasks,dump"));
	assert_true(log_on(LOG_TASKS));
	assert_true(log_on(LOG_DUMP));
	assert_false(log_on(LOG_PACKET));
}

/* Documentation/arch/x86/x86_64/mm.rst, both tables: the first and last address of each half. */
static void addresses_have_one_owner(void **state)
{
	(void)state;
	static const struct {
		uint64_t address;
		bool user, kernel;
	} cases[] = {
		{ 0, true, false },
		{ UINT64_C(0x00007fffffffffff), true, false },	/* user, four levels */
		{ UINT64_C(0x0000800000000000), true, false },	/* user, five levels alone */
		{ UINT64_C(0x00ffffffffffffff), true, false },	/* user, five levels */
		{ UINT64_C(0x0100000000000000), false, false }, /* not canonical */
		{ UINT64_C(0x8000000000000000), false, false },
		{ UINT64_C(0xfeffffffffffffff), false, false },
		{ UINT64_C(0xff00000000000000), false, true }, /* kernel, five levels */
		{ UINT64_C(0xffff7fffffffffff), false, true }, /* kernel, five levels alone */
		{ UINT64_C(0xffff800000000000), false, true }, /* kernel, four levels */
		{ UINT64_MAX, false, true },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(is_user_address(cases[i].address), cases[i].user);
		assert_int_equal(is_kernel_address(cases[i].address), cases[i].kernel);
	}
}

static void registers_are_known_or_not(void **state)
{
	(void)state;
	struct regs r = { 0 };
	assert_false(regs_known(&r, REG_ORIG_RAX));
	regs_set(&r, REG_ORIG_RAX, 0);
	assert_true(regs_known(&r, REG_ORIG_RAX));
	regs_forget(&r, REG_ORIG_RAX);
	assert_false(regs_known(&r, REG_ORIG_RAX));
	assert_string_equal(x86_64_regs.names[REG_RIP], "rip");
	assert_string_equal(x86_64_regs.names[REG_ORIG_RAX], "orig_rax");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_wraps_outside_in),
		cmocka_unit_test(err_out_of_memory_is_static),
		cmocka_unit_test(err_names_only_memory_kinds),
		cmocka_unit_test(buf_is_always_a_string),
		cmocka_unit_test(buf_formats_at_its_end),
		cmocka_unit_test(buf_remembers_failure),
		cmocka_unit_test(buf_escapes_xml),
		cmocka_unit_test(hex_is_strict),
		cmocka_unit_test(hex_digits_are_those_of_printf),
		cmocka_unit_test(numbers_are_whole),
		cmocka_unit_test(json_sets_commas_and_escapes),
		cmocka_unit_test(map_agrees_with_an_array),
		cmocka_unit_test(ranges_do_not_wrap),
		cmocka_unit_test(log_knows_its_categories),
		cmocka_unit_test(addresses_have_one_owner),
		cmocka_unit_test(registers_are_known_or_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
