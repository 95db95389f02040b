/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of a task's frames something on another stack, or an entry of the kernel, has stopped. */
#ifndef VMCORE_CODE_CONTEXT_PLACES_H
#define VMCORE_CODE_CONTEXT_PLACES_H

#include <stdbool.h>
#include <stddef.h>

struct frames;

struct context_place {
	size_t frame; /* the number of the frame that was stopped */
	size_t by;    /* the number of the frame whose function did that */
	bool called;  /* it called what runs on the other stack, as for softirqs */
};

/* Interrupts nest no deeper than NMI in machine check in interrupt in exception. */
enum { CONTEXT_PLACES_MAX = 16 };

/*
 * Finds them among @f, innermost first; returns how many there are in @places, which has room for
 * CONTEXT_PLACES_MAX. What a pt_regs holds of the kernel is one; of user mode only below a change
 * of stacks: every system call has that, and debuggers get there by themselves.
 *
 * What stopped a frame is the C function that the entry's assembly called, which is named as in the
 * kernel's own traces; where there is none, the assembly.
 */
size_t context_places_find(const struct frames *f, struct context_place *places);

#endif
