/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether code that was interrupted has its frame, in a kernel with frame pointers. Private to
 * unwind/. */
#ifndef ARCH_X86_64_UNWIND_FP_SCAN_H
#define ARCH_X86_64_UNWIND_FP_SCAN_H

#include <stdbool.h>
#include <stdint.h>

struct walk;

enum fp_state {
	FP_UNKNOWN,
	FP_NONE,   /* rbp is the caller's, and the return address lies at the slot */
	FP_PUSHED, /* rbp is the caller's, and also lies at the slot, below the return address */
	FP_FRAME,  /* rbp points at the frame */
};

/* What the code does next at the pc of @w, which is exact, tells. *ret_slot is set for FP_NONE and
 * FP_PUSHED. */
enum fp_state fp_scan(struct walk *w, uint64_t *ret_slot);

/* Whether the function that begins at @function (0: unknown) makes a frame somewhere in front of
 * the pc of @w. */
bool fp_makes_frame(const struct walk *w, uint64_t function);

#endif
