/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes an ELF64 file for x86-64 into memory: sections, segments and one symbol table, in any
 * order, then all at once (System V ABI, "Object Files"). What it is told may come from a dump:
 * every number is bounded, every name made printable, and what does not fit is an error, never a
 * damaged file.
 */
#ifndef VMCORE_IMAGE_ELF_WRITER_H
#define VMCORE_IMAGE_ELF_WRITER_H

#include <elf.h>
#include <stdint.h>

#include "base/buf.h"

struct err;
struct elf_writer;

enum {
	ELF_SECTIONS_MAX = 0xf000, /* below SHN_LORESERVE, with room for our own */
	ELF_SYMBOLS_MAX = 1 << 24,
};

__attribute__((warn_unused_result)) struct err *elf_writer_new(struct elf_writer **ret);
void elf_writer_free(struct elf_writer *w);

struct elf_section {
	const char *name; /* copied */
	uint32_t type;	  /* SHT_NOBITS, SHT_PROGBITS, SHT_NOTE */
	uint64_t flags;	  /* SHF_* */
	uint64_t address; /* sh_addr */
	uint64_t size;	  /* of SHT_NOBITS; else that of @content */
	uint64_t align;	  /* 0 or a power of two; of what has content 64 at most */
};

/*
 * Adds a section and tells its index, which symbols name. The bytes of @content (NULL with
 * SHT_NOBITS only) are moved out of it. ERR_UNSUPPORTED past ELF_SECTIONS_MAX, ERR_INVALID when the
 * addresses wrap round.
 */
__attribute__((warn_unused_result)) struct err *
elf_writer_section(struct elf_writer *w, const struct elf_section *section, struct buf *content,
		   unsigned *ret_index);

/* Adds a build-id, in hex digits, as the note that linkers write, by which debuggers know a file's
 * owner. NULL, and what is none, adds nothing. */
__attribute__((warn_unused_result)) struct err *elf_writer_build_id(struct elf_writer *w,
								    const char *digits);

/* Adds a PT_LOAD for [@address, @address + @size), without bytes in the file: what lies there is
 * read from the machine. @flags are PF_*. They come in the file in the order of the calls. */
__attribute__((warn_unused_result)) struct err *
elf_writer_load(struct elf_writer *w, uint64_t address, uint64_t size, uint32_t flags);

struct elf_symbol {
	const char *name;
	uint64_t value, size;
	unsigned section;   /* an index that elf_writer_section() told, or SHN_ABS */
	unsigned char bind; /* STB_LOCAL, STB_GLOBAL or STB_WEAK */
	unsigned char type; /* STT_* */
};

/* Adds a symbol; one without a name is passed over. Characters that are not graphic ASCII become
 * '?'. ERR_UNSUPPORTED past ELF_SYMBOLS_MAX or 2 GiB of names. */
__attribute__((warn_unused_result)) struct err *elf_writer_symbol(struct elf_writer *w,
								  const struct elf_symbol *symbol);

/*
 * Appends the file, for @machine (EM_*), to @out, which must be empty: ET_EXEC, local symbols first
 * as the ABI wants, each group in the order of the calls, with names in that order as well (gdb
 * takes the one of several symbols at an address whose name comes last). The writer is empty
 * afterwards, and only to be freed.
 */
__attribute__((warn_unused_result)) struct err *
elf_writer_finish(struct elf_writer *w, uint16_t machine, struct buf *out);

#endif
