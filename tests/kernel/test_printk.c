// SPDX-License-Identifier: GPL-2.0-or-later
/* The log, of both kinds: which records are found, in what order, and what of them is the panic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "tests/kernel/machine.h"
#include "vmcore/kernel/log/printk.h"
#include "vmcore/kernel/tasks/task_state.h"

#define MODERN BUILD_FOLDER "/tests/kernel/modern"
#define MIDDLE BUILD_FOLDER "/tests/kernel/middle"

static const char *symbols_of(const char *recipe)
{
	if (!strcmp(recipe, "seed.recipe"))
		return DEMO_VMLINUX;
	return !strcmp(recipe, "modern.recipe") ? MODERN : MIDDLE;
}

static void open_recipe(struct machine *m, const char *recipe, const char *extra)
{
	machine_open(m, &(struct machine_plan){
				.recipe = recipe,
				.symbols = symbols_of(recipe),
				.extra = extra,
			});
}

static struct err *collect(void *closure, const struct printk_record *record)
{
	buf_addf(closure, "%llu:", (unsigned long long)record->ns);
	buf_add(closure, record->text, record->len);
	buf_addch(closure, '\n');
	return NULL;
}

/* That the log of the machine of @recipe and @extra is @expected. */
static void assert_log(const char *recipe, const char *extra, const char *expected)
{
	struct machine m;
	struct buf log = BUF_INIT;
	open_recipe(&m, recipe, extra);
	assert_no_err(printk_walk(m.kernel, collect, &log));
	if (strcmp(log.data, expected) != 0)
		fail_msg("with %sthe log is '%s' and not '%s'", extra, log.data, expected);
	buf_free(&log);
	machine_close(&m);
}

static void assert_panic(const char *recipe, const char *extra, const char *expected)
{
	struct machine m;
	char *line = NULL;
	open_recipe(&m, recipe, extra);
	assert_no_err(printk_panic(m.kernel, &line));
	if (expected) {
		assert_non_null(line);
		assert_string_equal(line, expected);
	} else {
		assert_null(line);
	}
	free(line);
	machine_close(&m);
}

/* ---- the ring of records ---- */

#define RECORD5 "1000:BUG: something went wrong 1\n"
#define RECORD6 "2000:Kernel panic - not syncing: sysrq triggered crash, wrapped\n"
#define RECORD7 "0:\n"
#define DESC(N) "put prb_desc at printk_descs + s + " N " * sizeof(prb_desc): "
#define INFO(N) "put printk_info at printk_infos + s + " N " * sizeof(printk_info): "
#define RING	"put printk_ringbuffer at printk_rb_static + s: "

static void ring(void **state)
{
	(void)state;
	static const struct {
		const char *extra, *expected;
	} cases[] = {
		{ "", RECORD5 RECORD6 RECORD7 },
		/* Descriptors that are reserved, reusable, or another record's by now. */
		{ DESC("5") "state_var.counter = 5\n", RECORD6 RECORD7 },
		{ DESC("5") "state_var.counter = 3 << 62 | 5\n", RECORD6 RECORD7 },
		{ DESC("5") "state_var.counter = committed | 13\n", RECORD6 RECORD7 },
		{ DESC("6") "state_var.counter = 1 << 62 | 6\n", RECORD5 RECORD6 RECORD7 },
		/* One whose text found no room; an empty line is a record all the same. */
		{ DESC("7") "text_blk_lpos.begin = 1 text_blk_lpos.next = 1\n", RECORD5 RECORD6 },
		/* A block that ends where the ring does has not come round. */
		{ DESC("5") "text_blk_lpos.begin = 512+400 text_blk_lpos.next = 1024\n",
		  RECORD5 RECORD6 RECORD7 },
		/* More text than there is ring. */
		{ INFO("5") "text_len = 5000\n", RECORD6 RECORD7 },
		/* Text that cannot be read. */
		{ RING "text_data_ring.data = 0xffffdead00000000\n", RECORD7 },
		{ DESC("7") "state_var.counter = committed | 7 text_blk_lpos.begin = 80 "
			    "text_blk_lpos.next = 112\n" INFO(
				    "7") "ts_nsec = 3000 text_len = 4\n"
					 "virt printk_text + s + 88: \"last\"\n",
		  RECORD5 RECORD6 "3000:last\n" },
		/* More ids than descriptors. */
		{ RING "desc_ring.head_id.counter = 100000 desc_ring.tail_id.counter = 6\n",
		  RECORD6 RECORD7 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_log("modern.recipe", cases[i].extra, cases[i].expected);
}

/* One page of descriptors was filtered out: a record there is passed over. */
static void ring_with_pages_missing(void **state)
{
	(void)state;
	static const char extra[] =
		"virt direct+0x19000000: zero 0x2000\n" RING
		"desc_ring.descs = direct + 0x19001000 - 6 * sizeof(prb_desc)\n"
		"put prb_desc at direct + 0x19001000: state_var.counter = committed | 6\n"
		"	text_blk_lpos.begin = 512 + 440 text_blk_lpos.next = 1024 + 80\n"
		"absent direct+0x19000000 4k\n";
	assert_log("modern.recipe", extra, RECORD6);
	assert_log("modern.recipe",
		   RING "text_data_ring.data = direct + 0x19000000\n"
			"exclude direct+0x19000000 4k\n",
		   RECORD7);
}

static void ring_that_makes_no_sense(void **state)
{
	(void)state;
	static const struct {
		const char *extra;
		enum err_code code;
	} cases[] = {
		{ RING "desc_ring.count_bits = 40\n", ERR_CORRUPT },
		{ RING "text_data_ring.size_bits = 63\n", ERR_CORRUPT },
		{ "virt prb + s: 0xffffdead00000000\n", ERR_NOTPRESENT },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct machine m;
		struct buf log = BUF_INIT;
		open_recipe(&m, "modern.recipe", cases[i].extra);
		assert_err(printk_walk(m.kernel, collect, &log), cases[i].code, "");
		buf_free(&log);
		machine_close(&m);
	}
}

/* What a record says beside its text, and what is told of those that cannot be read. */
static void details(void **state)
{
	(void)state;
	struct machine m;
	struct printk_log *log;
	struct printk_record record;
	const char *why;
	bool found;
	/* The level is a bit-field behind five bits of flags. */
	open_recipe(&m, "modern.recipe",
		    INFO("6") "facility = 3 caller_id = 0x80000001\n"
			      "virt printk_infos + s + 6 * sizeof(printk_info) + 19: u8 0x5f\n");
	assert_no_err(printk_open(m.kernel, &log));
	assert_no_err(printk_next(log, &record, &found));
	assert_true(found);
	assert_no_err(printk_next(log, &record, &found));
	assert_true(found);
	assert_int_equal(record.ns, 2000);
	assert_int_equal(record.level, 2);
	assert_int_equal(record.facility, 3);
	assert_int_equal(record.caller, 0x80000001);
	assert_int_equal(printk_unreadable(log, &why), 0);
	assert_null(why);
	printk_close(log);
	machine_close(&m);

	open_recipe(&m, "modern.recipe", RING "text_data_ring.data = 0xffffdead00000000\n");
	assert_no_err(printk_open(m.kernel, &log));
	do
		assert_no_err(printk_next(log, &record, &found));
	while (found);
	assert_int_equal(printk_unreadable(log, &why), 2);
	assert_non_null(strstr(why, "ffffdead"));
	printk_close(log);
	machine_close(&m);
}

/* ---- the buffer before ---- */

#define FIRST  "1000:BUG: unable to handle something\n"
#define SECOND "2000:Kernel panic - not syncing: Fatal exception\n"

static void buffer(void **state)
{
	(void)state;
	static const struct {
		const char *extra, *expected;
	} cases[] = {
		{ "", FIRST SECOND },
		{ "virt log_next_idx + s: u32 800\n", "" },
		/* Records of no length at the start send back there for ever. */
		{ "put printk_log at __log_buf + s: len = 0\n", FIRST },
		/* A record that ends in its own header is the last to be believed. */
		{ "put printk_log at __log_buf + s + 800: len = 1\n", FIRST },
		/* Records that overlap never come to the end. */
		{ "virt log_next_idx + s: u32 7\n", FIRST SECOND },
		{ "virt log_first_idx + s: u32 0xfffffff0\n", "" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_log("middle.recipe", cases[i].extra, cases[i].expected);
	assert_log("seed.recipe", "",
		   "280912345678:NMI watchdog: Watchdog detected hard LOCKUP on cpu 0\n"
		   "280912399999:Kernel panic - not syncing: Hard LOCKUP\n");
}

/* ---- the panic ---- */

#define TEXT(AT, LEN, WORDS)                                                                    \
	"put log at __log_buf + " AT ": text_len = " LEN "\nvirt __log_buf+" AT "+16: \"" WORDS \
	"\"\n"

static void panic_line(void **state)
{
	(void)state;
	/* The panic says most, wherever it stands. */
	assert_panic("seed.recipe", TEXT("0", "13", "BUG: spinlock"),
		     "Kernel panic - not syncing: Hard LOCKUP");
	assert_panic("seed.recipe",
		     TEXT("0", "33", "Kernel panic - not syncing: first") TEXT("72", "6", "BUG: x"),
		     "Kernel panic - not syncing: first");
	/* Of two of a kind the last. */
	assert_panic("seed.recipe", TEXT("0", "6", "BUG: a") TEXT("72", "6", "BUG: b"), "BUG: b");
	assert_panic("seed.recipe", TEXT("0", "16", "kernel BUG at a!") TEXT("72", "6", "BUG: b"),
		     "kernel BUG at a!");
	/* In the middle of a line it is something else. */
	assert_panic("seed.recipe", TEXT("72", "8", " BUG: no") TEXT("0", "4", "BUG:"), NULL);
}

/* What was read before the damage is as good. */
static void panic_before_damage(void **state)
{
	(void)state;
	static const char extra[] = "virt direct+0x19000000: zero 0x1000\n"
				    "virt log_buf + s: (direct + 0x19000000)\n"
				    "virt log_buf_len + s: u32 0x2000\n"
				    "virt log_first_idx + s: u32 0xfc0\n"
				    "put printk_log at direct + 0x19000fc0: len = 64 text_len = 6\n"
				    "virt direct+0x19000fd0: \"BUG: x\"\n";
	assert_panic("middle.recipe", extra, "BUG: x");
}

/* ---- letters of states ---- */

static void states_by_the_kernels_letters(void **state)
{
	(void)state;
	struct machine m;
	struct task_states s;
	static const struct {
		uint64_t state, exit_state;
		char letter;
	} cases[] = {
		{ 0, 0, 'R' },	    { 1, 0, 'S' },	{ 2, 0, 'D' },	   { 4, 0, 'T' },
		{ 8, 0, 't' },	    { 0, 16, 'X' },	{ 0x80, 32, 'Z' }, { 0, 48, 'Z' },
		{ 0x40, 0, 'P' },   { 0x402, 0, 'I' },	{ 0x102, 0, 'D' }, { 0x8000, 0, 'D' },
		{ 0x1000, 0, 'D' }, { 0x2001, 0, 'S' }, { 0, 64, 'P' },	   { 0, 1 << 20, '?' },
	};
	open_recipe(&m, "modern.recipe", "");
	task_states_read(m.kernel, &s);
	assert_string_equal(s.letters, "RSDTtXZPI");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(task_state_letter(&s, cases[i].state, cases[i].exit_state),
				 cases[i].letter);
	machine_close(&m);

	/* Without them, what has been the same in all kernels. */
	open_recipe(&m, "modern.recipe", "virt task_state_array + s: 0xffffdead00000000\n");
	task_states_read(m.kernel, &s);
	assert_string_equal(s.letters, "RSDTt");
	assert_int_equal(task_state_letter(&s, 0x402, 0), 'D');
	assert_int_equal(task_state_letter(&s, 0, 16), '?');
	machine_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ring),
		cmocka_unit_test(ring_with_pages_missing),
		cmocka_unit_test(ring_that_makes_no_sense),
		cmocka_unit_test(details),
		cmocka_unit_test(buffer),
		cmocka_unit_test(panic_line),
		cmocka_unit_test(panic_before_damage),
		cmocka_unit_test(states_by_the_kernels_letters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
