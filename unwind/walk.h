/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the driver and its strategies share: the frame to be left, and how a strategy says what it
 * found or why it found nothing. Private to unwind/ and to
 * the strategies of architectures.
 */
#ifndef UNWIND_WALK_H
#define UNWIND_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "unwind/arch.h"
#include "unwind/unwind.h"

struct walk {
	const struct unwind_source *source;
	const struct frame *frame;  /* the one to be left */
	const struct frame *callee; /* the one before it; NULL: it is the first */
	struct unwind_stack stack;  /* that holds its stack pointer */
	uint64_t pc;		    /* what to look up in tables */
	bool exact;	/* pc is where it stands; else it was left by a call before pc + 1 */
	bool no_code;	/* what the code says is not about this frame's stack pointer */
	uint64_t cfa;	/* the frame's CFA, for a strategy that leaves it */
	struct buf why; /* what failed on the way out of this frame */
};

/* The strategy of CFI; *ret starts empty and is filled for STEP_CALLER only. @row: of a table of
 * the kernel's own, of the same code, for unwind_arch.find_cfa(); NULL if there is none. */
enum step cfi_step(struct walk *w, const struct orc_entry *row, struct frame *ret);

/* Adds a reason to walk->why. */
__attribute__((format(printf, 2, 3))) void walk_note(struct walk *w, const char *fmt, ...);

/* Eight bytes of memory; false, and a note, if they cannot be read. */
bool walk_word(struct walk *w, uint64_t address, uint64_t *ret);

/* Registers of the frame to be left. */
static inline bool walk_knows(const struct walk *w, unsigned n)
{
	return regs_known(&w->frame->regs, n);
}

static inline uint64_t walk_reg(const struct walk *w, unsigned n)
{
	return w->frame->regs.value[n];
}

static inline uint64_t walk_pc(const struct walk *w)
{
	return walk_reg(w, w->source->arch->regs->pc);
}

static inline uint64_t walk_sp(const struct walk *w)
{
	return walk_reg(w, w->source->arch->regs->sp);
}

/* Whether @pc lies in code of the kernel or a module. */
bool walk_is_code(const struct walk *w, uint64_t pc);

/* Whether @pc, in code that no symbol covers (BPF programs, trampolines), is at least there. */
bool walk_may_be_code(const struct walk *w, uint64_t pc);

/* Whether @len bytes at @address lie between the frame's stack pointer and the end of its stack. */
bool walk_on_stack(const struct walk *w, uint64_t address, uint64_t len);

/* The same, or that they lie on another stack of this task or its CPU. */
bool walk_on_other_stack(const struct walk *w, uint64_t address, uint64_t len);

/* The caller's @n is @value, which was saved at @address. */
void walk_saved(struct frame *caller, unsigned n, uint64_t value, uint64_t address);

/* The caller's @n was saved at @address; false if that cannot be read. */
bool walk_restore(struct walk *w, struct frame *caller, unsigned n, uint64_t address);

/* That register of @f is not known, nor where it was saved. */
static inline void walk_forget(struct frame *f, unsigned n)
{
	regs_forget(&f->regs, n);
	f->saved_known &= ~(UINT32_C(1) << n);
}
/* The caller's @n is what it is in the frame to be left, if it is known there. */
void walk_keep(const struct walk *w, struct frame *caller, unsigned n);

#endif
