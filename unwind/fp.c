// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The frame pointer strategy: rbp points at the caller's rbp, below the return address (System V
 * ABI for x86-64, 3.2.2). It says nothing of the other registers, whose slots only a prologue's
 * code knows.
 */
#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "unwind/walk.h"

enum { PROLOGUE_BYTES = 16, PUSH_RBP = 0x55, RET = 0xc3 };

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

/* The caller's frame when its rbp lies at @slot, and the return address above it. */
static enum step leave_by_pair(struct walk *w, uint64_t slot, struct frame *ret)
{
	struct frame caller = { .how = HOW_FP };
	if (!walk_restore(w, &caller, REG_RBP, slot) ||
	    !walk_restore(w, &caller, REG_RIP, slot + 8))
		return STEP_NONE;
	regs_set(&caller.regs, REG_RSP, slot + 16);
	w->cfa = slot + 16;
	*ret = caller;
	return STEP_CALLER;
}

static bool read_code(const struct walk *w, uint64_t address, unsigned char *out, size_t len)
{
	struct err *e = w->source->read(w->source->self, address, out, len);
	err_free(e);
	return !e;
}

/* Where in the function's first bytes rbp is pushed; false if it does not begin that way. */
static bool find_push(const unsigned char *code, unsigned *ret)
{
	static const unsigned char endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	static const unsigned char nop5[] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };
	enum { CALL = 0xe8, CALL_BYTES = 5 };
	unsigned at = 0;
	if (memcmp(code, endbr64, sizeof(endbr64)) == 0)
		at += sizeof(endbr64);
	/* ftrace's call, or the no-op that stands in for it. */
	if (memcmp(code + at, nop5, sizeof(nop5)) == 0 || code[at] == CALL)
		at += CALL_BYTES;
	*ret = at;
	return code[at] == PUSH_RBP;
}

/*
 * Code that was interrupted may stand where rbp is not its own yet, or no longer: before the
 * prologue is through, or on the return.
 */
static enum step leave_without_frame(struct walk *w, struct frame *ret)
{
	unsigned char code[PROLOGUE_BYTES];
	uint64_t function, rsp = walk_reg(w, REG_RSP);
	unsigned push;
	if (!w->exact)
		return STEP_NONE;
	if (read_code(w, w->pc, code, 1) && code[0] == RET)
		return leave_by_slot(w, rsp, ret);
	if (!w->source->is_text(w->source->self, w->pc, &function) || !function ||
	    w->pc < function || !read_code(w, function, code, sizeof(code)) ||
	    !find_push(code, &push))
		return STEP_NONE;
	if (w->pc - function <= push)
		return leave_by_slot(w, rsp, ret);
	if (w->pc - function == push + 1)
		return walk_on_stack(w, rsp, 16) ? leave_by_pair(w, rsp, ret) : STEP_NONE;
	return STEP_NONE;
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

enum step fp_step(struct walk *w, struct frame *ret)
{
	enum step s = leave_without_frame(w, ret);
	if (s != STEP_NONE)
		return s;
	if (!walk_knows(w, REG_RBP)) {
		walk_note(w, "frame pointer: rbp is not known");
		return STEP_NONE;
	}
	uint64_t rbp = walk_reg(w, REG_RBP);
	if (rbp % 8 == 1)
		s = leave_by_pt_regs(w, rbp - 1, ret);
	else if (rbp % 8 == 0 && (walk_on_stack(w, rbp, 16) || leads_back(w, rbp)))
		s = leave_by_pair(w, rbp, ret);
	if (s == STEP_NONE)
		walk_note(w, "frame pointer: rbp 0x%" PRIx64 " leads nowhere on the %s stack", rbp,
			  w->stack.name);
	return s;
}
