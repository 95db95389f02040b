/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the unwinder has to know of an architecture. The driver (unwind.c) and CFI are the same for
 * all; the order of the strategies, and what only one processor does, are here.
 */
#ifndef UNWIND_ARCH_H
#define UNWIND_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/regs.h"
#include "unwind/unwind.h"

struct walk;

enum step {
	STEP_NONE,   /* the strategy does not apply, or failed: walk->why says more */
	STEP_CALLER, /* the caller is in *ret, walk->cfa is set */
	STEP_BOTTOM, /* nothing called this frame */
};

/* What unwind_arch.find_cfa() found. */
enum cfa_by_table {
	CFA_NOT_TOLD, /* CFI is to say it */
	CFA_FOUND,    /* it is walk->cfa, and the caller's frame pointer is what it can be */
	CFA_UNKNOWN,  /* CFI is wrong there, and the table could not be followed */
};

/*
 * To add an architecture: fill this in, by a file for each of its own strategies
 * (arch/x86_64/unwind/ is an example), and name it in its struct arch (arch/arch.h). Members may be
 * NULL where the words say so.
 */
struct unwind_arch {
	/* Its registers; those below dwarf_count have DWARF's numbers, and the return address's
	 * column in CFI is that of pc. */
	const struct arch_regs *regs;

	/*
	 * The caller of walk->frame: tries the strategies in their order. walk->stack.name is NULL
	 * where the frame's stack pointer is on no stack. *ret starts empty. If it finds nothing,
	 * walk_note() has been told why.
	 */
	enum step (*leave)(struct walk *w, struct frame *ret);

	/* Whether the caller @next, whose pc is not one of code, says that nothing called
	 * walk->frame: the end of what a thread of the kernel, or an idle task, begins with. */
	bool (*is_bottom)(const struct walk *w, const struct frame *next);

	/* Whether @stopped, which was interrupted, may rightly be on no stack at all: an entry's
	 * first instructions have user mode's stack pointer. NULL: never. */
	bool (*may_lack_stack)(const struct walk *w, const struct frame *stopped);

	/* Whether the stack may go back to @next, once in a walk: what interrupts its own kind may
	 * begin at its stack's top again. NULL: never. */
	bool (*may_go_back)(const struct walk *w, const struct frame *next);

	/* Forgets in @user, a frame of user mode that walk->frame leads to, what its way into the
	 * kernel loses. NULL: nothing is lost. */
	void (*forget_lost)(const struct walk *w, struct frame *user);

	/*
	 * For CFI (cfi.c). Bit n: libdw says of register n that it is undefined where the ABI has
	 * it kept (its own default for what CFI does not mention is wrong).
	 */
	uint64_t wrongly_undefined;

	/* The CFA, as @row says, which is of a table of the kernel's own and never NULL. Then
	 * @caller has its frame pointer. NULL: there are no such tables. */
	enum cfa_by_table (*find_cfa)(struct walk *w, const struct orc_entry *row,
				      struct frame *caller);

	/* Whether @caller, which CFI of entry code leads to, has what the processor writes when it
	 * is interrupted; a note if not. NULL: no such CFI is known to be wrong. */
	bool (*is_pushed)(struct walk *w, const struct frame *caller);
};

#endif
