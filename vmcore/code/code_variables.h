/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which variables of a frame hold a pointer to a structure. */
#ifndef VMCORE_CODE_CODE_VARIABLES_H
#define VMCORE_CODE_CODE_VARIABLES_H

#include <stddef.h>
#include <stdint.h>

#include "unwind/variable.h"

struct code_scopes;
struct kernel;

struct held_pointer {
	const char *name; /* of the variable; borrowed from the code_scopes */
	struct variable variable;
};

/*
 * The parameters and variables of type "struct @type *" that are in scope at @pc (where @frame is
 * to be looked up) and whose value is known from the frame's known registers, once each: into
 * @list,
 * @max at most. Returns how many; none where no DWARF covers the code.
 */
size_t code_variables_find(struct code_scopes *s, const struct kernel *k, const struct frame *frame,
			   uint64_t pc, const char *type, struct held_pointer *list, size_t max);

#endif
