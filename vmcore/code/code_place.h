/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an address of code is called, in backtraces and wherever else one is shown. */
#ifndef VMCORE_CODE_CODE_PLACE_H
#define VMCORE_CODE_CODE_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "vmcore/names/symbols.h"

struct buf;
struct code_map;
struct frame;
struct module;

enum code_place_kind {
	PLACE_NOWHERE,	/* no known code */
	PLACE_NAMED,	/* in a function: `symbol` and `offset` are known */
	PLACE_NAMELESS, /* in a module or the kernel, which have no symbol for it */
	PLACE_MADE,	/* code that was made at run time, and no symbol tells what it is */
	PLACE_UNLISTED, /* such, or a module's: the list of modules is not known */
	PLACE_USER,	/* a process's: nothing else is known */
};

struct code_place {
	enum code_place_kind kind;
	struct symbol symbol;
	uint64_t offset;	     /* from the symbol; more than its size behind a last call */
	const struct module *module; /* NULL: the kernel's own, or nobody's. Borrowed */
};

/*
 * The place of @pc. A return address may lie behind its function's last instruction, when that
 * calls what never returns: unless @exact, the call is what is looked up.
 */
struct code_place code_place_find(struct code_map *c, uint64_t pc, bool exact);

/* Where to look up @f's code, and the place of its pc. */
uint64_t frame_code_address(const struct frame *f);
struct code_place code_place_of_frame(struct code_map *c, const struct frame *f);

/* Appends "vcpu_enter_guest+0x67b [kvm]", or "(no known code)"... */
void add_code_place(const struct code_place *p, struct buf *out);

#endif
