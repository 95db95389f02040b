/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds x86-64 page tables (4 and 5 levels) and EPT tables inside a physical memory, entry by
 * entry, as the Intel SDM (volume 3, chapters 4 and 28) lays them out.
 */
#ifndef RECIPE_PAGING_H
#define RECIPE_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/recipe/physmem.h"

struct err;

enum paging_kind {
	PAGING_X86,
	PAGING_EPT,
};

/* Bits of a leaf entry that a recipe may ask for; the tables above allow everything. */
enum paging_flag {
	PAGING_USER = 1,
	PAGING_READONLY = 2,
	PAGING_NOEXEC = 4,
	PAGING_GLOBAL = 8,
	PAGING_NOT_PRESENT = 16, /* the entry holds the address but not the present bit */
};

struct paging {
	struct physmem *mem; /* borrowed */
	enum paging_kind kind;
	unsigned int levels; /* 4 or 5 */
	uint64_t root;
	uint64_t pool;	    /* where the next table page goes */
	uint64_t encrypted; /* bits that every present entry carries (AMD's C-bit), or 0 */
};

/* @page is 4 KiB, 2 MiB or 1 GiB; everything must be aligned to it. */
struct err *paging_map(struct paging *p, uint64_t va, uint64_t pa, uint64_t size, uint64_t page,
		       unsigned int flags);

/* Stores @value as the entry for @va in the table of @level (1: the lowest), as damage goes. */
struct err *paging_set_entry(struct paging *p, uint64_t va, unsigned int level, uint64_t value);

/* Copies the upper half of @from's root, as every process has the kernel's. */
struct err *paging_share_kernel(struct paging *p, const struct paging *from);

bool paging_translate(const struct paging *p, uint64_t va, uint64_t *ret_pa);

#endif
