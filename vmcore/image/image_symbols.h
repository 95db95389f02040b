/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generated image's .symtab: the kernel's symbols, its modules' and those of BPF code. */
#ifndef VMCORE_IMAGE_IMAGE_SYMBOLS_H
#define VMCORE_IMAGE_IMAGE_SYMBOLS_H

#include <stdbool.h>

struct made_code;
struct code_map;
struct elf_writer;
struct err;
struct image_layout;
struct kernel;

/*
 * Adds all of them to @w. Sizes that nobody tells reach to the next symbol, and no further than the
 * section; types come from nm's letters and the section. Of several symbols at an address the one
 * that symbols_at() prefers comes last. A module's global symbol that has the name of one before it
 * becomes local, so that no name is global twice.
 */
__attribute__((warn_unused_result)) struct err *
image_symbols_add(const struct kernel *k, struct code_map *code, const struct made_code *bpf,
		  const struct image_layout *layout, struct elf_writer *w);

/*
 * The same of modules alone, of those for which @wanted, by index of code_map_modules(), is set:
 * only what lies in the parts of @layout.
 */
__attribute__((warn_unused_result)) struct err *
image_symbols_add_modules(struct code_map *code, const bool *wanted,
			  const struct image_layout *layout, struct elf_writer *w);

/* Adds those of code that was made at run time, in parts of @layout, alone. */
__attribute__((warn_unused_result)) struct err *
image_symbols_add_made(const struct made_code *made, const struct image_layout *layout,
		       struct elf_writer *w);

#endif
