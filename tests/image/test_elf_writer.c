// SPDX-License-Identifier: GPL-2.0-or-later
/* Files from the ELF writer, read back by libelf. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <gelf.h>

#include "base/err.h"
#include "vmcore/image/elf_writer.h"

#define TEXT UINT64_C(0xffffffff81000000)

static unsigned add_text(struct elf_writer *w)
{
	struct elf_section text = {
		".text", SHT_NOBITS, SHF_ALLOC | SHF_EXECINSTR, TEXT, 0x1000, 16
	};
	unsigned index;
	assert_null(elf_writer_section(w, &text, NULL, &index));
	assert_null(elf_writer_load(w, TEXT, 0x1000, PF_R | PF_X));
	return index;
}

static void add_symbol(struct elf_writer *w, const char *name, unsigned section, unsigned char bind)
{
	struct elf_symbol s = { name, TEXT + 8, 4, section, bind, STT_FUNC };
	assert_null(elf_writer_symbol(w, &s));
}

static Elf_Scn *find_section(Elf *elf, const char *name, GElf_Shdr *ret)
{
	size_t names;
	assert_int_equal(elf_getshdrstrndx(elf, &names), 0);
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));)
		if (gelf_getshdr(scn, ret) && !strcmp(elf_strptr(elf, names, ret->sh_name), name))
			return scn;
	fail_msg("there is no %s", name);
	return NULL;
}

static void test_file(void **state)
{
	struct elf_writer *w;
	struct buf file = BUF_INIT, bytes = BUF_INIT;
	struct elf_section frame = { .name = ".debug_frame", .type = SHT_PROGBITS, .align = 8 };
	unsigned index;
	(void)state;
	assert_null(elf_writer_new(&w));
	unsigned text = add_text(w);
	add_symbol(w, "global_one", text, STB_GLOBAL);
	add_symbol(w, "local\033[31m", text, STB_LOCAL);
	add_symbol(w, "", text, STB_LOCAL);
	add_symbol(w, "absolute", SHN_ABS, STB_LOCAL);
	buf_add(&bytes, "frames..", 8);
	assert_null(elf_writer_section(w, &frame, &bytes, &index));
	assert_null(elf_writer_finish(w, EM_X86_64, &file));
	elf_writer_free(w);

	elf_version(EV_CURRENT);
	Elf *elf = elf_memory(file.data, file.len);
	assert_non_null(elf);
	GElf_Shdr header;
	GElf_Sym sym;
	GElf_Phdr load;
	assert_non_null(gelf_getphdr(elf, 0, &load));
	assert_int_equal(load.p_vaddr, TEXT);
	assert_int_equal(load.p_filesz, 0);
	Elf_Data *data = elf_getdata(find_section(elf, ".symtab", &header), NULL);
	assert_int_equal(header.sh_size / header.sh_entsize, 4);
	assert_int_equal(header.sh_info, 3);
	size_t names = header.sh_link;
	assert_non_null(gelf_getsym(data, 1, &sym));
	assert_string_equal(elf_strptr(elf, names, sym.st_name), "local?[31m");
	assert_int_equal(sym.st_shndx, text);
	assert_non_null(gelf_getsym(data, 2, &sym));
	assert_int_equal(sym.st_shndx, SHN_ABS);
	assert_non_null(gelf_getsym(data, 3, &sym));
	assert_string_equal(elf_strptr(elf, names, sym.st_name), "global_one");
	data = elf_rawdata(find_section(elf, ".debug_frame", &header), NULL);
	assert_int_equal(header.sh_offset % 8, 0);
	assert_memory_equal(data->d_buf, "frames..", 8);
	elf_end(elf);
	buf_free(&file);
}

static void refuse(struct elf_writer *w, const struct elf_section *section, struct buf *content)
{
	unsigned index;
	struct err *e = elf_writer_section(w, section, content, &index);
	assert_non_null(e);
	err_free(e);
}

static void test_refusals(void **state)
{
	struct elf_writer *w;
	struct buf bytes = BUF_INIT;
	struct elf_section round = { "a", SHT_NOBITS, SHF_ALLOC, UINT64_MAX, 2, 1 };
	struct elf_section crooked = { "b", SHT_NOBITS, SHF_ALLOC, TEXT, 2, 3 };
	struct elf_section without = { "c", SHT_PROGBITS, 0, 0, 2, 1 };
	struct elf_section both = { "d", SHT_NOBITS, 0, 0, 2, 1 };
	struct elf_symbol lost = { "lost", TEXT, 1, 77, STB_LOCAL, STT_FUNC };
	(void)state;
	assert_null(elf_writer_new(&w));
	refuse(w, &round, NULL);
	refuse(w, &crooked, NULL);
	refuse(w, &without, NULL);
	refuse(w, &both, &bytes);
	struct err *e = elf_writer_symbol(w, &lost);
	assert_non_null(e);
	err_free(e);
	e = elf_writer_load(w, UINT64_MAX, 2, PF_R);
	assert_non_null(e);
	err_free(e);
	elf_writer_free(w);
}

static void test_many_sections(void **state)
{
	struct elf_writer *w;
	struct buf file = BUF_INIT;
	struct elf_section s = { "s", SHT_NOBITS, SHF_ALLOC, TEXT, 1, 1 };
	unsigned index = 0;
	size_t count = 1;
	(void)state;
	assert_null(elf_writer_new(&w));
	struct err *e;
	while (!(e = elf_writer_section(w, &s, NULL, &index)))
		count++;
	assert_int_equal(err_code(e), ERR_UNSUPPORTED);
	err_free(e);
	assert_int_equal(count, ELF_SECTIONS_MAX);
	assert_null(elf_writer_finish(w, EM_X86_64, &file));
	Elf *elf = elf_memory(file.data, file.len);
	size_t n;
	assert_int_equal(elf_getshdrnum(elf, &n), 0);
	assert_int_equal(n, ELF_SECTIONS_MAX + 3);
	elf_end(elf);
	buf_free(&file);
	elf_writer_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_many_sections),
	};
	elf_version(EV_CURRENT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
