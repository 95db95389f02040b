/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DWARF expressions as call frame information uses them (DWARF 5, 2.5 and 6.4.2), over the
 * registers of the frame to be left. Private to unwind/.
 */
#ifndef UNWIND_CFI_EXPR_H
#define UNWIND_CFI_EXPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <elfutils/libdw.h>

#include "unwind/walk.h"

struct cfi_expr {
	const Dwarf_Op *ops; /* borrowed */
	size_t count;
	const uint64_t *cfa; /* for DW_OP_call_frame_cfa; NULL where the CFA is being found */
	uint64_t bias;	     /* to add to addresses that the expression spells out */
	/* For DW_OP_fbreg, which variables' locations have; NULL in call frame information. */
	const uint64_t *frame_base;
};

enum cfi_where {
	CFI_VALUE,    /* the result is the value itself */
	CFI_ADDRESS,  /* the result is where the value lies */
	CFI_REGISTER, /* the result is the DWARF number of the register that holds it */
};

/*
 * Evaluates. False, with a note, if it asks for what is not known or makes no sense. An expression
 * for a CFA is a CFI_ADDRESS by its form, whose result is the CFA.
 */
bool cfi_evaluate(struct walk *w, const struct cfi_expr *e, enum cfi_where *ret_where,
		  uint64_t *ret);

#endif
