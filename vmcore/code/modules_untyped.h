/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of modules of a kernel whose types are not known: where in struct module a module's
 * name, memory and symbols are is proven by what lies there, in all modules alike. Two answers mean
 * none.
 */
#ifndef VMCORE_CODE_MODULES_UNTYPED_H
#define VMCORE_CODE_MODULES_UNTYPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct kernel;
struct module;

/* How struct module has its memory and its symbols, from 3.10 on. */
enum module_memory_form {
	MEMORY_LAYOUT,	/* core_layout: base, size, text_size; 4.5 to 6.3 */
	MEMORY_CORE,	/* module_core, init_size, core_size, init_text_size, core_text_size */
	MEMORY_REGIONS, /* mem[]: one region for each kind of memory; since 6.4 */
	MEMORY_FORMS,
};
enum module_symbols_form {
	SYMBOLS_BEHIND, /* kallsyms points to core_kallsyms, right behind it; since 4.5 */
	SYMBOLS_INSIDE, /* symtab, core_symtab, num_symtab, core_num_syms, strtab, core_strtab */
	SYMBOLS_FORMS,
};

/* Offsets in struct module, in bytes. */
struct module_layout {
	enum module_memory_form memory_form;
	enum module_symbols_form symbols_form;
	uint64_t memory;  /* of the base, or of mem[] */
	uint64_t stride;  /* of mem[]: bytes of an entry */
	uint64_t size_at; /* of mem[]: of size in an entry */
	uint64_t symbols; /* of the first member named above; 0 if they were not found */
	bool typed;	  /* a typetab follows (5.2) */
};

/*
 * Proves the layout by the modules of the list at @head, the variable `modules`. The list's links
 * lie behind the state, and the name behind them, as in every kernel from 3.10 on: believed if all
 * modules have a name there. ERR_NOTFOUND, with what did not hold, when it is not proven; the list
 * is empty then, damaged or of another form.
 */
__attribute__((warn_unused_result)) struct err *
module_layout_prove(const struct kernel *k, uint64_t head, struct module_layout *ret);

/* Where the links are in struct module. */
uint64_t module_layout_link(void);

/* The module at @address by that layout; false if it cannot be read. */
bool module_layout_read(const struct kernel *k, const struct module_layout *l, uint64_t address,
			struct module *ret);

#endif
