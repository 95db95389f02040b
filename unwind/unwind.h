/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From first registers to frames. Strategies are tried in order for each frame (unwind.c), one a
 * file; a register is known or it is not, and never guessed. Knows memory, tables and stacks only
 * through struct unwind_source.
 */
#ifndef UNWIND_UNWIND_H
#define UNWIND_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/regs.h"

struct Dwarf_CFI_s;
struct err;
struct unwind_arch;

/* One row of the ORC tables, see orc.h. */
struct orc_entry;

/* What a function's instructions say, see code_table.h. */
struct code_rules;

/* A stack: frames of one do not run into another but where the kernel switches. */
struct unwind_stack {
	uint64_t low, high; /* [low, high) */
	const char *name;   /* "task", "IRQ", "NMI"...; static */
};

/* What a return address is that was read from the stack. */
enum unwind_return {
	RETURN_PLAIN,
	RETURN_TRACED, /* a tracer's trampoline; what was there before it came is known */
	RETURN_LOST,   /* the same, and it is not */
};

struct unwind_source {
	void *self;
	/* All or nothing. The error is the caller's. */
	struct err *(*read)(void *self, uint64_t address, void *out, size_t len);
	/* Whether @pc lies in code of the kernel or a module, and where its function begins (0:
	 * unknown). */
	bool (*is_text)(void *self, uint64_t pc, uint64_t *ret_function);
	/* The CFI section that may cover @pc, and what to take off a run-time address to get the
	 * address it speaks of; false if there is none. Borrowed. May be NULL. */
	bool (*cfi)(void *self, uint64_t pc, struct Dwarf_CFI_s **ret_cfi, uint64_t *ret_bias);
	/* The ORC entry that covers @pc; false if none does. May be NULL. */
	bool (*orc)(void *self, uint64_t pc, struct orc_entry *ret);
	/* The stack that holds @address; false if it is on none that belongs to this task or its
	 * CPU. */
	bool (*stack)(void *self, uint64_t address, struct unwind_stack *ret);
	/* What following the instructions of the function that covers @pc says: before the one at
	 * @pc if @exact, else in the call that returns to it; and where that function begins. False
	 * if it says nothing. May be NULL. */
	bool (*code)(void *self, uint64_t pc, bool exact, struct code_rules *ret,
		     uint64_t *ret_function);
	/* What the return address @address is that lies at @slot; *ret: where the function will
	 * return to in the end, if it is traced. May be NULL: none is. */
	enum unwind_return (*traced)(void *self, uint64_t slot, uint64_t address, uint64_t *ret);
	/* Whether the frame pointer may be anything in the code at @pc, of which nothing is known.
	 * May be NULL: in none. */
	bool (*lacks_frames)(void *self, uint64_t pc);
	/* What the strategies of the architecture ask beside, which say what it is (x86-64:
	 * struct x86_asks). NULL: nothing answers. */
	const void *asks;
	const struct unwind_arch *arch;
	uint64_t page_size; /* of the kernel, in bytes: below a stack at least that much is free */
};

/* How a frame's registers were found. */
enum frame_how {
	HOW_NOTE,   /* first frame: a CPU's note */
	HOW_SWITCH, /* first frame: what the context switch left */
	HOW_CFI,
	HOW_ORC,
	HOW_FP,	   /* frame pointer: pc, stack pointer and frame pointer alone */
	HOW_REGS,  /* a pt_regs that an entry saved */
	HOW_FOUND, /* a return address that was looked for on the stack, or where a CPU put its
		      registers when it entered a guest */
	HOW_CALL,  /* a call to nowhere: the return address was popped */
	HOW_CODE,  /* by following the instructions of the function that it has called */
};

struct frame {
	struct regs regs;
	/* Where the frame ends: the caller's stack pointer, or the pt_regs of what was
	 * interrupted. 0 if it is not known, as in the last frame. */
	uint64_t cfa;
	/* Where the value that a register has in this frame was read from; bit n of saved_known:
	 * saved[n] is such an address. */
	uint64_t saved[REGS_MAX];
	uint32_t saved_known;
	enum frame_how how; /* how this frame was found, from the one before */
	bool interrupted; /* it was stopped at its pc, not left by a call: look up pc, not pc - 1 */
	/* The stack has a tracer's trampoline for this return address. With is_trampoline pc is
	 * that one, since what was there before is not known: look up pc, not what lies before it.
	 */
	bool traced;
	bool is_trampoline;
};

/* Where the CPU was, or goes on, in a frame. */
enum frame_mode { FRAME_UNKNOWN, FRAME_KERNEL, FRAME_USER };

/*
 * The one place that decides it: by the register that has the mode. CFI of entry code says where
 * user mode was interrupted but cannot speak of that register, and pc tells; any other pc in a
 * process's half is damage, not user mode.
 */
enum frame_mode frame_mode(const struct frame *f);

enum unwind_end {
	END_USER,    /* the last frame is user mode's */
	END_KTHREAD, /* the entry of a kernel thread, or of an idle task, that nothing called */
	END_LOST,    /* see why */
};

struct frames {
	struct frame *list; /* owned */
	size_t count;
	enum unwind_end end;
	char *why; /* owned; for END_LOST a sentence, else NULL */
};

/* What a stack of 32 KiB (KASAN's) has room for: one that was run over is full of frames. */
enum { UNWIND_DEPTH_MAX = 4096 };

/*
 * Unwinds from @first, whose pc and stack pointer must be known. @interrupted as in struct frame.
 * An error only when memory is out; whatever else stops it is in ret->why. *ret is freed with
 * frames_free().
 */
__attribute__((warn_unused_result)) struct err *unwind(const struct unwind_source *source,
						       const struct regs *first, enum frame_how how,
						       bool interrupted, struct frames *ret);
void frames_free(struct frames *f);

/* "cfi", "orc", "fp", "regs", "switch", "note", "found", "call", "code" */
const char *frame_how_name(enum frame_how how);

#endif
