// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The top of a task's stack, for kernels whose entry code no table describes: every entry from user
 * mode leaves a pt_regs there. Only its iret frame, which the CPU writes, is believed: the fast
 * system call path of kernels before 4.16 leaves the rest half filled
 * (arch/x86/entry/entry_64.S).
 */
#include "arch/x86_64/unwind/steps.h"

/* What kernels that can use FRED leave free above pt_regs (TOP_OF_KERNEL_STACK_PADDING). */
enum { FRED_PADDING = 16 };

/*
 * What may lie above the rsp of a thread's first function: a pt_regs, the frame that fork made
 * (struct fork_frame, arch/x86/include/asm/switch_to.h), return addresses that boot code pushed.
 */
enum { BOTTOM_BYTES = PT_REGS_BYTES + FRED_PADDING + 88 };

static enum step read_top(struct walk *w, uint64_t pt_regs, struct frame *ret)
{
	struct frame user = { .how = HOW_REGS, .interrupted = true };
	uint64_t rsp = walk_reg(w, REG_RSP);
	if (pt_regs < w->stack.low || rsp < pt_regs || rsp > pt_regs + 8 * PT_REGS_IRET ||
	    !walk_restore_pt_regs(w, &user, pt_regs, PT_REGS_IRET) ||
	    !regs_have_user_segments(&user.regs))
		return STEP_NONE;
	w->cfa = pt_regs;
	*ret = user;
	return STEP_CALLER;
}

/*
 * Until 4.0 the system call's fast path writes rip, orig_ax and what the handler may change into
 * pt_regs; rsp stays in a per-CPU variable and, while the task does not run, in thread.usersp; what
 * pt_regs has for it, and for eflags, which is in r11, is another entry's. rbx, rbp and r12-r15 are
 * the user's still, and rsp leads to pt_regs.r11. But kernels that have learned of Spectre, as
 * el7's, save them, too, and clear them: then rsp leads to the beginning of pt_regs.
 */
enum step syscall_step(struct walk *w, uint64_t kept_at, struct frame *ret)
{
	enum { PT_REGS_R11 = 6 };
	static const enum reg kept[] = { REG_RBX, REG_RBP, REG_R12, REG_R13, REG_R14, REG_R15 };
	struct frame user = { .how = HOW_REGS, .interrupted = true };
	uint64_t rsp = walk_reg(w, REG_RSP), pt_regs = w->stack.high - PT_REGS_BYTES;
	bool whole = rsp == pt_regs, part = rsp == pt_regs + 8 * PT_REGS_R11;
	if (w->exact || pt_regs < w->stack.low || !(whole || part) ||
	    !walk_restore_pt_regs(w, &user, pt_regs, whole ? 0 : PT_REGS_R11) ||
	    !regs_have_user_segments(&user.regs)) {
		walk_note(w, "how much of the user's registers this system call's entry has saved "
			     "is not known");
		return STEP_NONE;
	}
	walk_restore(w, &user, REG_EFLAGS, pt_regs + 8 * PT_REGS_R11);
	walk_forget(&user, REG_RSP);
	if (kept_at)
		walk_restore(w, &user, REG_RSP, kept_at);
	for (size_t i = 0; part && i < sizeof(kept) / sizeof(*kept); i++)
		walk_keep(w, &user, kept[i]);
	w->cfa = pt_regs;
	*ret = user;
	return STEP_CALLER;
}

/* Whether @pt_regs are those that a kernel thread is made with, see is_bottom() in unwind.c. */
static bool is_kernel_threads(struct walk *w, uint64_t pt_regs)
{
	struct frame none = { 0 };
	if (!walk_restore_pt_regs(w, &none, pt_regs, PT_REGS_IRET) || none.regs.value[REG_RIP])
		return false;
	uint64_t cs = none.regs.value[REG_CS], rsp = none.regs.value[REG_RSP];
	return (!cs && !rsp) || (cs == KERNEL_CS && rsp == pt_regs);
}

enum step stack_top_step(struct walk *w, struct frame *ret)
{
	const struct unwind_source *s = w->source;
	uint64_t size = w->stack.high - w->stack.low, kept_at;
	if (size < BOTTOM_BYTES)
		return STEP_NONE;
	/* What is there may be an earlier entry's. */
	if (walk_asks(w)->drops_user_rsp && walk_asks(w)->drops_user_rsp(s->self, w->pc, &kept_at))
		return STEP_NONE;
	uint64_t top = w->stack.high - PT_REGS_BYTES;
	if (read_top(w, top, ret) == STEP_CALLER ||
	    read_top(w, top - FRED_PADDING, ret) == STEP_CALLER)
		return STEP_CALLER;
	if (w->frame->interrupted || walk_reg(w, REG_RSP) < w->stack.high - BOTTOM_BYTES)
		return STEP_NONE;
	/* Threads start with rbp 0; until 4.8 kernel threads with their argument there. */
	bool no_caller = !walk_knows(w, REG_RBP) || walk_reg(w, REG_RBP) == 0 ||
			 (walk_reg(w, REG_RSP) == top && is_kernel_threads(w, top));
	return no_caller ? STEP_BOTTOM : STEP_NONE;
}
