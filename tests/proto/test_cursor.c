// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "proto/cursor.h"

static struct cursor over(const char *text)
{
	return cursor_make(text, strlen(text));
}

static void reads(void **state)
{
	(void)state;
	size_t len;
	struct cursor c = over(":1f,FFFFffffFFFFffff;ab;c");
	assert_false(cursor_skip(&c, ';'));
	assert_true(cursor_skip(&c, ':'));
	assert_int_equal(cursor_hex(&c), 0x1f);
	cursor_expect(&c, ',');
	assert_true(cursor_hex(&c) == UINT64_MAX);
	assert_false(cursor_skip_text(&c, ";abc"));
	assert_true(cursor_skip_text(&c, ";"));
	assert_memory_equal(cursor_until(&c, ';', &len), "ab", 2);
	assert_int_equal(len, 2);
	assert_false(cursor_done(&c));
	assert_memory_equal(cursor_rest(&c, &len), ";c", 2);
	assert_int_equal(len, 2);
	assert_true(cursor_done(&c));
}

static void ends(void **state)
{
	(void)state;
	size_t len;
	struct cursor c = over("");
	assert_true(cursor_done(&c));
	assert_false(cursor_skip(&c, 0));
	assert_true(cursor_skip_text(&c, ""));
	cursor_until(&c, ';', &len);
	assert_int_equal(len, 0);
	cursor_rest(&c, &len);
	assert_int_equal(len, 0);
	assert_true(cursor_done(&c));
	cursor_expect(&c, 0);
	assert_false(cursor_done(&c));
}

/* Once bad, nothing is read any more. */
static void sticks(void **state)
{
	(void)state;
	size_t len;
	struct cursor c = over("x1,2");
	assert_int_equal(cursor_hex(&c), 0);
	assert_false(cursor_skip(&c, 'x'));
	assert_false(cursor_skip_text(&c, ""));
	assert_int_equal(cursor_hex(&c), 0);
	cursor_rest(&c, &len);
	assert_int_equal(len, 0);
	assert_int_equal(cursor_left(&c), 0);
	assert_false(cursor_done(&c));
}

static void numbers(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "-1", "+1", " 1", "0x1", "g", "12345678123456781" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cursor c = over(bad[i]);
		cursor_hex(&c);
		assert_false(cursor_done(&c));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(ends),
		cmocka_unit_test(sticks),
		cmocka_unit_test(numbers),
	};
	return cmocka_run_group_tests_name("cursor", tests, NULL, NULL);
}
