// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The frame pointer strategy: rbp points at the caller's rbp, below the return address (System V
 * ABI for x86-64, 3.2.2). It says nothing of the other registers, whose slots only a prologue's
 * code knows.
 */
#include <inttypes.h>
#include <string.h>

#include "arch/x86_64/unwind/fp_scan.h"
#include "arch/x86_64/unwind/steps.h"
#include "base/err.h"

/* The caller's frame when the return address lies at @slot, and its rbp is already back. */
static enum step leave_by_slot(struct walk *w, uint64_t slot, struct frame *ret)
{
	struct frame caller = { .how = HOW_FP };
	if (!walk_on_stack(w, slot, 8) || !walk_restore(w, &caller, REG_RIP, slot))
		return STEP_NONE;
	walk_keep(w, &caller, REG_RBP);
	regs_set(&caller.regs, REG_RSP, slot + 8);
	w->cfa = slot + 8;
	*ret = caller;
	return STEP_CALLER;
}

/*
 * Whether rbp leads back from a stack that was switched to: what switched has left the rsp that it
 * had in the first word there (irq_stack_ptr and its successors in arch/x86/entry), to which rsp
 * points again when the function that was called has returned. rbp, which is that of the switching
 * function, lies there or above.
 */
static bool leads_back(struct walk *w, uint64_t rbp)
{
	struct unwind_stack stack;
	uint64_t link;
	return !w->exact && w->source->stack(w->source->self, rbp, &stack) &&
	       stack.low != w->stack.low && rbp < stack.high && stack.high - rbp >= 16 &&
	       walk_on_stack(w, walk_reg(w, REG_RSP), 8) &&
	       walk_word(w, walk_reg(w, REG_RSP), &link) && link >= stack.low && link <= rbp;
}

/*
 * gcc has a function that needs more alignment than its caller gives it take lea 8(%rsp),%r10,
 * round rsp down, and push a copy of the return address in front of rbp: at its beginning, or
 * behind what it can do without a frame.
 */
static bool is_realigned(const struct walk *w)
{
	enum { LOOK_MAX = 256, MARK = 7 };
	static const unsigned char lea[] = { 0x4c, 0x8d, 0x54, 0x24, 0x08 };
	unsigned char code[LOOK_MAX];
	uint64_t function;
	if (!w->source->is_text(w->source->self, w->pc, &function) || !function ||
	    w->pc <= function)
		return false;
	size_t len = w->pc - function < LOOK_MAX ? (size_t)(w->pc - function) : LOOK_MAX;
	struct err *e = w->source->read(w->source->self, function, code, len);
	bool read = !e;
	err_free(e);
	for (size_t at = 0; read && at + MARK < len; at++)
		/* and $-N,%rsp, N in a byte or in four */
		if (!memcmp(code + at, lea, sizeof(lea)) && code[at + 5] == 0x48 &&
		    (code[at + 6] == 0x83 || code[at + 6] == 0x81) && code[at + MARK] == 0xe4)
			return true;
	return false;
}

/* The return address that @slot has a copy of: it lies above, within a page. */
static bool find_original(struct walk *w, uint64_t slot, uint64_t *ret)
{
	enum { ALIGNMENT_MAX = 4096 };
	uint64_t copy, word;
	if (!walk_word(w, slot, &copy))
		return false;
	for (uint64_t at = slot + 8; at - slot <= ALIGNMENT_MAX; at += 8) {
		if (!walk_on_other_stack(w, at, 8) || !walk_word(w, at, &word))
			break;
		if (word == copy) {
			*ret = at;
			return true;
		}
	}
	walk_note(w, "frame pointer: where the function's stack began before it was aligned is not "
		     "known");
	return false;
}

/* The caller's frame when its rbp lies at @slot, and the return address above it. */
static enum step leave_by_pair(struct walk *w, uint64_t slot, struct frame *ret)
{
	struct frame caller = { .how = HOW_FP };
	uint64_t address = slot + 8;
	if (!walk_restore(w, &caller, REG_RBP, slot) ||
	    (is_realigned(w) && !find_original(w, slot + 8, &address)) ||
	    !walk_restore(w, &caller, REG_RIP, address))
		return STEP_NONE;
	regs_set(&caller.regs, REG_RSP, address + 8);
	w->cfa = address + 8;
	*ret = caller;
	return STEP_CALLER;
}

/* Whether the return address at @slot is behind a call of @function. */
static bool returns_at(struct walk *w, uint64_t slot, uint64_t function)
{
	uint64_t word;
	return function && walk_on_stack(w, slot, 8) && walk_word(w, slot, &word) &&
	       walk_returns_from(w, word, function);
}

/*
 * Code that was interrupted may stand where rbp is not its own yet, or no longer, or be assembly
 * that makes no frame: following rbp would pass over the function that has called it, or over what
 * entry code has interrupted. What it does next tells, or a return address behind a call of this
 * very function. STEP_BOTTOM: rbp must not be followed.
 */
static enum step leave_interrupted(struct walk *w, struct frame *ret)
{
	uint64_t function, slot = walk_reg(w, REG_RSP), rbp = walk_reg(w, REG_RBP);
	switch (fp_scan(w, &slot)) {
	case FP_NONE:
		return leave_by_slot(w, slot, ret);
	case FP_PUSHED:
		return leave_by_pair(w, slot, ret);
	case FP_FRAME:
		return STEP_NONE;
	case FP_UNKNOWN:
		break;
	}
	if (!w->source->is_text(w->source->self, w->pc, &function))
		function = 0;
	if (returns_at(w, slot, function))
		return leave_by_slot(w, slot, ret);
	if (!walk_knows(w, REG_RBP) || rbp % 8 == 1 ||
	    (rbp <= UINT64_MAX - 8 && returns_at(w, rbp + 8, function)))
		return STEP_NONE;
	walk_note(w, "frame pointer: whether the code at 0x%" PRIx64 " has a frame is not known",
		  w->pc);
	return STEP_BOTTOM;
}

/*
 * Entry code of kernels with frame pointers puts the address of its pt_regs into rbp, with bit 0
 * set (ENCODE_FRAME_POINTER, arch/x86/include/asm/frame.h).
 */
static enum step leave_by_pt_regs(struct walk *w, uint64_t pt_regs, struct frame *ret)
{
	struct frame caller = { .how = HOW_REGS, .interrupted = true };
	if (!walk_on_other_stack(w, pt_regs, PT_REGS_BYTES) ||
	    !walk_restore_pt_regs(w, &caller, pt_regs, 0))
		return STEP_NONE;
	w->cfa = pt_regs;
	*ret = caller;
	return STEP_CALLER;
}

/*
 * Whether rbp is another function's: the one that this called has left it alone, and this, as
 * assembly may, makes no frame. Entry code that calls error_entry() has what it interrupted there.
 */
static bool is_of_another(const struct walk *w)
{
	const uint32_t bit = UINT32_C(1) << REG_RBP;
	const struct frame *callee = w->callee;
	uint64_t function;
	if (w->exact || !callee || (callee->saved_known & bit) != (w->frame->saved_known & bit) ||
	    (callee->saved_known & bit && callee->saved[REG_RBP] != w->frame->saved[REG_RBP]))
		return false;
	return w->source->is_text(w->source->self, w->pc, &function) && function &&
	       !fp_makes_frame(w, function);
}

enum step fp_step(struct walk *w, struct frame *ret)
{
	/* What is switched out has made its frame, and its rbp is known for that. */
	bool interrupted = w->exact && w->frame->how != HOW_SWITCH;
	enum step s = interrupted ? leave_interrupted(w, ret) : STEP_NONE;
	if (s != STEP_NONE)
		return s == STEP_CALLER ? s : STEP_NONE;
	if (!walk_knows(w, REG_RBP)) {
		walk_note(w, "frame pointer: rbp is not known");
		return STEP_NONE;
	}
	uint64_t rbp = walk_reg(w, REG_RBP);
	if (w->source->lacks_frames && w->source->lacks_frames(w->source->self, w->pc)) {
		walk_note(w,
			  "frame pointer: whether the code at 0x%" PRIx64 " keeps one is not known",
			  w->pc);
		return STEP_NONE;
	}
	if (rbp % 8 == 0 && is_of_another(w)) {
		walk_note(w,
			  "frame pointer: rbp is another's: the code at 0x%" PRIx64 " makes none",
			  w->pc);
		return STEP_NONE;
	}
	if (rbp % 8 == 1)
		s = leave_by_pt_regs(w, rbp - 1, ret);
	else if (rbp % 8 == 0 && (walk_on_stack(w, rbp, 16) || leads_back(w, rbp)))
		s = leave_by_pair(w, rbp, ret);
	if (s == STEP_NONE)
		walk_note(w, "frame pointer: rbp 0x%" PRIx64 " leads nowhere on the %s stack", rbp,
			  w->stack.name);
	return s;
}
