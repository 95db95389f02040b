// SPDX-License-Identifier: GPL-2.0-or-later
/* Modules' files: where they are looked for, and their sections relocated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/names/files/ko_file.h"
#include "vmcore/names/files/module_search.h"

#define TEXT UINT64_C(0xffffffffc0400000)
#define IPS  UINT64_C(0xffffffffc0500000)

/* ---- relocation ---- */

enum { S_NULL, S_TEXT, S_INIT, S_IPS, S_RELA, S_SYMTAB, S_STRTAB, S_NAMES, SECTIONS };

/* A module of two functions, one of them freed, and a table with the distance to each. */
struct sample {
	Elf64_Ehdr ehdr;
	Elf64_Shdr shdr[SECTIONS];
	unsigned char text[16], init[16], ips[8];
	Elf64_Rela rela[2];
	Elf64_Sym symbols[3];
	char names[64];
};

static void describe(struct sample *s, int section, const char *name, Elf64_Shdr header)
{
	static size_t used;
	if (section == S_TEXT)
		used = 1;
	header.sh_name = (Elf64_Word)used;
	strcpy(s->names + used, name);
	used += strlen(name) + 1;
	s->shdr[section] = header;
}

#define AT(member) .sh_offset = offsetof(struct sample, member), .sh_size = sizeof(s->member)

static void fill(struct sample *s)
{
	*s = (struct sample){ .ehdr = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
						     ELFDATA2LSB, EV_CURRENT },
					.e_type = ET_REL,
					.e_machine = EM_X86_64,
					.e_version = EV_CURRENT,
					.e_shoff = offsetof(struct sample, shdr),
					.e_ehsize = sizeof(Elf64_Ehdr),
					.e_shentsize = sizeof(Elf64_Shdr),
					.e_shnum = SECTIONS,
					.e_shstrndx = S_NAMES } };
	describe(s, S_TEXT, ".text",
		 (Elf64_Shdr){ .sh_type = SHT_PROGBITS,
			       .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
			       AT(text) });
	describe(s, S_INIT, ".init.text",
		 (Elf64_Shdr){ .sh_type = SHT_PROGBITS,
			       .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
			       AT(init) });
	describe(s, S_IPS, ".orc_unwind_ip",
		 (Elf64_Shdr){ .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, AT(ips) });
	describe(s, S_RELA, ".rela",
		 (Elf64_Shdr){ .sh_type = SHT_RELA,
			       .sh_link = S_SYMTAB,
			       .sh_info = S_IPS,
			       .sh_entsize = sizeof(Elf64_Rela),
			       AT(rela) });
	describe(s, S_SYMTAB, ".sy",
		 (Elf64_Shdr){ .sh_type = SHT_SYMTAB,
			       .sh_link = S_STRTAB,
			       .sh_entsize = sizeof(Elf64_Sym),
			       AT(symbols) });
	describe(s, S_STRTAB, ".st", (Elf64_Shdr){ .sh_type = SHT_STRTAB, AT(names) });
	describe(s, S_NAMES, ".n", (Elf64_Shdr){ .sh_type = SHT_STRTAB, AT(names) });
	s->symbols[1] = (Elf64_Sym){ .st_shndx = S_TEXT, .st_value = 4 };
	s->symbols[2] = (Elf64_Sym){ .st_shndx = S_INIT };
	s->rela[0] = (Elf64_Rela){ 0, ELF64_R_INFO(1, R_X86_64_PC32), 2 };
	s->rela[1] = (Elf64_Rela){ 4, ELF64_R_INFO(2, R_X86_64_PC32), 0 };
}

static bool place(void *closure, const char *name, unsigned nth, uint64_t *ret)
{
	(void)closure;
	if (nth)
		return false;
	*ret = !strcmp(name, ".text") ? TEXT : IPS;
	return !strcmp(name, ".text") || !strcmp(name, ".orc_unwind_ip");
}

static struct err *open_bytes(const void *bytes, size_t len, int *ret_fd, struct ko_file **ret)
{
	*ret_fd = memfd_create("sample", MFD_CLOEXEC);
	assert_true(*ret_fd >= 0);
	assert_int_equal(write(*ret_fd, bytes, len), len);
	return ko_file_open(*ret_fd, "sample.ko", place, NULL, ret);
}

static void sections_and_relocations(void **state)
{
	(void)state;
	struct sample s;
	struct ko_file *f;
	struct buf out = BUF_INIT;
	size_t count;
	uint64_t address;
	int fd;
	fill(&s);
	assert_null(open_bytes(&s, sizeof(s), &fd, &f));
	const struct ko_section *sections = ko_file_sections(f, &count);
	assert_int_equal(count, 3);
	assert_string_equal(sections[0].name, ".text");
	assert_true(sections[0].loaded && sections[0].code && sections[0].address == TEXT);
	assert_string_equal(sections[1].name, ".init.text");
	assert_false(sections[1].loaded);
	assert_true(sections[1].address >= KO_NOWHERE && sections[1].address < TEXT);
	assert_null(ko_file_section_bytes(f, ".orc_unwind_ip", &out, &address));
	assert_int_equal(address, IPS);
	assert_int_equal(out.len, 8);
	assert_int_equal((int32_t)get_u32(out.data), (int32_t)(TEXT + 4 + 2 - IPS));
	/* Too far away to be told: 0, and no address that something else has. */
	assert_int_equal(get_u32(out.data + 4), 0);
	buf_free(&out);
	ko_file_close(f);
	close(fd);
}

/* A file with one thing wrong must be an error, and nothing worse. */
static void assert_damaged(const struct sample *s, size_t len)
{
	struct ko_file *f;
	struct buf out = BUF_INIT;
	uint64_t address;
	int fd;
	struct err *e = open_bytes(s, len, &fd, &f);
	if (!e) {
		e = ko_file_section_bytes(f, ".orc_unwind_ip", &out, &address);
		ko_file_close(f);
	}
	assert_non_null(e);
	assert_non_null(strstr(err_msg(e), "sample.ko"));
	err_free(e);
	buf_free(&out);
	close(fd);
}

static void damaged_files(void **state)
{
	(void)state;
	struct sample s;
	for (size_t len = 0; len < offsetof(struct sample, text); len += 16) {
		fill(&s);
		assert_damaged(&s, len);
	}
	fill(&s);
	s.rela[1].r_offset = 6;
	assert_damaged(&s, sizeof(s));
	fill(&s);
	s.rela[1].r_info = ELF64_R_INFO(3, R_X86_64_PC32);
	assert_damaged(&s, sizeof(s));
	fill(&s);
	s.rela[1].r_info = ELF64_R_INFO(1, R_X86_64_TPOFF64);
	assert_damaged(&s, sizeof(s));
	fill(&s);
	s.shdr[S_RELA].sh_link = S_RELA;
	assert_damaged(&s, sizeof(s));
	fill(&s);
	s.shdr[S_RELA].sh_size = 1 << 20;
	assert_damaged(&s, sizeof(s));
	fill(&s);
	s.ehdr.e_type = ET_EXEC;
	assert_damaged(&s, sizeof(s));
}

/* ---- searching ---- */

static bool note_path(void *closure, const char *path)
{
	buf_addf(closure, "%s\n", path);
	return false;
}

static void assert_offered(const char *root, const char *named, const char *module,
			   const char *expected)
{
	struct module_search *search;
	struct buf found = BUF_INIT;
	assert_null(module_search_new(&named, named != NULL, "6.1", root, NULL, &search));
	assert_null(module_search_run(search, module, "abcdef", note_path, &found));
	assert_string_equal(found.data, expected);
	buf_free(&found);
	module_search_free(search);
}

static void places(void **state)
{
	(void)state;
	char root[] = "/tmp/test-ko-XXXXXX", command[1024], expected[512], named[128];
	assert_non_null(mkdtemp(root));
	snprintf(command, sizeof(command),
		 "cd %s && mkdir -p usr/lib/debug/.build-id/ab usr/lib/debug/lib/modules/6.1/k/x "
		 "lib/modules/6.1/y usr/lib/debug/boot && "
		 "touch usr/lib/debug/.build-id/ab/cdef.debug "
		 "usr/lib/debug/lib/modules/6.1/k/x/a-b.ko "
		 "lib/modules/6.1/y/a_b.ko.xz lib/modules/6.1/y/a_bc.ko "
		 "usr/lib/debug/boot/vmlinux-6.1",
		 root);
	assert_int_equal(system(command), 0);
	snprintf(expected, sizeof(expected),
		 "%s/usr/lib/debug/.build-id/ab/cdef.debug\n"
		 "%s/usr/lib/debug/lib/modules/6.1/k/x/a-b.ko\n%s/lib/modules/6.1/y/a_b.ko.xz\n",
		 root, root, root);
	assert_offered(root, NULL, "a_b", expected);
	/* Beside a vmlinux; nothing below the root. */
	snprintf(named, sizeof(named), "%s/usr/lib/debug/boot/vmlinux-6.1", root);
	snprintf(expected, sizeof(expected),
		 "%s/usr/lib/debug/boot/../lib/modules/6.1/k/x/a-b.ko\n", root);
	assert_offered("/nonexistent", named, "a_b", expected);
	/* A folder with the files in it. */
	snprintf(named, sizeof(named), "%s/lib/modules/6.1/y", root);
	snprintf(expected, sizeof(expected), "%s/a_bc.ko\n", named);
	assert_offered("/nonexistent", named, "a-bc", expected);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_and_relocations),
		cmocka_unit_test(damaged_files),
		cmocka_unit_test(places),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
