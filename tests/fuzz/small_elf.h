/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The smallest file that may be a vmlinux. */
#ifndef TESTS_FUZZ_SMALL_ELF_H
#define TESTS_FUZZ_SMALL_ELF_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SMALL_ELF_ID "0123456789abcdef0123456789abcdef01234567"

struct small_elf {
	Elf64_Ehdr header;
	Elf64_Shdr sections[4]; /* none, notes, symbols, names of both kinds */
	struct {
		Elf64_Nhdr header;
		char name[4];
		uint8_t id[20];
	} note;
	Elf64_Sym symbols[2];
	char names[32];
};

enum { SMALL_ELF_MAX = sizeof(struct small_elf) };

/* Writes it, a kernel or a module, with or without a build-id; returns its length. */
static inline size_t small_elf(uint8_t out[SMALL_ELF_MAX], bool has_id, bool relocatable)
{
	struct small_elf f = {
		.header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					 ELFDATA2LSB, EV_CURRENT },
			    .e_type = relocatable ? ET_REL : ET_EXEC,
			    .e_machine = EM_X86_64,
			    .e_version = EV_CURRENT,
			    .e_ehsize = sizeof(Elf64_Ehdr),
			    .e_shoff = offsetof(struct small_elf, sections),
			    .e_shentsize = sizeof(Elf64_Shdr),
			    .e_shnum = 4,
			    .e_shstrndx = 3 },
		.sections = { [1] = { .sh_name = 1,
				      .sh_type = has_id ? SHT_NOTE : SHT_NOBITS,
				      .sh_offset = offsetof(struct small_elf, note),
				      .sh_size = sizeof(f.note),
				      .sh_addralign = 4 },
			      [2] = { .sh_name = 8,
				      .sh_type = SHT_SYMTAB,
				      .sh_offset = offsetof(struct small_elf, symbols),
				      .sh_size = sizeof(f.symbols),
				      .sh_link = 3,
				      .sh_addralign = 8,
				      .sh_entsize = sizeof(Elf64_Sym) },
			      [3] = { .sh_name = 16,
				      .sh_type = SHT_STRTAB,
				      .sh_offset = offsetof(struct small_elf, names),
				      .sh_size = sizeof(f.names),
				      .sh_addralign = 1 } },
		.note = { { 4, sizeof(f.note.id), NT_GNU_BUILD_ID }, "GNU", { 0 } },
		.symbols = { [1] = { .st_name = 23,
				     .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE),
				     .st_shndx = SHN_ABS,
				     .st_value = UINT64_C(0xffffffff81000000) } },
		.names = "\0.notes\0.symtab\0.names\0_stext",
	};
	const uint8_t id[] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23,
			       0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67 };
	memcpy(f.note.id, id, sizeof(id));
	memcpy(out, &f, sizeof(f));
	return sizeof(f);
}

#endif
