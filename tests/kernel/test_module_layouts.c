// SPDX-License-Identifier: GPL-2.0-or-later
/* One module as generations of kernels lay it out: its regions, sections, build-id and symbols. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/kernel/machine.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/module_sections.h"
#include "vmcore/code/modules.h"

#define CODE	  UINT64_C(0xffffffffc0400000)
#define FREED	  UINT64_C(0xffffffffc0700000)
#define HEX_4(x)  x x x x
#define HEX_16(x) HEX_4(x) HEX_4(x) HEX_4(x) HEX_4(x)
#define HEX_20(x) HEX_16(x) HEX_4(x)

static const struct layout {
	const char *recipe;
	const char *kernel; /* the folder with its kernel */
	uint64_t rodata, data;
	unsigned regions;
	bool has_sizes, has_id; /* symbols' sizes; a build-id in struct module */
} layouts[] = {
	{ "layout-310.recipe", "310", CODE + 0x1000, CODE + 0x2000, 1, true, false },
	{ "layout-405.recipe", "405", CODE + 0x1000, CODE + 0x2000, 1, true, false },
	{ "layout-500.recipe", "405", CODE + 0x1000, CODE + 0x2000, 1, false, false },
	{ "layout-502.recipe", "502", CODE + 0x1000, CODE + 0x2000, 1, true, false },
	{ "layout-508.recipe", "508", CODE + 0x1000, CODE + 0x2000, 1, true, true },
	{ "layout-604.recipe", "604", 0xffffffffc0600000, 0xffffffffc0500000, 3, true, true },
	{ "layout-614.recipe", "614", 0xffffffffc0600000, 0xffffffffc0500000, 3, true, true },
};
enum { LAYOUTS = sizeof(layouts) / sizeof(*layouts) };

struct loaded {
	struct machine machine;
	struct code_map *code;
	const struct module *module;
};

static void load(struct loaded *l, const struct layout *layout, const char *extra)
{
	char folder[sizeof(BUILD_FOLDER) + 64], symbols[sizeof(folder) + 16];
	snprintf(folder, sizeof(folder), BUILD_FOLDER "/tests/kernel/modules-%s", layout->kernel);
	snprintf(symbols, sizeof(symbols), "%s/modern", folder);
	machine_open(&l->machine, &(struct machine_plan){
					  .recipe = layout->recipe,
					  .symbols = symbols,
					  .folder = folder,
					  .extra = extra,
				  });
	assert_no_err(code_map_new(l->machine.kernel, &l->code));
	const struct modules *modules = code_map_modules(l->code);
	assert_int_equal(modules->count, 1);
	l->module = &modules->list[0];
	assert_string_equal(l->module->name, "lay");
	assert_string_equal(kernel_notes(l->machine.kernel), "");
}

static void unload(struct loaded *l)
{
	code_map_free(l->code);
	machine_close(&l->machine);
}

/* ---- what is there ---- */

static void assert_place(const struct loaded *l, uint64_t address, bool is_text)
{
	bool text = !is_text;
	const struct modules *modules = code_map_modules(l->code);
	assert_ptr_equal(modules_at(modules, address, &text), l->module);
	assert_int_equal(text, is_text);
	assert_ptr_equal(modules_at(modules, address + 0xfff, &text), l->module);
	assert_int_equal(text, is_text);
}

static void regions(void **state)
{
	(void)state;
	for (size_t i = 0; i < LAYOUTS; i++) {
		struct loaded l;
		load(&l, &layouts[i], "");
		const struct modules *modules = code_map_modules(l.code);
		assert_int_equal(l.module->region_count, layouts[i].regions);
		assert_place(&l, CODE, true);
		assert_place(&l, layouts[i].rodata, false);
		assert_place(&l, layouts[i].data, false);
		assert_null(modules_at(modules, CODE - 1, NULL));
		assert_null(modules_at(modules, CODE + 0x3000, NULL));
		assert_null(modules_at(modules, layouts[i].data + 0x1000, NULL));
		assert_null(modules_at(modules, FREED, NULL));
		unload(&l);
	}
}

static void assert_symbol(const struct loaded *l, uint64_t at, const char *name, uint64_t address,
			  char type, uint64_t size)
{
	struct symbol symbol;
	assert_true(code_map_symbol(l->code, at, &symbol));
	assert_string_equal(symbol.name, name);
	assert_int_equal(symbol.address, address);
	assert_int_equal(symbol.type, type);
	if (size)
		assert_int_equal(symbol.size, size);
}

static void symbols(void **state)
{
	(void)state;
	for (size_t i = 0; i < LAYOUTS; i++) {
		struct loaded l;
		load(&l, &layouts[i], "");
		bool sized = layouts[i].has_sizes;
		assert_symbol(&l, CODE + 0x10, "lay_open", CODE + 0x10, 't', sized ? 0x20 : 0x70);
		assert_symbol(&l, CODE + 0x90, "lay_release", CODE + 0x80, 'T', sized ? 0x40 : 0);
		assert_symbol(&l, layouts[i].data + 0x800, "lay_data", layouts[i].data + 0x800, 'd',
			      sized ? 8 : 0);
		unload(&l);
	}
}

static void assert_section(const struct module_sections *s, size_t i, const char *name,
			   uint64_t address, bool kept)
{
	assert_string_equal(s->list[i].name, name);
	assert_int_equal(s->list[i].address, address);
	assert_int_equal(s->list[i].kept, kept);
}

static void sections(void **state)
{
	(void)state;
	for (size_t i = 0; i < LAYOUTS; i++) {
		struct loaded l;
		struct module_sections s;
		load(&l, &layouts[i], "");
		assert_no_err(module_sections_read(l.machine.kernel, l.module, &s));
		assert_int_equal(s.count, 5);
		assert_section(&s, 0, ".note.gnu.build-id", layouts[i].rodata + 0x100, true);
		assert_section(&s, 1, ".text", CODE, true);
		assert_section(&s, 2, ".init.text", FREED, false);
		assert_section(&s, 3, ".rodata", layouts[i].rodata, true);
		assert_section(&s, 4, ".data", layouts[i].data, true);
		module_sections_free(&s);
		unload(&l);
	}
}

/* The build-id of the module when @damage is done; its sections are not needed. */
static void assert_build_id(const struct layout *layout, const char *damage, const char *expected)
{
	struct loaded l;
	struct module_sections s = { 0 };
	load(&l, layout, damage);
	err_free(module_sections_read(l.machine.kernel, l.module, &s));
	char *id = module_build_id(l.machine.kernel, l.module, &s);
	if (expected) {
		assert_non_null(id);
		assert_string_equal(id, expected);
	} else {
		assert_null(id);
	}
	free(id);
	module_sections_free(&s);
	unload(&l);
}

static void build_ids(void **state)
{
	(void)state;
	for (size_t i = 0; i < LAYOUTS; i++) {
		const char *last = layouts[i].has_id ? HEX_20("cc") : NULL;
		assert_build_id(&layouts[i], "", HEX_20("aa"));
		assert_build_id(&layouts[i], "put module at mod: sect_attrs = 0\n", HEX_20("bb"));
		assert_build_id(&layouts[i], "put module at mod: sect_attrs = 0 notes_attrs = 0\n",
				last);
		/* A note of another kind, and one that is too long. */
		assert_build_id(&layouts[i], "virt section_note + 8: u32 4\n", HEX_20("bb"));
		assert_build_id(&layouts[i],
				"virt section_note + 4: u32 65\nvirt file_note + 4: u32 0\n", last);
	}
}

/* A build-id of 16 bytes has zeros behind it in struct module: how long it is cannot be told. */
static void short_build_ids(void **state)
{
	(void)state;
	for (size_t i = 0; i < LAYOUTS; i++) {
		if (!layouts[i].has_id)
			continue;
		assert_build_id(&layouts[i],
				"put module at mod: sect_attrs = 0 notes_attrs = 0\n"
				"virt &module(mod).build_id + 16: fill 0 4\n",
				NULL);
		assert_build_id(&layouts[i],
				"put module at mod: sect_attrs = 0 notes_attrs = 0\n"
				"virt &module(mod).build_id + 17: fill 0 3\n",
				HEX_16("cc") "cc000000");
		assert_build_id(&layouts[i], "virt section_note: u32 4 16\n", HEX_16("aa"));
	}
}

/* One that is being set up: what initialises it is there. */
static void initialising(void **state)
{
	(void)state;
	static const struct {
		const char *kernel, *statements;
	} inits[] = {
		{ "310", "module_init = freed init_size = 0x1000 init_text_size = 0x800" },
		{ "405", "init_layout.base = freed init_layout.size = 0x1000 "
			 "init_layout.text_size = 0x800" },
		{ "502", "init_layout.base = freed init_layout.size = 0x1000 "
			 "init_layout.text_size = 0x800" },
		{ "508", "init_layout.base = freed init_layout.size = 0x1000 "
			 "init_layout.text_size = 0x800" },
		{ "604", "mem[4].base = freed mem[4].size = 0x800 "
			 "mem[5].base = freed + 0x800 mem[5].size = 0x800" },
		{ "614", "mem[4].base = freed mem[4].size = 0x800 "
			 "mem[5].base = freed + 0x800 mem[5].size = 0x800" },
	};
	for (size_t i = 0; i < LAYOUTS; i++) {
		size_t n = 0;
		while (strcmp(inits[n].kernel, layouts[i].kernel) != 0)
			n++;
		char text[256];
		struct loaded l;
		struct module_sections s;
		bool is_text = false;
		snprintf(text, sizeof(text), "put module at mod: state = 1 %s\n",
			 inits[n].statements);
		load(&l, &layouts[i], text);
		const struct modules *modules = code_map_modules(l.code);
		assert_ptr_equal(modules_at(modules, FREED + 0x7ff, &is_text), l.module);
		assert_true(is_text);
		assert_ptr_equal(modules_at(modules, FREED + 0x800, &is_text), l.module);
		assert_false(is_text);
		assert_null(modules_at(modules, FREED + 0x1000, NULL));
		assert_no_err(module_sections_read(l.machine.kernel, l.module, &s));
		assert_section(&s, 2, ".init.text", FREED, true);
		module_sections_free(&s);
		unload(&l);
	}
}

/* ---- damage ---- */

static const struct layout *layout_of(const char *recipe)
{
	for (size_t i = 0; i < LAYOUTS; i++)
		if (!strcmp(layouts[i].recipe, recipe))
			return &layouts[i];
	fail_msg("there is no %s", recipe);
	return NULL;
}

/* The sections cannot be told, because of @why; the build-id is the note's still. */
static void assert_no_sections(const struct layout *layout, const char *damage, const char *why)
{
	struct loaded l;
	struct module_sections s = { 0 };
	load(&l, layout, damage);
	struct err *e = module_sections_read(l.machine.kernel, l.module, &s);
	assert_non_null(e);
	if (!strstr(err_msg(e), why) || !strstr(err_msg(e), "sections of module lay"))
		fail_msg("%s: '%s' does not say '%s'", layout->recipe, err_msg(e), why);
	assert_int_equal(s.count, 0);
	err_free(e);
	unload(&l);
	assert_build_id(layout, damage, HEX_20("bb"));
}

struct damage {
	const char *statements, *why;
};

static void damaged_counted_sections(void **state)
{
	(void)state;
	static const char *const recipes[] = {
		"layout-310.recipe",
		"layout-405.recipe",
		"layout-508.recipe",
		"layout-604.recipe",
	};
	static const struct damage damage[] = {
		{ "put module_sect_attrs at sections: nsections = 0xffffffff\n",
		  "module_sect_attrs has 4294967295 elements" },
		{ "put module_sect_attrs at sections: nsections = 4097\n", "has 4097 elements" },
		/* Behind the last are zeros, or nothing. */
		{ "put module_sect_attrs at sections: nsections = 6\n",
		  "read the name of the module_sect_attr at 0x" },
		{ "put module_sect_attrs at sections: nsections = 4096\n", "virtual address 0x0" },
		{ "put module at mod: sect_attrs = 8\n", "module_sect_attrs.nsections at 0x8" },
		{ "put module at mod: sect_attrs = 0\n", "keeps no list" },
		{ "virt section_name: 8\n", "virtual address 0x8" },
		{ "virt section_name: 0xffffdead00000000\n", "address 0xffffdead00000000" },
	};
	for (size_t i = 0; i < sizeof(recipes) / sizeof(*recipes); i++)
		for (size_t n = 0; n < sizeof(damage) / sizeof(*damage); n++)
			assert_no_sections(layout_of(recipes[i]), damage[n].statements,
					   damage[n].why);
}

static void damaged_group_of_sections(void **state)
{
	(void)state;
	static const struct damage damage[] = {
		{ "put module_sect_attrs at sections: grp.bin_attrs = 0\n", "has no array" },
		{ "put module_sect_attrs at sections: grp.bin_attrs = 8\n", "virtual address 0x8" },
		{ "put module at mod: sect_attrs = 8\n", "grp.bin_attrs at 0x" },
		{ "put module at mod: sect_attrs = 0\n", "keeps no list" },
		{ "virt section_name: 8\n", "read the name of the bin_attribute" },
		{ "virt section_name: 0xffffdead00000000\n", "address 0xffffdead00000000" },
		{ "virt section_list + 8: 0xffffdead00000000\n",
		  "bin_attribute.attr.name at 0xffffdead00000000" },
		/* No NULL where the last is. */
		{ "virt section_list + 40: 8\n", "bin_attribute.attr.name at 0x8" },
	};
	for (size_t n = 0; n < sizeof(damage) / sizeof(*damage); n++)
		assert_no_sections(layout_of("layout-614.recipe"), damage[n].statements,
				   damage[n].why);
}

/* A page of pointers, mapped again and again: an array without an end, then one that the end of
 * what is mapped ends. */
static void endless_group_of_sections(void **state)
{
	(void)state;
	static const struct {
		unsigned pages;
		const char *why;
	} cases[] = { { 16, "the elements of module_sect_attrs do not end" },
		      { 4, "address 0xffffc90000004000" } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[16384] = "set endless 0xffffc90000000000\nzero phys 0x1b000000 4k\n";
		size_t len = strlen(text);
		for (unsigned page = 0; page < cases[i].pages; page++)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
						"map endless+%u*4k 0x1b000000 4k\n", page);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "virt endless:");
		for (int n = 0; n < 512; n++)
			len += (size_t)snprintf(text + len, sizeof(text) - len,
						" section_attrs+each");
		snprintf(text + len, sizeof(text) - len,
			 "\nput module_sect_attrs at sections: grp.bin_attrs = endless\n");
		assert_no_sections(layout_of("layout-614.recipe"), text, cases[i].why);
	}
}

/* What the notes' list has wrong leaves what struct module has. */
static void damaged_notes(void **state)
{
	(void)state;
	static const char *const counted[] = {
		"put module_notes_attrs at notes: notes = 0xffffffff\n",
		"put module_notes_attrs at notes: notes = 1\n",
		"put module at mod: notes_attrs = 8\n",
		"put bin_attribute at note_attrs: attr.name = 8\n",
		"virt file_note: u32 5\n",
		"virt file_note + 12: \"Xen\\0\"\n",
		/* The note leads out of the module's page. */
		"put bin_attribute at note_attrs + sizeof(bin_attribute): private = freed\n",
	};
	static const char *const groups[] = {
		"put module_notes_attrs at notes: grp.bin_attrs = 0\n",
		"put module_notes_attrs at notes: grp.bin_attrs = 8\n",
		"virt note_list: 0\n",
		"virt note_list: 8\n",
	};
	char text[256];
	for (size_t i = 0; i < LAYOUTS; i++) {
		const char *last = layouts[i].has_id ? HEX_20("cc") : NULL;
		bool grouped = !strcmp(layouts[i].kernel, "614");
		const char *const *damage = grouped ? groups : counted;
		size_t count = grouped ? sizeof(groups) / sizeof(*groups)
				       : sizeof(counted) / sizeof(*counted);
		for (size_t n = 0; n < count; n++) {
			snprintf(text, sizeof(text), "put module at mod: sect_attrs = 0\n%s",
				 damage[n]);
			assert_build_id(&layouts[i], text, last);
		}
	}
}

static void assert_no_symbols(const struct layout *layout, const char *damage)
{
	struct loaded l;
	struct symbol symbol;
	load(&l, layout, damage);
	assert_false(code_map_symbol(l.code, CODE + 0x10, &symbol));
	assert_place(&l, CODE, true);
	unload(&l);
}

/* Names that cannot be had leave the module without any, and nothing else. */
static void damaged_symbols(void **state)
{
	(void)state;
	static const char *const in_module[] = {
		"put module at mod: num_symtab = 0xffffffff\n",
		"put module at mod: num_symtab = 0\n",
		"put module at mod: symtab = 0\n",
		"put module at mod: symtab = 8\n",
		"put module at mod: strtab = 8\n",
	};
	static const char *const in_kallsyms[] = {
		"put module at mod: core_kallsyms.num_symtab = 0xffffffff\n",
		"put module at mod: kallsyms = 0\n",
		"put module at mod: core_kallsyms.symtab = 8\n",
		"put module at mod: core_kallsyms.strtab = 8\n",
	};
	for (size_t i = 0; i < LAYOUTS; i++) {
		bool oldest = !strcmp(layouts[i].kernel, "310");
		const char *const *damage = oldest ? in_module : in_kallsyms;
		size_t count = oldest ? sizeof(in_module) / sizeof(*in_module)
				      : sizeof(in_kallsyms) / sizeof(*in_kallsyms);
		for (size_t n = 0; n < count; n++)
			assert_no_symbols(&layouts[i], damage[n]);
		/* Sizes are not taken for letters where those have a table. */
		if (atoi(layouts[i].kernel) >= 502) {
			assert_no_symbols(&layouts[i],
					  "put module at mod: core_kallsyms.typetab = 0\n");
			assert_no_symbols(&layouts[i],
					  "put module at mod: core_kallsyms.typetab = 8\n");
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(regions),
		cmocka_unit_test(symbols),
		cmocka_unit_test(sections),
		cmocka_unit_test(build_ids),
		cmocka_unit_test(short_build_ids),
		cmocka_unit_test(initialising),
		cmocka_unit_test(damaged_counted_sections),
		cmocka_unit_test(damaged_group_of_sections),
		cmocka_unit_test(endless_group_of_sections),
		cmocka_unit_test(damaged_notes),
		cmocka_unit_test(damaged_symbols),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
