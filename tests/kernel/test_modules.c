// SPDX-License-Identifier: GPL-2.0-or-later
/* Modules, the names in them, and ORC tables, as the demo's kernel and the newer ones have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "arch/x86_64/code/orc_tables.h"
#include "arch/x86_64/unwind/orc.h"
#include "tests/kernel/machine.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/modules.h"

#define ONE UINT64_C(0xffffffffc0400000)

/* What struct module, kallsyms' letters and ORC look like in each kernel. */
static const struct kernel_file {
	const char *recipe, *symbols, *layout;
	const char *letters[4]; /* of st_info, when there is no table of them */
	const char *call;	/* ORC: sp + offset */
} kernels[] = {
	{ "modern.recipe",
	  BUILD_FOLDER "/tests/kernel/modern",
	  "put module at one_module: mem[0].base = one mem[0].size = 0x1000\n"
	  "	mem[1].base = one + 0x1000 mem[1].size = 0x1000\n"
	  "put mod_kallsyms at one_kallsyms: typetab = one_typetab\n"
	  "virt one_typetab: \"?tTd\"\n",
	  { "0", "2", "0x12", "1" },
	  "0x205" },
	{ "middle.recipe",
	  BUILD_FOLDER "/tests/kernel/middle",
	  "put module at one_module: core_layout.base = one core_layout.size = 0x2000\n"
	  "	core_layout.text_size = 0x1000\n",
	  { "0", "0x74", "0x54", "0x64" },
	  "5" },
};
enum { KERNELS = sizeof(kernels) / sizeof(*kernels) };

static void open_kernel(struct machine *m, const struct kernel_file *k, const char *extra)
{
	static const char *const names[] = { "0", "1", "10", "22" };
	static const char *const values[] = { "0", "one + 0x10", "one + 0x80", "one + 0x1800" };
	char text[4096];
	int len = snprintf(text, sizeof(text), "include \"modules.recipe\"\n%s", k->layout);
	for (int i = 0; i < 4; i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len,
				"put elf64_sym at one_symtab + %d * 24: st_name = %s st_info = %s "
				"st_value = %s\n",
				i, names[i], k->letters[i], values[i]);
	snprintf(text + len, sizeof(text) - (size_t)len, "virt one_orc: u16 16 0 %s 32 0 %s\n%s",
		 k->call, k->call, extra);
	machine_open(m, &(struct machine_plan){
				.recipe = k->recipe,
				.symbols = k->symbols,
				.extra = text,
			});
}

static struct code_map *code_of(struct machine *m)
{
	struct code_map *code;
	assert_no_err(code_map_new(m->kernel, &code));
	return code;
}

/* ---- modules ---- */

static void module_of_newer_kernels(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		struct machine m;
		bool text = false;
		open_kernel(&m, &kernels[i], "");
		struct code_map *code = code_of(&m);
		const struct modules *modules = code_map_modules(code);
		assert_int_equal(modules->count, 1);
		const struct module *one = &modules->list[0];
		assert_string_equal(one->name, "one");
		assert_int_equal(one->address, ONE + 0x1000);
		assert_int_equal(one->orc_count, 2);
		assert_ptr_equal(modules_at(modules, ONE, &text), one);
		assert_true(text);
		assert_ptr_equal(modules_at(modules, ONE + 0x1fff, &text), one);
		assert_false(text);
		assert_null(modules_at(modules, ONE - 1, &text));
		assert_null(modules_at(modules, ONE + 0x2000, &text));
		assert_string_equal(kernel_notes(m.kernel), "");
		code_map_free(code);
		machine_close(&m);
	}
}

static void assert_symbol(struct code_map *code, uint64_t at, const char *name, uint64_t address,
			  char type)
{
	struct symbol symbol;
	assert_true(code_map_symbol(code, at, &symbol));
	assert_string_equal(symbol.name, name);
	assert_int_equal(symbol.address, address);
	assert_int_equal(symbol.type, type);
}

static void names_in_modules(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		struct machine m;
		struct symbol symbol;
		open_kernel(&m, &kernels[i], "");
		struct code_map *code = code_of(&m);
		assert_symbol(code, ONE + 0x10, "one_open", ONE + 0x10, 't');
		assert_symbol(code, ONE + 0x7f, "one_open", ONE + 0x10, 't');
		assert_symbol(code, ONE + 0x80, "one_release", ONE + 0x80, 'T');
		assert_symbol(code, ONE + 0x1801, "one_data", ONE + 0x1800, 'd');
		assert_false(code_map_symbol(code, ONE + 0xf, &symbol));
		assert_false(code_map_symbol(code, ONE + 0x2000, &symbol));
		code_map_free(code);
		machine_close(&m);
	}
}

static void demo_has_its_modules(void **state)
{
	(void)state;
	struct machine m;
	machine_open(&m,
		     &(struct machine_plan){ .recipe = "seed.recipe", .symbols = DEMO_VMLINUX });
	struct code_map *code = code_of(&m);
	assert_int_equal(code_map_modules(code)->count, 2);
	assert_symbol(code, 0xffffffffc09920fa, "vcpu_enter_guest", 0xffffffffc0991a80, 't');
	assert_string_equal(code_map_module(code, 0xffffffffc09920fa)->name, "kvm");
	assert_symbol(code, 0xffffffffc07a21a8, "vmx_set_cr3", 0xffffffffc07a2190, 't');
	assert_string_equal(code_map_module(code, 0xffffffffc07a21a8)->name, "kvm_intel");
	assert_true(code_map_is_code(code, 0xffffffffc07a21a8));
	assert_false(code_map_is_code(code, 0xffffffffc09d4000));
	assert_true(code_map_in_kernel(code, 0xffffffff81215471));
	assert_false(code_map_is_code(code, 0xffff88003e5ebcd0));
	code_map_free(code);
	machine_close(&m);
}

/* ---- on a machine that runs ---- */

static void module_that_changes(void **state)
{
	(void)state;
	struct machine m;
	machine_open(&m,
		     &(struct machine_plan){ .recipe = "seed.recipe", .symbols = DEMO_VMLINUX });
	struct code_map *code = code_of(&m);
	const struct module *kvm = code_map_module(code, 0xffffffffc09920fa);
	assert_non_null(kvm);
	assert_true(module_is_there(m.kernel, code_map_modules(code), kvm));
	/* Another in its place, the same somewhere else, and none at all. */
	struct module was = *kvm;
	was.name[0]++;
	assert_false(module_is_there(m.kernel, code_map_modules(code), &was));
	was = *kvm;
	was.regions[0].text_end--;
	assert_false(module_is_there(m.kernel, code_map_modules(code), &was));
	was = *kvm;
	was.symtab += 8;
	assert_false(module_is_there(m.kernel, code_map_modules(code), &was));
	was = *kvm;
	was.address = 0xffffffffd0000000;
	assert_false(module_is_there(m.kernel, code_map_modules(code), &was));
	code_map_free(code);
	machine_close(&m);
}

/* ---- damage ---- */

static void damaged_lists(void **state)
{
	(void)state;
	static const struct {
		const char *extra, *note;
		size_t count;
	} cases[] = {
		{ "virt &module(one_module).list: (&module(one_module).list)\n",
		  "goes round in a circle after 1", 1 },
		{ "virt &module(one_module).list: 0xffffdead00000000\n", "breaks off after 1", 1 },
		{ "virt modules + s: 0xffffdead00000000\n", "breaks off after 0", 0 },
		{ "put module at one_module: state = 3\n", "", 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct machine m;
		open_kernel(&m, &kernels[0], cases[i].extra);
		struct code_map *code = code_of(&m);
		assert_int_equal(code_map_modules(code)->count, cases[i].count);
		assert_note(&m, cases[i].note);
		code_map_free(code);
		machine_close(&m);
	}
}

/* The module stays; its names are gone. */
static void damaged_symbols(void **state)
{
	(void)state;
	static const char *const damage[] = {
		"put mod_kallsyms at one_kallsyms: num_symtab = 0xffffffff\n",
		"put mod_kallsyms at one_kallsyms: num_symtab = 0\n",
		"put mod_kallsyms at one_kallsyms: symtab = 0\n",
		"put mod_kallsyms at one_kallsyms: strtab = 8\n",
		"put mod_kallsyms at one_kallsyms: typetab = 8\n",
		"put module at one_module: kallsyms = 8\n",
		"put module at one_module: mem[0].size = 0xffffffff\n",
		"put elf64_sym at one_symtab + 24: st_name = 0xffffffff\n",
		"put elf64_sym at one_symtab + 24: st_value = 0\n",
	};
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
		struct machine m;
		struct symbol symbol;
		open_kernel(&m, &kernels[0], damage[i]);
		struct code_map *code = code_of(&m);
		assert_int_equal(code_map_modules(code)->count, 1);
		assert_false(code_map_symbol(code, ONE + 0x10, &symbol));
		code_map_free(code);
		machine_close(&m);
	}
}

/* ---- ORC ---- */

static void assert_call(struct orc_tables *orc, const struct module *module, uint64_t pc,
			int sp_offset)
{
	struct orc_entry entry;
	assert_true(orc_tables_find(orc, module, pc, &entry));
	assert_int_equal(entry.type, ORC_CALL);
	assert_int_equal(entry.sp, ORC_SP);
	assert_int_equal(entry.sp_offset, sp_offset);
}

static void orc_of_newer_kernels(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		struct machine m;
		struct orc_tables *orc;
		struct orc_entry entry;
		uint64_t schedule, fork, idle;
		open_kernel(&m, &kernels[i], "");
		struct code_map *code = code_of(&m);
		const struct module *one = &code_map_modules(code)->list[0];
		assert_no_err(orc_tables_new(m.kernel, code_map_modules(code), NULL, &orc));
		/* A module first: the format is the kernel's. */
		assert_call(orc, one, ONE + 0x10, 16);
		assert_call(orc, one, ONE + 0x7f, 16);
		assert_call(orc, one, ONE + 0x80, 32);
		assert_false(orc_tables_find(orc, one, ONE, &entry));
		assert_true(kernel_symbol(m.kernel, "__schedule", &schedule));
		assert_true(kernel_symbol(m.kernel, "ret_from_fork_asm", &fork));
		assert_true(kernel_symbol(m.kernel, "default_idle", &idle));
		assert_call(orc, NULL, schedule + 5, 8);
		assert_call(orc, NULL, fork, 24);
		assert_call(orc, NULL, idle + 63, 16);
		assert_false(orc_tables_find(orc, NULL, schedule - 1, &entry));
		orc_tables_free(orc);
		code_map_free(code);
		machine_close(&m);
	}
}

static void damaged_orc(void **state)
{
	(void)state;
	static const char *const damage[] = {
		"put module at one_module: arch.num_orcs = 0xffffffff\n",
		"put module at one_module: arch.num_orcs = 0\n",
		"put module at one_module: arch.orc_unwind = 8\n",
		"put module at one_module: arch.orc_unwind_ip = 8\n",
	};
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
		struct machine m;
		struct orc_tables *orc;
		struct orc_entry entry;
		uint64_t schedule;
		open_kernel(&m, &kernels[0], damage[i]);
		struct code_map *code = code_of(&m);
		assert_no_err(orc_tables_new(m.kernel, code_map_modules(code), NULL, &orc));
		assert_false(
			orc_tables_find(orc, &code_map_modules(code)->list[0], ONE + 0x10, &entry));
		assert_true(kernel_symbol(m.kernel, "__schedule", &schedule));
		assert_call(orc, NULL, schedule, 8);
		orc_tables_free(orc);
		code_map_free(code);
		machine_close(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(module_of_newer_kernels), cmocka_unit_test(names_in_modules),
		cmocka_unit_test(demo_has_its_modules),	   cmocka_unit_test(module_that_changes),
		cmocka_unit_test(damaged_lists),	   cmocka_unit_test(damaged_symbols),
		cmocka_unit_test(orc_of_newer_kernels),	   cmocka_unit_test(damaged_orc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
