/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an ELF file of a kernel says about itself. Every file is an enemy's until it was checked. */
#ifndef VMCORE_NAMES_FILES_ELF_IDENTITY_H
#define VMCORE_NAMES_FILES_ELF_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

struct elf_identity {
	bool relocatable; /* a module (.ko), not a kernel */
	bool has_symtab, has_dwarf, has_btf;
	/* Why the DWARF that is there cannot be read, a sentence that does not name the file;
	 * owned. has_dwarf is false then. */
	char *dwarf_why;
	char *build_id; /* owned, lower-case hex digits; NULL if it has none */
	char *release;	/* owned, of its "Linux version" banner; NULL if it has none */
};

/*
 * Reads the headers, notes and banner of the ELF file open as @fd (borrowed). ERR_FORMAT when it is
 * no x86-64 ELF executable or module or is damaged; the message says what it looks like instead.
 */
__attribute__((warn_unused_result)) struct err *elf_identify(int fd, struct elf_identity *ret);
void elf_identity_free(struct elf_identity *id);

/*
 * Looks for the symbols @names (@count, at most 64) in the file's .symtab, in one pass: bit n of
 * the result is set if names[n] is there, and then values[n] is its link address.
 */
uint64_t elf_symbol_values(int fd, const char *const *names, size_t count, uint64_t *values);

/* The build-id in the notes (System V gABI, "Note Section") that the @len bytes @notes are, in hex
 * digits; the caller's. NULL if it is not there, or memory is out. */
char *elf_notes_build_id(const unsigned char *notes, size_t len);

/*
 * Looks for the build-id in the first @have bytes of @fd, before the rest is there: by program
 * headers, which are in front, as sections' are not. False if more of the file may tell more. *ret
 * is the caller's, NULL if there is none; elf_identify() has the last word.
 */
bool elf_early_build_id(int fd, uint64_t have, char **ret);

/* Adds the bytes of the section @name to @out; ERR_NOTFOUND if there is none. */
__attribute__((warn_unused_result)) struct err *elf_section_bytes(int fd, const char *name,
								  struct buf *out);

#endif
