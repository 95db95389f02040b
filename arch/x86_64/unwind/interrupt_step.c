// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Entry assembly of kernels that have frame pointers and no tables for it. It makes no frame of its
 * own, so that rbp there is still that of what was interrupted, and following it would pass that
 * over. But where it calls the handler, rsp leads to the pt_regs: in an exception's code it is its
 * address, and in an interrupt's, it is that of the word by which the CPU's IRQ stack is linked to
 * the one before (pushed at its top, or in place when the CPU was on that stack already).
 *
 * arch/x86/kernel/entry_64.S until 4.1, arch/x86/entry/entry_64.S from then on. Until 4.3 an
 * interrupt's code leaves rbx and r12-r15 to the handler: pt_regs has what lies above them and rbp,
 * the link leads to pt_regs.bp, and the registers hold what they held. From then on pt_regs is
 * whole and the link leads to its beginning.
 */
#include <inttypes.h>

#include "arch/address.h"
#include "arch/x86_64/unwind/steps.h"

enum { PT_REGS_RBP = 4, PT_REGS_RBX = 5 }; /* words of pt_regs */

enum { VECTORS = 256 }; /* orig_ax is the complement of an interrupt's, or -1 */

static bool has_segments_of_its_mode(const struct regs *r)
{
	uint64_t cs = r->value[REG_CS], ss = r->value[REG_SS];
	bool kernel_stack = is_kernel_address(r->value[REG_RSP]);
	if (cs == KERNEL_CS) /* ss is 0 in code that came from user mode by an interrupt */
		return kernel_stack && (ss == 0 || ss == KERNEL_DS);
	return regs_have_user_segments(r) && !kernel_stack;
}

/* Whether these are the registers of something that an interrupt or exception stopped. */
static bool is_interrupted(const struct regs *r)
{
	uint64_t eflags = r->value[REG_EFLAGS];
	return has_segments_of_its_mode(r) && eflags & EFLAGS_ALWAYS && eflags < EFLAGS_END &&
	       r->value[REG_ORIG_RAX] >= -(uint64_t)VECTORS;
}

/*
 * The entry code has left rbp alone, or set it to the address of pt_regs: with bit 0 set
 * (ENCODE_FRAME_POINTER, arch/x86/include/asm/frame.h), or plain where Xen's callback links.
 */
static bool is_rbp_of(const struct walk *w, const struct frame *caller, uint64_t pt_regs)
{
	uint64_t rbp = walk_reg(w, REG_RBP);
	return !walk_knows(w, REG_RBP) || rbp == caller->regs.value[REG_RBP] || rbp == pt_regs ||
	       rbp == (pt_regs | 1);
}

/* The frame that was interrupted, if its pt_regs is at @pt_regs and whole, or has the words from
 * rbp on that handlers do not keep. */
static bool read_pt_regs(struct walk *w, uint64_t pt_regs, bool whole, struct frame *ret)
{
	struct frame caller = { .how = HOW_REGS, .interrupted = true };
	unsigned first = whole ? 0 : PT_REGS_RBP;
	if (pt_regs % 8 || !walk_on_other_stack(w, pt_regs + 8 * first, PT_REGS_BYTES - 8 * first))
		return false;
	if (!walk_restore_pt_regs(w, &caller, pt_regs, first) || !is_interrupted(&caller.regs) ||
	    !is_rbp_of(w, &caller, pt_regs))
		return false;
	if (!whole) {
		static const enum reg kept[] = { REG_RBX, REG_R12, REG_R13, REG_R14, REG_R15 };
		walk_forget(&caller, REG_RBX);
		for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
			walk_keep(w, &caller, kept[i]);
	}
	w->cfa = pt_regs;
	*ret = caller;
	return true;
}

/* Of the two places that a link may lead to, the one that holds such registers. */
static bool follow_link(struct walk *w, struct frame *ret)
{
	struct frame whole, part;
	uint64_t link;
	if (!walk_on_stack(w, walk_reg(w, REG_RSP), 8) ||
	    !walk_word(w, walk_reg(w, REG_RSP), &link))
		return false;
	uint64_t below = link - 8 * PT_REGS_RBP;
	bool is_part = link >= 8 * PT_REGS_RBP && read_pt_regs(w, below, false, &part);
	bool is_whole = read_pt_regs(w, link, true, &whole);
	if (is_part == is_whole)
		return false;
	*ret = is_whole ? whole : part;
	w->cfa = is_whole ? link : below;
	return true;
}

enum step interrupt_step(struct walk *w, enum unwind_handler handler, struct frame *ret)
{
	bool found = false;
	/* Within the entry code itself rsp may be on its way. */
	if (w->exact)
		return STEP_NONE;
	if (handler == HANDLER_EXCEPTION)
		found = read_pt_regs(w, walk_reg(w, REG_RSP), true, ret);
	else if (handler == HANDLER_INTERRUPT)
		found = follow_link(w, ret);
	if (!found && handler != HANDLER_NONE)
		walk_note(w, "no saved registers are where 0x%" PRIx64 " of the %s stack leads",
			  walk_reg(w, REG_RSP), w->stack.name);
	return found ? STEP_CALLER : STEP_NONE;
}
