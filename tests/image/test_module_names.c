// SPDX-License-Identifier: GPL-2.0-or-later
/* The file with the names of modules without a file, of a machine with a module, read by libelf. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include <gelf.h>

#include "base/buf.h"
#include "base/err.h"
#include "tests/kernel/machine.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/modules.h"
#include "vmcore/image/image.h"
#include "vmcore/image/module_names.h"

#define ONE UINT64_C(0xffffffffc0400000)

/* The last two symbols are no places in the module: neither may be in the file. */
static const struct machine_plan plan = {
	.recipe = "modern.recipe",
	.symbols = BUILD_FOLDER "/tests/kernel/modern",
	.extra = "include \"modules.recipe\"\n"
		 "put module at one_module: mem[0].base = one mem[0].size = 0x1000\n"
		 "	mem[1].base = one + 0x1000 mem[1].size = 0x1000\n"
		 "put mod_kallsyms at one_kallsyms: typetab = one_typetab num_symtab = 6\n"
		 "virt one_typetab: \"?tTdTa\"\n"
		 "put elf64_sym at one_symtab + 24: st_name = 1 st_value = one + 0x10\n"
		 "put elf64_sym at one_symtab + 48: st_name = 10 st_value = one + 0x80\n"
		 "put elf64_sym at one_symtab + 72: st_name = 22 st_value = one + 0x1800\n"
		 "put elf64_sym at one_symtab + 96: st_name = 5 st_value = one + 0x8000\n"
		 "put elf64_sym at one_symtab + 120: st_name = 14 st_value = one + 0x90\n",
};

static GElf_Shdr section_at(Elf *elf, size_t index, const char **ret_name)
{
	size_t names;
	GElf_Shdr header;
	Elf_Scn *scn = elf_getscn(elf, index);
	assert_non_null(scn);
	assert_non_null(gelf_getshdr(scn, &header));
	assert_int_equal(elf_getshdrstrndx(elf, &names), 0);
	*ret_name = elf_strptr(elf, names, header.sh_name);
	return header;
}

static void assert_section(Elf *elf, size_t index, const char *name, uint64_t address,
			   uint64_t flags)
{
	const char *found;
	GElf_Shdr header = section_at(elf, index, &found);
	assert_string_equal(found, name);
	assert_int_equal(header.sh_type, SHT_NOBITS);
	assert_int_equal(header.sh_addr, address);
	assert_int_equal(header.sh_size, 0x1000);
	assert_int_equal(header.sh_flags, flags);
}

static void assert_symbol(Elf *elf, const char *name, uint64_t address, unsigned section,
			  unsigned type)
{
	const char *found;
	GElf_Shdr header = section_at(elf, 3, &found);
	assert_string_equal(found, ".symtab");
	Elf_Data *data = elf_getdata(elf_getscn(elf, 3), NULL);
	GElf_Sym sym;
	for (int i = 1; gelf_getsym(data, i, &sym); i++) {
		if (strcmp(elf_strptr(elf, header.sh_link, sym.st_name), name) != 0)
			continue;
		assert_int_equal(sym.st_value, address);
		assert_int_equal(sym.st_shndx, section);
		assert_int_equal(GELF_ST_TYPE(sym.st_info), type);
		return;
	}
	fail_msg("there is no %s", name);
}

static void names_of_a_module(void **state)
{
	struct machine m;
	struct image_source source = { 0 };
	struct buf file = BUF_INIT;
	const bool wanted = true, unwanted = false;
	uint64_t low, high;
	(void)state;
	machine_open(&m, &plan);
	source.k = m.kernel;
	assert_no_err(code_map_new(m.kernel, &source.code));
	assert_int_equal(code_map_modules(source.code)->count, 1);
	assert_true(module_names_span(code_map_modules(source.code), &wanted, &low, &high));
	assert_int_equal(low, ONE);
	assert_int_equal(high, ONE + 0x2000);
	assert_no_err(module_names_make(&source, &wanted, &file));

	elf_version(EV_CURRENT);
	Elf *elf = elf_memory(file.data, file.len);
	GElf_Phdr load;
	assert_non_null(elf);
	assert_non_null(gelf_getphdr(elf, 0, &load));
	assert_int_equal(load.p_vaddr, ONE);
	assert_int_equal(load.p_memsz, 0x2000);
	assert_int_equal(load.p_filesz, 0);
	assert_section(elf, 1, "[one].text", ONE, SHF_ALLOC | SHF_EXECINSTR);
	assert_section(elf, 2, "[one].data", ONE + 0x1000, SHF_ALLOC | SHF_WRITE);
	const char *name;
	GElf_Shdr symbols = section_at(elf, 3, &name);
	assert_int_equal(symbols.sh_size / symbols.sh_entsize, 4);
	assert_symbol(elf, "one_open", ONE + 0x10, 1, STT_FUNC);
	assert_symbol(elf, "one_release", ONE + 0x80, 1, STT_FUNC);
	assert_symbol(elf, "one_data", ONE + 0x1800, 2, STT_OBJECT);
	elf_end(elf);
	buf_free(&file);

	/* One that has a file has no part in it. */
	assert_false(module_names_span(code_map_modules(source.code), &unwanted, &low, &high));
	struct err *e = module_names_make(&source, &unwanted, &file);
	assert_non_null(e);
	assert_int_equal(err_code(e), ERR_NOTFOUND);
	assert_int_equal(file.len, 0);
	err_free(e);
	buf_free(&file);
	code_map_free(source.code);
	machine_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_a_module),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
