/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vmlinux or module that a recipe builds on: its bytes, its symbols and its types. */
#ifndef RECIPE_KERNELFILE_H
#define RECIPE_KERNELFILE_H

#include <elfutils/libdw.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/recipe/names.h"

struct err;
struct physmem;

struct kernelfile {
	int fd;
	Elf *elf;
	struct names symbols;
	Dwarf *dwarf;	    /* opened with the first question for a type */
	struct names types; /* name -> offset of the DIE in .debug_info */
	bool types_indexed;
};

/* A variable or a member of one. */
struct place {
	uint64_t offset;
	uint64_t size;
	enum {
		PLACE_INTEGER, /* also pointers, enumerations, bool */
		PLACE_TEXT,    /* an array of char */
		PLACE_OTHER,
	} kind;
};

struct err *kernelfile_open(const char *path, struct kernelfile **ret);
void kernelfile_close(struct kernelfile *f);

/* Puts every PT_LOAD segment where its p_paddr says. */
struct err *kernelfile_load(struct kernelfile *f, struct physmem *mem);

/* The content of section @name, borrowed from @f. */
struct err *kernelfile_section(struct kernelfile *f, const char *name, const void **ret_bytes,
			       size_t *ret_len);

/*
 * Looks up "TYPE" (a struct, union or typedef name) and in it @path, like `arch.mmu.root_hpa` or
 * `pids[0].node.next`; an empty path is the type itself. ERR_NOTFOUND says which part is not there.
 */
struct err *kernelfile_place(struct kernelfile *f, const char *type, const char *path,
			     struct place *ret);

#endif
