// SPDX-License-Identifier: GPL-2.0-or-later
/* The three printers of rows, by cases: a value, how its column is shown, and what is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "server/monitor/rows.h"

static void pair_text(const void *of, struct buf *out)
{
	const unsigned *pair = of;
	buf_addf(out, "%u<%u", pair[0], pair[1]);
}

static void pair_json(const void *of, const char *key, struct json *j)
{
	const unsigned *pair = of;
	json_array(j, key);
	json_u64(j, NULL, pair[0]);
	json_u64(j, NULL, pair[1]);
	json_end(j);
}

static const struct value_printers pair_printers = { pair_text, pair_json };
static const unsigned pair[] = { 3, 7 };

static struct value unknown(void)
{
	return (struct value){ .type = VALUE_UNKNOWN };
}

/* Of one column, called k where it has a name. */
#define ITEM(text) "<item><column name=\"k\">" text "</column></item>\n"

static void values_are_printed_in_three_ways(void **state)
{
	(void)state;
	const struct {
		struct value value;
		struct column column;
		const char *text, *json, *osdata;
	} cases[] = {
		/* numbers */
		{ value_number(0), { 0 }, "0\n", "{\"k\":0}\n", ITEM("0") },
		{ value_number(UINT64_MAX),
		  { 0 },
		  "18446744073709551615\n",
		  "{\"k\":18446744073709551615}\n",
		  ITEM("18446744073709551615") },
		{ value_integer(-5), { 0 }, "-5\n", "{}\n", ITEM("-5") },
		{ value_integer(INT64_MIN),
		  { 0 },
		  "-9223372036854775808\n",
		  "{}\n",
		  ITEM("-9223372036854775808") },
		{ value_integer(12), { 0 }, "12\n", "{\"k\":12}\n", ITEM("12") },
		{ value_hex(0), { 0 }, "0x0\n", "{\"k\":\"0x0\"}\n", ITEM("0x0") },
		{ value_hex(0xffffffff81000000),
		  { 0 },
		  "0xffffffff81000000\n",
		  "{\"k\":\"0xffffffff81000000\"}\n",
		  ITEM("0xffffffff81000000") },
		{ value_hex(0x1f),
		  { .digits = 16 },
		  "0x000000000000001f\n",
		  "{\"k\":\"0x1f\"}\n",
		  ITEM("0x1f") },
		/* widths: of text alone */
		{ value_number(42), { .width = 5 }, "   42\n", "{\"k\":42}\n", ITEM("42") },
		{ value_number(42),
		  { .before = "<", .width = -5, .after = ">" },
		  "<42   >\n",
		  "{\"k\":42}\n",
		  ITEM("42") },
		{ value_number(123456),
		  { .width = 3 },
		  "123456\n",
		  "{\"k\":123456}\n",
		  ITEM("123456") },
		/* units */
		{ value_number(0), { .unit = " vCPU" }, "0 vCPUs\n", "{\"k\":0}\n", NULL },
		{ value_number(1), { .unit = " vCPU" }, "1 vCPU\n", "{\"k\":1}\n", NULL },
		{ value_number(2), { .unit = " vCPU" }, "2 vCPUs\n", "{\"k\":2}\n", NULL },
		{ value_hex(0),
		  { .before = "moved by ", .not_zero = true },
		  "\n",
		  "{\"k\":\"0x0\"}\n",
		  ITEM("0x0") },
		/* yes and no */
		{ value_bool(true),
		  { .before = " (packed)", .instead = " (plain)" },
		  " (packed)\n",
		  "{\"k\":true}\n",
		  ITEM("yes") },
		{ value_bool(false),
		  { .before = " (packed)", .instead = " (plain)" },
		  " (plain)\n",
		  "{\"k\":false}\n",
		  ITEM("no") },
		{ value_bool(false),
		  { .before = " (packed)" },
		  "\n",
		  "{\"k\":false}\n",
		  ITEM("no") },
		/* text, which is a stranger's */
		{ value_text(""), { 0 }, "\n", "{\"k\":\"\"}\n", ITEM("") },
		{ value_text("a<b>&\"\x1b[2J\xff"),
		  { 0 },
		  "a<b>&\"\\x1b[2J\\xff\n",
		  "{\"k\":\"a<b>&\\\"\\u001b[2J\\ufffd\"}\n",
		  ITEM("a&lt;b&gt;&amp;&quot;?[2J?") },
		{ value_char('S'), { 0 }, "S\n", "{\"k\":\"S\"}\n", ITEM("S") },
		{ value_char('<'), { 0 }, "<\n", "{\"k\":\"<\"}\n", ITEM("&lt;") },
		{ value_parts(&pair_printers, pair),
		  { .width = -5, .after = "|" },
		  "3<7  |\n",
		  "{\"k\":[3,7]}\n",
		  ITEM("3&lt;7") },
		/* what is not known */
		{ unknown(), { .before = ", ", .width = 4, .after = "." }, "\n", "{}\n", ITEM("") },
		{ unknown(),
		  { .before = ", ", .width = 4, .after = ".", .missing = "-" },
		  ",    -.\n",
		  "{}\n",
		  ITEM("") },
		{ unknown(),
		  { .before = ", ", .after = ".", .instead = " nowhere" },
		  " nowhere\n",
		  "{}\n",
		  ITEM("") },
		{ value_text(NULL), { 0 }, "\n", "{}\n", ITEM("") },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		static const struct key k = { 0, "k" };
		const struct row_kind kind = { { &cases[i].column, 1 }, { &k, 1 }, { &k, 1 } };
		const char *expected[] = { cases[i].text, cases[i].json, cases[i].osdata };
		for (int printer = PRINT_TEXT; printer <= PRINT_OSDATA; printer++) {
			struct buf out = BUF_INIT;
			row_print(&kind, (enum row_printer)printer, &cases[i].value, &out);
			if (expected[printer] && strcmp(expected[printer], out.data) != 0)
				fail_msg("case %zu, printer %d: '%s' is not '%s'", i, printer,
					 out.data, expected[printer]);
			buf_free(&out);
		}
	}
}

enum { TID, COMM, CPU, VALUES };

static const struct column in_text[] = {
	{ TID, "tid", .width = 6 },
	{ COMM, "comm", "  ", .width = -8 },
	{ CPU, .before = " on ", .missing = "none" },
};
static const struct key in_json[] = { { CPU, "cpu" }, { COMM, "comm" }, { TID, "tid" } };
static const struct row_kind kind = { .text = COLUMNS(in_text), .json = COLUMNS(in_json) };

/* Each printer has an order of its own; titles stand above what they name. */
static void columns_have_an_order_of_each_printer(void **state)
{
	(void)state;
	struct value row[VALUES] = { 0 };
	struct buf out = BUF_INIT;
	row[TID] = value_number(110);
	row[COMM] = value_text("init");
	row_titles(&kind.text, &out);
	row_print(&kind, PRINT_TEXT, row, &out);
	row[CPU] = value_number(3);
	row_print(&kind, PRINT_TEXT, row, &out);
	row_print(&kind, PRINT_JSON, row, &out);
	assert_string_equal(out.data, "   tid  comm\n"
				      "   110  init     on none\n"
				      "   110  init     on 3\n"
				      "{\"cpu\":3,\"comm\":\"init\",\"tid\":110}\n");
	buf_free(&out);
}

/* In an object that is open, and in an array. */
static void rows_stand_in_objects(void **state)
{
	(void)state;
	struct value row[VALUES] = { [TID] = value_number(1) };
	struct buf out = BUF_INIT;
	struct json j = JSON_INIT(&out);
	json_object(&j, NULL);
	json_bool(&j, "first", true);
	row_members(&kind.json, row, &j);
	row_object(&kind.json, row, "one", &j);
	json_array(&j, "all");
	row_object(&kind.json, row, NULL, &j);
	row_object(&kind.json, row, NULL, &j);
	json_end(&j);
	json_end(&j);
	assert_string_equal(out.data, "{\"first\":true,\"tid\":1,\"one\":{\"tid\":1},"
				      "\"all\":[{\"tid\":1},{\"tid\":1}]}");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_printed_in_three_ways),
		cmocka_unit_test(columns_have_an_order_of_each_printer),
		cmocka_unit_test(rows_stand_in_objects),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
