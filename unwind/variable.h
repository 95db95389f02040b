/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a variable holds in a frame, by the location that DWARF gives for it (DWARF 5, 2.6). */
#ifndef UNWIND_VARIABLE_H
#define UNWIND_VARIABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <elfutils/libdw.h>

#include "unwind/unwind.h"

/* A location; all is borrowed. */
struct variable_location {
	const Dwarf_Op *ops;
	size_t count;
	/* The function's DW_AT_frame_base, for DW_OP_fbreg; NULL if there is none. */
	const Dwarf_Op *base_ops;
	size_t base_count;
	uint64_t bias; /* to add to addresses that the location spells out */
};

enum variable_where {
	VARIABLE_COMPUTED, /* the value is nowhere, and follows from others */
	VARIABLE_MEMORY,
	VARIABLE_REGISTER,
};

struct variable {
	uint64_t value; /* eight bytes */
	enum variable_where where;
	uint64_t address; /* of VARIABLE_MEMORY */
	const char *reg;  /* its name, static; of VARIABLE_REGISTER */
};

/*
 * False if the location asks for a register that is not known in @frame, for what it held at the
 * function's entry, for memory that is not there, or makes no sense: then the value is not known.
 * Of @source, read() and arch are needed.
 */
bool variable_evaluate(const struct unwind_source *source, const struct frame *frame,
		       const struct variable_location *location, struct variable *ret);

#endif
