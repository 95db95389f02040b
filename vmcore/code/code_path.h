/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The DIEs of DWARF that cover a place in the code. */
#ifndef VMCORE_CODE_CODE_PATH_H
#define VMCORE_CODE_CODE_PATH_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CODE_PATH_MAX = 32 };

struct code_path {
	uint64_t bias; /* what is added to the file's addresses to get those at run time */
	Dwarf_Addr pc; /* in the file's addresses */
	Dwarf_Die unit;
	/* Functions, functions inlined into them and blocks, outermost first. */
	Dwarf_Die list[CODE_PATH_MAX];
	size_t depth;
};

/* Finds what covers the run-time address @pc in @dwarf, which lies @bias below it. False if no unit
 * does; assembly's has an empty list. */
bool code_path_find(Dwarf *dwarf, uint64_t bias, uint64_t pc, struct code_path *ret);

#endif
