/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and addresses of the running kernel's symbols: from the kallsyms tables in the dump's own
 * memory, or from a vmlinux's symbol table moved by KASLR's slide. Sorted by address and hashed by
 * name once, then looked up.
 */
#ifndef SERVER_KERNEL_SYMBOLS_H
#define SERVER_KERNEL_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct symbols;
struct memory;
struct vspace;
struct vmcoreinfo;

struct symbol {
	const char *name; /* borrowed from the symbols */
	uint64_t address; /* in memory, slide included (but see symbols_address() on per-CPU) */
	uint64_t size;	  /* to the next symbol when the source does not say */
	char type;	  /* as nm prints it: t/T text, d/D data, b/B, r/R, a/A absolute... */
};

/*
 * From kallsyms in memory (kernel/kallsyms.c; scripts/kallsyms.c writes the tables): where
 * VMCOREINFO names SYMBOL(kallsyms_names), kallsyms_num_syms, kallsyms_token_table,
 * kallsyms_token_index, kallsyms_offsets (with or without kallsyms_relative_base) or
 * kallsyms_addresses. ERR_NOTFOUND when it does not. Every table is an enemy's: all sizes are
 * bounded.
 */
__attribute__((warn_unused_result)) struct err *symbols_from_kallsyms(struct memory *m,
								      const struct vspace *space,
								      const struct vmcoreinfo *info,
								      struct symbols **ret);

/*
 * From .symtab of the ELF file open as @fd (borrowed, may be closed afterwards), each address moved
 * by
 * @slide, except those of the zero-based per-CPU section, which KASLR never moves.
 */
__attribute__((warn_unused_result)) struct err *
symbols_from_elf(int fd, const char *path, uint64_t slide, struct symbols **ret);
void symbols_free(struct symbols *s);

/* "kallsyms" or "symtab" */
const char *symbols_kind(const struct symbols *s);
size_t symbols_count(const struct symbols *s);

/* The address of @name. False if it is not there. @s may be NULL. The first in address order if
 * several have the name. */
bool symbols_address(const struct symbols *s, const char *name, uint64_t *ret);
bool symbols_get(const struct symbols *s, const char *name, struct symbol *ret);

/* How many symbols are called @name. */
size_t symbols_named(const struct symbols *s, const char *name);

/* The text or data symbol that holds @address: the last one at or below it, __pfx_* passed over.
 * False below the first one and beyond the end (_end) of the kernel. */
bool symbols_at(const struct symbols *s, uint64_t address, struct symbol *ret);

#endif
