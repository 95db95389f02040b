// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unwind/cfi_file.h"

#include <elf.h>
#include <elfutils/libdw.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "unwind/cfi_check.h"

struct cfi_file {
	struct buf image;
	Elf *elf;
	Dwarf *dwarf;
};

/* DWARF 5, 6.4.1: length (filled in at the end), then @id, which a CIE has as all ones. */
static size_t begin_entry(struct buf *b, uint32_t id)
{
	unsigned char head[8] = { 0 };
	size_t at = b->len;
	put_u32(head + 4, id);
	buf_add(b, head, sizeof(head));
	return at;
}

static void end_entry(struct buf *b, size_t at)
{
	while (b->len % 8 != 4)
		buf_addch(b, 0); /* DW_CFA_nop */
	put_u32(b->data + at, (uint32_t)(b->len - at - 4));
}

static void add_function(struct buf *b, const struct cfi_function *f, bool sized)
{
	unsigned char range[16];
	size_t at = begin_entry(b, 0);
	put_u64(range, f->start);
	put_u64(range + 8, f->len);
	buf_add(b, range, sizeof(range));
	if (sized)
		buf_addch(b, 0); /* no augmentation data */
	buf_add(b, f->code, f->code_len);
	end_entry(b, at);
}

static struct cfi_file *file_of(const unsigned char *cie, size_t len,
				const struct cfi_function *functions, size_t count)
{
	struct buf section = BUF_INIT;
	size_t at = begin_entry(&section, UINT32_MAX);
	buf_add(&section, cie, len);
	end_entry(&section, at);
	for (size_t i = 0; i < count; i++)
		add_function(&section, &functions[i], cie[1]);
	struct cfi_file *f = cfi_file_of_section(section.data, section.len);
	buf_free(&section);
	return f;
}

struct cfi_file *cfi_file_of_functions(const struct cfi_function *functions, size_t count)
{
	/* Version 1, no augmentation, code by 1, data by -8, return address in 16; DW_CFA_def_cfa
	 * rsp 8; DW_CFA_offset 16 at CFA - 8. */
	static const unsigned char cie[] = { 1, 0, 1, 0x78, 16, 0x0c, 7, 8, 0x90, 1 };
	return file_of(cie, sizeof(cie), functions, count);
}

struct cfi_file *cfi_file_of_entries(const struct cfi_function *functions, size_t count)
{
	/* With the augmentation "zS", which has no data. */
	static const unsigned char cie[] = { 1, 'z', 'S', 0, 1, 0x78, 16, 0, 0x0c, 7, 8, 0x90, 1 };
	return file_of(cie, sizeof(cie), functions, count);
}

/* ELF header, the section's bytes, the names of sections, three section headers. */
static void build_image(struct buf *b, const void *section, size_t len)
{
	static const char names[] = "\0.debug_frame\0.shstrtab";
	Elf64_Ehdr ehdr = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(ehdr),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 3,
		.e_shstrndx = 2,
	};
	Elf64_Shdr shdr[3] = {
		[1] = { .sh_name = 1,
			.sh_type = SHT_PROGBITS,
			.sh_offset = sizeof(ehdr),
			.sh_size = len,
			.sh_addralign = 1 },
		[2] = { .sh_name = 14,
			.sh_type = SHT_STRTAB,
			.sh_offset = sizeof(ehdr) + len,
			.sh_size = sizeof(names),
			.sh_addralign = 1 },
	};
	buf_add(b, &ehdr, sizeof(ehdr));
	buf_add(b, section, len);
	buf_add(b, names, sizeof(names));
	while (b->len % 8)
		buf_addch(b, 0);
	ehdr.e_shoff = b->len;
	buf_add(b, shdr, sizeof(shdr));
	memcpy(b->data, &ehdr, sizeof(ehdr));
}

struct cfi_file *cfi_file_of_section(const void *section, size_t len)
{
	struct cfi_file *f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	buf_init(&f->image);
	build_image(&f->image, section, len);
	(void)elf_version(EV_CURRENT);
	f->elf = elf_memory(f->image.data, f->image.len);
	f->dwarf = f->elf ? dwarf_begin_elf(f->elf, DWARF_C_READ, NULL) : NULL;
	if (!cfi_file_cfi(f)) {
		cfi_file_free(f);
		return NULL;
	}
	return f;
}

struct Dwarf_CFI_s *cfi_file_cfi(const struct cfi_file *f)
{
	return f && f->dwarf ? dwarf_getcfi(f->dwarf) : NULL;
}

bool cfi_file_is_sane(const struct cfi_file *f)
{
	const char *why;
	return cfi_check_elf(f->elf, ".debug_frame", &why);
}

void cfi_file_free(struct cfi_file *f)
{
	if (!f)
		return;
	dwarf_end(f->dwarf);
	elf_end(f->elf);
	buf_free(&f->image);
	free(f);
}
