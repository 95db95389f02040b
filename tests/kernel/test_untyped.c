// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kernel whose types nobody knows: what its tasks and modules prove of their structures, against
 * the structures that the recipe wrote; and what one that contradicts, or a list that does not end,
 * leaves of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "tests/kernel/machine.h"
#include "vmcore/code/modules.h"
#include "vmcore/code/modules_untyped.h"
#include "vmcore/kernel/members.h"
#include "vmcore/kernel/proof/layout_proof.h"
#include "vmcore/names/types/types.h"

#define MODERN BUILD_FOLDER "/tests/kernel/modern"

/* ---- tasks ---- */

/* A copy of the kernel without types: its symbols and build-id are the same. */
static void write_untyped(char *path)
{
	struct buf b = BUF_INIT;
	char bytes[4096], *at;
	size_t n, found = 0;
	FILE *f = fopen(MODERN, "rb");
	assert_non_null(f);
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		buf_add(&b, bytes, n);
	fclose(f);
	assert_false(b.failed);
	for (at = b.data; (at = memmem(at, (size_t)(b.data + b.len - at), ".debug_", 7)); found++)
		memcpy(at, ".other_", 7);
	assert_true(found > 1);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, b.data, b.len), b.len);
	close(fd);
	buf_free(&b);
}

/* The machine with @extra, and what is proven of it. */
static void prove(struct machine *m, const char *extra)
{
	char path[] = "/tmp/test-untyped-XXXXXX";
	const char *symbols = path;
	write_untyped(path);
	const struct kernel_options options = { .symbol_paths = &symbols, .symbol_path_count = 1 };
	machine_make(m, &(struct machine_plan){ .recipe = "modern.recipe", .extra = extra });
	assert_no_err(memory_new(dump_pages(m->dump), 4 << 20, &m->memory));
	assert_no_err(kernel_open(m->dump, m->memory, &options, &m->kernel));
	unlink(path);
	assert_non_null(types_why_none(kernel_types(m->kernel)));
	assert_no_err(layout_prove(m->kernel));
}

/* The recipe's tasks are smaller than a real one: what lies behind the last is zeros, too. */
#define BEHIND "zero direct+0x10006000 16k\n"
#define MARK   ": 0x57ac6e9d\n"
#define MARKS                                                                               \
	"virt stack0" MARK "virt stack1" MARK "virt init_stk" MARK "virt kthreadd_stk" MARK \
	"virt sh_stk" MARK "virt new_stk" MARK

enum {
	COMM = 1 << 0,
	TASKS = 1 << 1,
	PID = 1 << 2,
	TGID = 1 << 3,
	STACK = 1 << 4,
	STATE = 1 << 5,
	NODE = 1 << 6,
	SIGNAL = 1 << 7,
	HEAD = 1 << 8,
	MEMBERS = 9,
	NO_MEMBER = 0,
	ALL = (1 << MEMBERS) - 1,
	LISTS = NODE | SIGNAL | HEAD,
};

/* In the order of the bits: what it is told as, and the name in the structure where that differs.
 */
static const struct {
	const char *type, *path, *name;
} members[MEMBERS] = {
	{ "task_struct", "comm", NULL },
	{ "task_struct", "tasks.next", NULL },
	{ "task_struct", "pid", NULL },
	{ "task_struct", "tgid", NULL },
	{ "task_struct", "stack", NULL },
	{ "task_struct", "state", "__state" },
	{ "task_struct", "thread_node.next", NULL },
	{ "task_struct", "signal", NULL },
	{ "signal_struct", "thread_head.next", NULL },
};

/* Of the kernel's members those in @wanted are proven, each where it is, and no others. */
static void assert_proven(const char *extra, unsigned wanted)
{
	struct machine typed, m;
	machine_open(&typed,
		     &(struct machine_plan){ .recipe = "modern.recipe", .symbols = MODERN });
	prove(&m, extra);
	for (unsigned i = 0; i < MEMBERS; i++) {
		struct member proven, real;
		const char *name = members[i].name ? members[i].name : members[i].path;
		assert_no_err(
			types_member(kernel_types(typed.kernel), members[i].type, name, &real));
		struct err *e = types_member(kernel_types(m.kernel), members[i].type,
					     members[i].path, &proven);
		if ((e == NULL) != ((wanted >> i & 1) != 0))
			fail_msg("%s is %s after: %s", members[i].path, e ? "unknown" : "proven",
				 extra);
		if (!e)
			assert_int_equal(proven.offset, real.offset);
		err_free(e);
	}
	/* What else was told is known to this test. */
	assert_int_equal(types_told_count(kernel_types(m.kernel)), __builtin_popcount(wanted));
	machine_close(&m);
	machine_close(&typed);
}

static void layout_is_proven(void **state)
{
	(void)state;
	assert_proven(BEHIND MARKS, ALL);
	assert_proven(BEHIND, ALL & ~(unsigned)(STACK | STATE));
}

/* One task that says no is enough. */
static void contradictions(void **state)
{
	(void)state;
	static const struct {
		const char *extra;
		unsigned wanted;
	} cases[] = {
		/* PIDs: two words that differ, one that two tasks have, kthreadd's, init_task's. */
		{ "put task_struct at sh: tgid = 199\n", NO_MEMBER },
		{ "put task_struct at new: pid = 200 tgid = 200\n", NO_MEMBER },
		{ "put task_struct at kthreadd: pid = 3 tgid = 3\n", NO_MEMBER },
		{ "put task_struct at idle0: pid = 7 tgid = 7\n", NO_MEMBER },
		/* Names: no end, none that kthreadd has, two in init_task. */
		{ "virt &task_struct(gone).comm: fill 0x41 16\n", NO_MEMBER },
		{ "put task_struct at kthreadd: comm = \"kthread\"\n", NO_MEMBER },
		{ "virt init_task + s + sizeof(task_struct) - 16: \"swapper/0\"\n", NO_MEMBER },
		/* Stacks: one without a mark, one within a page; what has ended may have none. */
		{ "virt new_stk: 0x57ac6e9e\n", ALL & ~(unsigned)(STACK | STATE) },
		{ "put task_struct at new: stack = new_stk + 8\n",
		  ALL & ~(unsigned)(STACK | STATE) },
		/* States: two at once, one of an idle task, one that is none. */
		{ "put task_struct at init: __state = 3\n", ALL & ~(unsigned)STATE },
		{ "put task_struct at idle0: __state = 1\n", ALL & ~(unsigned)STATE },
		{ "put task_struct at init: __state = 0x100000\n", ALL & ~(unsigned)STATE },
		/* Threads: a process of another's, one whose list has a thread of another. */
		{ "put task_struct at sh: signal = signals\n", ALL & ~(unsigned)LISTS },
		{ "list &signal_struct(signals+0x200).thread_head: &task_struct(sh).thread_node"
		  " &task_struct(new).thread_node\n",
		  ALL & ~(unsigned)LISTS },
	};
	char extra[1024];
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(extra, sizeof(extra), BEHIND MARKS "%s", cases[i].extra);
		assert_proven(extra, cases[i].wanted);
	}
}

/* Lists that do not come back end where they are broken, and prove what they have until then. */
static void lists_that_loop(void **state)
{
	(void)state;
	static const struct {
		const char *extra;
		unsigned wanted;
	} cases[] = {
		{ "put task_struct at gone: tasks.next = &task_struct(init).tasks\n", ALL },
		{ "put task_struct at new: tasks.next = &task_struct(new).tasks"
		  " tasks.prev = &task_struct(new).tasks\n",
		  ALL },
		/* A circle of its own that begins behind the head. */
		{ "list &task_struct(init).tasks: &task_struct(kthreadd).tasks\n", NO_MEMBER },
		{ "put task_struct at sh: thread_node.next = &task_struct(sh).thread_node"
		  " thread_node.prev = &task_struct(sh).thread_node\n",
		  ALL & ~(unsigned)LISTS },
	};
	char extra[1024];
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(extra, sizeof(extra), BEHIND MARKS "%s", cases[i].extra);
		assert_proven(extra, cases[i].wanted);
	}
}

/* ---- modules ---- */

static const struct module_kind {
	const char *recipe, *kernel;
	enum module_memory_form memory;
	enum module_symbols_form symbols;
	bool typed;
} kinds[] = {
	{ "layout-405.recipe", "405", MEMORY_LAYOUT, SYMBOLS_BEHIND, false },
	{ "layout-502.recipe", "502", MEMORY_LAYOUT, SYMBOLS_BEHIND, true },
	{ "layout-604.recipe", "604", MEMORY_REGIONS, SYMBOLS_BEHIND, true },
	{ "layout-614.recipe", "614", MEMORY_REGIONS, SYMBOLS_BEHIND, true },
};

static struct err *prove_modules(struct machine *m, const struct module_kind *kind,
				 const char *extra, struct module_layout *ret)
{
	char folder[sizeof(BUILD_FOLDER) + 64], symbols[sizeof(folder) + 16];
	uint64_t head;
	snprintf(folder, sizeof(folder), BUILD_FOLDER "/tests/kernel/modules-%s", kind->kernel);
	snprintf(symbols, sizeof(symbols), "%s/modern", folder);
	machine_open(m, &(struct machine_plan){ .recipe = kind->recipe,
						.symbols = symbols,
						.folder = folder,
						.extra = extra });
	assert_true(kernel_symbol(m->kernel, "modules", &head));
	return module_layout_prove(m->kernel, head, ret);
}

/* What is read by the proof is what is read by the types. */
static void modules_are_proven(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct machine m;
		struct module_layout layout;
		struct modules typed;
		struct module read;
		struct member list;
		assert_no_err(prove_modules(&m, &kinds[i], "", &layout));
		assert_int_equal(layout.memory_form, kinds[i].memory);
		assert_int_equal(layout.symbols_form, kinds[i].symbols);
		assert_int_equal(layout.typed, kinds[i].typed);
		assert_true(layout.symbols > 0);
		assert_no_err(types_member(kernel_types(m.kernel), "module", "list", &list));
		assert_int_equal(module_layout_link(), list.offset);
		assert_no_err(modules_read(m.kernel, &typed));
		assert_int_equal(typed.count, 1);
		const struct module *t = &typed.list[0];
		assert_true(module_layout_read(m.kernel, &layout, t->address, &read));
		assert_string_equal(read.name, t->name);
		assert_int_equal(read.region_count, t->region_count);
		for (unsigned n = 0; n < t->region_count; n++) {
			assert_int_equal(read.regions[n].low, t->regions[n].low);
			assert_int_equal(read.regions[n].high, t->regions[n].high);
			assert_int_equal(read.regions[n].text_end, t->regions[n].text_end);
		}
		assert_int_equal(read.symtab, t->symtab);
		assert_int_equal(read.strtab, t->strtab);
		assert_int_equal(read.symbol_count, t->symbol_count);
		assert_int_equal(read.types, t->types);
		modules_free(&typed);
		machine_close(&m);
	}
}

/* mem[]: one entry that cannot be leaves its place unknown, one module that disagrees, too. */
static void module_contradictions(void **state)
{
	(void)state;
	static const char none[] = " places in struct module look like its memory";
	static const char other[] =
		"map 0xffffffffc0800000 0x19004000 4k\nzero 0xffffffffc0800000 4k\n"
		"set mod2 0xffffffffc0800000\nput module at mod2: name = \"two\"\n"
		"list modules + s: &module(mod).list &module(mod2).list\n";
	static const struct {
		const char *extra, *why;
	} cases[] = {
		{ "put module at mod: mem[2].base = data\n", none },
		{ "put module at mod: mem[1].base = freed\n", none },
		{ "put module at mod: mem[0].base = code + 8\n", none },
		{ "put module at mod: mem[0].base = 0 mem[0].size = 0\n", none },
		{ "put module at mod: mem[2].size = 0x40000000\n", none },
		{ "put module at mod: mem[6].size = 8\n", none },
		{ other, none },
		{ "put module at mod: state = 1\n", "no modules are loaded" },
		{ "put module at mod: name = \"l y\"\n", "is no module" },
		{ "put module at mod: list.prev = 8\n", "the list of modules does not lead back" },
		/* A list that does not come back to its head. */
		{ "put module at mod: list.next = &module(mod).list\n",
		  "the list of modules does not lead back" },
	};
	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		if (kinds[k].memory != MEMORY_REGIONS)
			continue;
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			struct machine m;
			struct module_layout layout;
			assert_err(prove_modules(&m, &kinds[k], cases[i].extra, &layout),
				   ERR_NOTFOUND, cases[i].why);
			machine_close(&m);
		}
	}
}

/* A module whose symbols are none is known without them. */
static void module_symbols_are_unknown(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"put module at mod: core_kallsyms.symtab = 8\n",
		"put module at mod: core_kallsyms.num_symtab = 0\n",
		"put module at mod: core_kallsyms.strtab = code\n",
		"put module at mod: kallsyms = 0\n",
		"put elf64_sym at symtab: st_name = 1\n",
		"put elf64_sym at symtab + 24: st_name = 0x10000\n",
	};
	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			struct machine m;
			struct module_layout layout;
			struct module read;
			uint64_t head, link;
			assert_no_err(prove_modules(&m, &kinds[k], cases[i], &layout));
			assert_int_equal(layout.symbols, 0);
			assert_true(kernel_symbol(m.kernel, "modules", &head));
			assert_true(kernel_get_u64(m.kernel, head, &link));
			assert_true(module_layout_read(m.kernel, &layout,
						       link - module_layout_link(), &read));
			assert_string_equal(read.name, "lay");
			assert_int_equal(read.symbol_count, 0);
			machine_close(&m);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout_is_proven),
		cmocka_unit_test(contradictions),
		cmocka_unit_test(lists_that_loop),
		cmocka_unit_test(modules_are_proven),
		cmocka_unit_test(module_contradictions),
		cmocka_unit_test(module_symbols_are_unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
