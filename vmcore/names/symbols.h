/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and addresses of the running kernel's symbols: from the kallsyms tables in the dump's own
 * memory, or from a vmlinux's symbol table moved by KASLR's slide. Sorted by address and hashed by
 * name once, then looked up.
 */
#ifndef VMCORE_NAMES_SYMBOLS_H
#define VMCORE_NAMES_SYMBOLS_H

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
	uint64_t address; /* in memory, slide included; of a per-CPU variable in a kernel up to 6.14
			     (where these symbols start at 0) its offset in each CPU's area */
	uint64_t size;	  /* to the next symbol when the source does not say; 0 if unknown */
	char type;	  /* as nm prints it: t/T text, d/D data, b/B, r/R, a/A absolute... */
};

/*
 * From kallsyms in memory (kernel/kallsyms.c; scripts/kallsyms.c writes the tables), where
 * VMCOREINFO names its tables (6.0 and later). ERR_NOTFOUND when it does not, ERR_CORRUPT when they
 * cannot be decoded or contradict the addresses that VMCOREINFO has, or a memory kind when they
 * cannot be read. Every table is an enemy's: all sizes are bounded.
 */
__attribute__((warn_unused_result)) struct err *symbols_from_kallsyms(struct memory *m,
								      const struct vspace *space,
								      const struct vmcoreinfo *info,
								      struct symbols **ret);

/*
 * From lines of /proc/kallsyms, a string without those of modules. ERR_CORRUPT for what is no such
 * line, or when they contradict @info, which may be NULL.
 */
__attribute__((warn_unused_result)) struct err *
symbols_from_kallsyms_text(const char *text, const struct vmcoreinfo *info, struct symbols **ret);

/*
 * From .symtab of the ELF file open as @fd (borrowed, may be closed afterwards), called @path in
 * messages: each address moved by @slide, except absolute ones and those of the zero-based per-CPU
 * section, which KASLR never moves. ERR_NOTFOUND when there is no symbol table, ERR_FORMAT when the
 * file is damaged or relocatable.
 */
__attribute__((warn_unused_result)) struct err *
symbols_from_elf(int fd, const char *path, uint64_t slide, struct symbols **ret);

/*
 * Making them from elsewhere: symbols_new(), symbols_add() for each, symbols_finish() once, before
 * any lookup. @kind is a literal; @expected is how many there will be, or 0. The name of @symbol
 * needs no end mark: it is @name_len bytes, of which a copy is kept. Of several symbols at one
 * address that with the highest @weight (0..126) is the answer of symbols_at(), then the one that
 * the kernel itself would choose; last of all the names of section boundaries.
 */
__attribute__((warn_unused_result)) struct err *symbols_new(const char *kind, size_t expected,
							    struct symbols **ret);
__attribute__((warn_unused_result)) struct err *
symbols_add(struct symbols *s, const struct symbol *symbol, size_t name_len, unsigned weight);
__attribute__((warn_unused_result)) struct err *symbols_finish(struct symbols *s);
/* Gives every symbol the address that @place says for the present one; before symbols_finish(). */
void symbols_move(struct symbols *s, uint64_t (*place)(void *closure, uint64_t address),
		  void *closure);
void symbols_free(struct symbols *s);

/* "kallsyms", "symtab", or what symbols_new() was told. */
const char *symbols_kind(const struct symbols *s);

/* Whether @name is the linker script's for the start or end of something (_stext, __start_rodata,
 * __irqentry_text_start), not for the function or object that happens to be there. */
bool symbols_is_boundary(const char *name);

/* How many there are; symbols_nth() is the @i-th (below the count) in address order. */
size_t symbols_count(const struct symbols *s);
struct symbol symbols_nth(const struct symbols *s, size_t i);

/* The address of @name. False if it is not there. @s may be NULL. Of several that have the name the
 * global one counts: a file of the kernel may have an `_end` of its own; without that the first in
 * address order. */
bool symbols_address(const struct symbols *s, const char *name, uint64_t *ret);
bool symbols_get(const struct symbols *s, const char *name, struct symbol *ret);

/* How many symbols are called @name: the address of a name that is not unique says little. */
size_t symbols_named(const struct symbols *s, const char *name);
/* The first @max of them, in address order; how many were written to @ret. @s may be NULL. */
size_t symbols_all_named(const struct symbols *s, const char *name, struct symbol *ret, size_t max);

/*
 * The symbol that holds @address: the last one at or below it. Passed over are those that are no
 * place in the kernel (absolute ones, offsets of per-CPU variables) and those that name no function
 * or object: __pfx_* and __cfi_* before functions, local labels (.L*), mapping symbols ($*). False
 * below the first one and from the end of the kernel (_end) on. @s may be NULL.
 */
bool symbols_at(const struct symbols *s, uint64_t address, struct symbol *ret);

#endif
