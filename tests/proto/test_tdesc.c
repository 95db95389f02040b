// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/target.h"
#include "proto/tdesc.h"

static const struct target_register good[] = {
	{ "rax", "a", "int64", "general", 64, false },
	{ "flags", "a", "i386_eflags", NULL, 32, true },
	{ "flags2", "a", "i386_eflags", NULL, 32, false },
	{ "st0", "b<&\"", "i387_ext", "float", 80, false },
	{ "cr0", "b<&\"", "x64_cr0", "system", 64, true },
};

static void document(void **state)
{
	(void)state;
	const struct target_register_ops ops = { .table = good, .count = 5 };
	struct buf out = BUF_INIT;
	assert_null(tdesc_build(&ops, &out));
	assert_non_null(strstr(out.data, "<architecture>i386:x86-64</architecture>\n"
					 "<osabi>none</osabi>\n<feature name=\"a\">\n"));
	assert_non_null(strstr(out.data, "<reg name=\"rax\" bitsize=\"64\" type=\"int64\" "
					 "group=\"general\"/>\n"));
	assert_non_null(strstr(out.data, "<reg name=\"flags\" bitsize=\"32\" type=\"i386_eflags\" "
					 "save-restore=\"no\"/>\n"));
	assert_non_null(strstr(out.data, "</feature>\n<feature name=\"b&lt;&amp;&quot;\">\n"
					 "<flags id=\"x64_cr0\" size=\"8\">\n"
					 "<field name=\"PE\" start=\"0\" end=\"0\"/>\n"));
	/* A type is told once in its feature. */
	const char *type = strstr(out.data, "<flags id=\"i386_eflags\"");
	assert_non_null(type);
	assert_null(strstr(type + 1, "<flags id=\"i386_eflags\""));
	buf_free(&out);
}

static void refused(const struct target_register *table, size_t count, const char *why)
{
	const struct target_register_ops ops = { .table = table, .count = count };
	struct buf out = BUF_INIT;
	struct err *e = tdesc_build(&ops, &out);
	assert_non_null(e);
	assert_int_equal(err_code(e), ERR_INVALID);
	assert_non_null(strstr(err_msg(e), why));
	err_free(e);
	buf_free(&out);
}

static void bad_tables(void **state)
{
	(void)state;
	static const struct target_register no_bits[] = { { "a", "f", "int", NULL, 0, false } };
	static const struct target_register odd[] = { { "a", "f", "int", NULL, 12, false } };
	static const struct target_register large[] = { { "a", "f", "int", NULL, 520, false } };
	static const struct target_register apart[] = { { "a", "f", "int", NULL, 8, false },
							{ "b", "g", "int", NULL, 8, false },
							{ "c", "f", "int", NULL, 8, false } };
	static struct target_register many[65];
	refused(good, 0, "empty");
	refused(no_bits, 1, "0 bits");
	refused(odd, 1, "12 bits");
	refused(large, 1, "520 bits");
	refused(apart, 3, "register c stands apart");
	for (size_t i = 0; i < 65; i++)
		many[i] = (struct target_register){ "z", "f", "int", NULL, 512, false };
	refused(many, 65, "4096 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(document),
		cmocka_unit_test(bad_tables),
	};
	return cmocka_run_group_tests_name("tdesc", tests, NULL, NULL);
}
