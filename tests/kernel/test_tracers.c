// SPDX-License-Identifier: GPL-2.0-or-later
/* Return addresses that tracers keep, and code that was made at run time, in lists of the kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/kernel/machine.h"
#include "vmcore/code/made_code.h"
#include "vmcore/code/traced_returns.h"

#define MODERN BUILD_FOLDER "/tests/kernel/modern"
#define MIDDLE BUILD_FOLDER "/tests/kernel/middle"
#define TEXT   UINT64_C(0xffffffff81000000)
#define STACK  UINT64_C(0xffffc90000100000)

/* Of init: a slot that two tracers have taken, one whose records contradict each other, and a list
 * that goes round. Two entries of the function graph tracer, of four and of six words; what lies
 * behind is stale. */
static const char modern[] =
	"set nodes direct + 0x12200000\n"
	"set words direct + 0x12201000\n"
	"set stack 0xffffc90000100000\n"
	"set code 0xffffffff81000000\n"
	"zero nodes 8k\n"
	"put task_struct at init: rethooks.first = &rethook_node(nodes).llist\n"
	"	ret_stack = words curr_ret_stack = 10\n"
	"put rethook_node at nodes: llist.next = &rethook_node(nodes+0x100).llist\n"
	"	frame = stack + 0x10 ret_addr = code + 0x10\n"
	"put rethook_node at nodes + 0x100: llist.next = &rethook_node(nodes+0x200).llist\n"
	"	frame = stack + 0x20 ret_addr = return_to_handler + s\n"
	"put rethook_node at nodes + 0x200: llist.next = &rethook_node(nodes+0x300).llist\n"
	"	frame = stack + 0x30 ret_addr = code + 0x30\n"
	"put rethook_node at nodes + 0x300: llist.next = &rethook_node(nodes).llist\n"
	"	frame = stack + 0x30 ret_addr = code + 0x31\n"
	"virt words: (code + 0x40) 0 (stack + 0x40) 4\n"
	"	(code + 0x20) 0 (stack + 0x20) 0 0 6\n"
	"	(code + 0x50) 0 (stack + 0x50) 4\n";

/* The table of kretprobes has another task's, too; entries of the function graph tracer beyond
 * curr_ret_stack are stale. */
static const char middle[] =
	"set nodes direct + 0x12200000\n"
	"set words direct + 0x12201000\n"
	"set stack 0xffffc90000100000\n"
	"set code 0xffffffff81000000\n"
	"zero nodes 8k\n"
	"put task_struct at init: ret_stack = words curr_ret_stack = 1\n"
	"virt kretprobe_inst_table + s + 40: nodes\n"
	"put kretprobe_instance at nodes: hlist.next = nodes + 0x100 task = kthreadd\n"
	"	fp = stack + 0x60 ret_addr = code + 0x60\n"
	"put kretprobe_instance at nodes + 0x100: task = init\n"
	"	fp = stack + 0x10 ret_addr = code + 0x10\n"
	"put ftrace_ret_stack at words: ret = kretprobe_trampoline + s retp = stack + 0x10\n"
	"put ftrace_ret_stack at words + sizeof(ftrace_ret_stack): ret = code + 0x20\n"
	"	retp = stack + 0x20\n"
	"put ftrace_ret_stack at words + 2 * sizeof(ftrace_ret_stack): ret = code + 0x50\n"
	"	retp = stack + 0x50\n";

static void open_kernel(struct machine *m, const char *recipe, const char *symbols,
			const char *extra)
{
	machine_open(
		m, &(struct machine_plan){ .recipe = recipe, .symbols = symbols, .extra = extra });
}

static void expect_returns(struct machine *m, uint32_t tid, const uint64_t *offsets, size_t count)
{
	struct traced_layout layout;
	struct traced_returns returns;
	uint64_t address;
	traced_layout_find(m->kernel, &layout);
	assert_no_err(
		traced_returns_read(m->kernel, &layout, machine_task(m, tid)->address, &returns));
	assert_int_equal(returns.count, count);
	for (size_t i = 0; i < count; i++) {
		assert_true(traced_returns_find(&returns, STACK + offsets[i], &address));
		assert_int_equal(address, TEXT + offsets[i]);
		assert_false(traced_returns_find(&returns, STACK + offsets[i] + 8, &address));
	}
	traced_returns_free(&returns);
}

static void rethooks_and_words(void **state)
{
	static const uint64_t offsets[] = { 0x10, 0x20, 0x40 };
	struct traced_layout layout;
	struct machine m;
	uint64_t trampoline;
	(void)state;
	open_kernel(&m, "modern.recipe", MODERN, modern);
	expect_returns(&m, 1, offsets, 3);
	expect_returns(&m, 2, NULL, 0);
	traced_layout_find(m.kernel, &layout);
	assert_true(kernel_symbol(m.kernel, "arch_rethook_trampoline", &trampoline));
	assert_true(traced_is_trampoline(&layout, trampoline));
	assert_false(traced_is_trampoline(&layout, trampoline + 1));
	machine_close(&m);
}

static void a_table_and_entries(void **state)
{
	static const uint64_t offsets[] = { 0x10, 0x20 }, of_other[] = { 0x60 };
	struct machine m;
	(void)state;
	open_kernel(&m, "middle.recipe", MIDDLE, middle);
	expect_returns(&m, 1, offsets, 2);
	expect_returns(&m, 2, of_other, 1);
	machine_close(&m);
}

/* A length that makes no sense ends the words; so does a stack that is not there. */
static void damaged_words(void **state)
{
	static const char *const damage[] = {
		"virt words + 72: 0\n",
		"virt words + 72: 11\n",
		"put task_struct at init: ret_stack = 0xffffc90000900000\n",
		"put task_struct at init: curr_ret_stack = 0x7fffffff\n",
	};
	static const uint64_t offsets[] = { 0x10 };
	(void)state;
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
		struct machine m;
		char extra[4096];
		assert_true(strlen(modern) + strlen(damage[i]) < sizeof(extra));
		strcpy(extra, modern);
		strcat(extra, damage[i]);
		open_kernel(&m, "modern.recipe", MODERN, extra);
		expect_returns(&m, 1, offsets, 1);
		machine_close(&m);
	}
}

static void code_made_at_run_time(void **state)
{
	static const struct {
		uint64_t address;
		const char *name;
	} places[] = {
		{ 0xffffffffc0201000, "bpf_prog_1" },
		{ 0xffffffffc0201fff, "bpf_prog_1" },
		{ 0xffffffffc0202000, NULL },
		{ 0xffffffffc0200fff, NULL },
		{ 0xffffffffc0300100, "ftrace_trampoline" },
		{ 0xffffffffc0300200, NULL },
	};
	struct machine m;
	struct made_code made;
	(void)state;
	open_kernel(&m, "modern.recipe", MODERN,
		    "set syms direct + 0x12200000\n"
		    "zero syms 4k\n"
		    "list bpf_kallsyms + s: &bpf_ksym(syms).lnode &bpf_ksym(syms+0x100).lnode\n"
		    "put bpf_ksym at syms: start = 0xffffffffc0201000 end = 0xffffffffc0202000\n"
		    "	name = \"bpf_prog_1\"\n"
		    "put bpf_ksym at syms + 0x100: start = 0xffffffffc0205000\n"
		    "	end = 0xffffffffc0204000 name = \"backwards\"\n"
		    "virt ftrace_ops_list + s: (syms + 0x200)\n"
		    "put ftrace_ops at syms + 0x200: next = ftrace_list_end + s\n"
		    "	trampoline = 0xffffffffc0300000 trampoline_size = 0x200\n");
	assert_no_err(made_code_read(m.kernel, &made));
	assert_int_equal(made.count, 2);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		const struct made_function *f = made_code_find(&made, places[i].address);
		assert_int_equal(!f, !places[i].name);
		if (f)
			assert_string_equal(f->name, places[i].name);
	}
	made_code_free(&made);
	machine_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rethooks_and_words),
		cmocka_unit_test(a_table_and_entries),
		cmocka_unit_test(damaged_words),
		cmocka_unit_test(code_made_at_run_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
