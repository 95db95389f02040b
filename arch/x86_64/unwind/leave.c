// SPDX-License-Identifier: GPL-2.0-or-later
/* The strategies of x86-64 in their order, and how a stack ends. */
#include <inttypes.h>

#include "arch/address.h"
#include "arch/x86_64/unwind/orc.h"
#include "arch/x86_64/unwind/steps.h"
#include "arch/x86_64/unwind/x86_64.h"
#include "base/err.h"

/* What the code of an NMI that came during another one has on its stack at most. */
enum { NESTED_NMI_BYTES = 128 };

/*
 * A call of a function that is not there has done one thing only: push the return address. All
 * other registers are still the caller's.
 */
static enum step undo_call(struct walk *w, struct frame *ret)
{
	struct frame caller = *w->frame;
	uint64_t rsp = walk_reg(w, REG_RSP);
	caller.how = HOW_CALL;
	caller.interrupted = false;
	if (!walk_on_stack(w, rsp, 8) || !walk_restore(w, &caller, REG_RIP, rsp))
		return STEP_NONE;
	if (!walk_is_code(w, caller.regs.value[REG_RIP] - 1)) {
		walk_note(w, "0x%" PRIx64 " is no code, and was not called", walk_reg(w, REG_RIP));
		return STEP_NONE;
	}
	/* Where rsp was saved held what it was before the call. */
	regs_set(&caller.regs, REG_RSP, rsp + 8);
	caller.saved_known &= ~(UINT32_C(1) << REG_RSP);
	w->cfa = rsp + 8;
	*ret = caller;
	return STEP_CALLER;
}

/* No table can cover this pc. */
static enum step leave_unknown_code(struct walk *w, struct frame *ret)
{
	enum step step = STEP_NONE;
	if (walk_may_be_code(w, walk_reg(w, REG_RIP)))
		step = fp_step(w, ret);
	if (step == STEP_NONE && w->exact)
		step = undo_call(w, ret);
	return step;
}

/* Entry code, of which only ORC knows that a pt_regs is there, and code that nothing called. */
static bool orc_goes_first(const struct orc_entry *entry)
{
	return entry->type != ORC_CALL;
}

/* Registers that a strategy does not speak of. */
static enum step by_code_too(struct walk *w, enum step step, struct frame *ret)
{
	if (step == STEP_CALLER)
		code_add(w, ret);
	return step;
}

/*
 * Without ORC. What entry assembly has pushed before it calls a handler can be recognised, and is
 * believed before its CFI, which people wrote: where it changes to the IRQ stack el7's is a word
 * off.
 */
static enum step leave_without_orc(struct walk *w, struct frame *ret)
{
	const struct unwind_source *s = w->source;
	const struct x86_asks *asks = walk_asks(w);
	enum step step = STEP_NONE;
	if (asks->calls_handler)
		step = interrupt_step(w, asks->calls_handler(s->self, w->pc), ret);
	if (step == STEP_NONE)
		step = cfi_step(w, NULL, ret);
	if (step == STEP_NONE)
		step = by_code_too(w, fp_step(w, ret), ret);
	return step == STEP_NONE ? code_step(w, ret) : step;
}

static enum step leave_by_tables(struct walk *w, struct frame *ret)
{
	const struct unwind_source *s = w->source;
	const struct x86_asks *asks = walk_asks(w);
	struct orc_entry entry;
	uint64_t kept_at;
	bool covered = s->orc && s->orc(s->self, w->pc, &entry);
	/* Its rbp is the user's, and CFI takes the end of the stack for the user's rsp. */
	if (!covered && asks->drops_user_rsp && asks->drops_user_rsp(s->self, w->pc, &kept_at))
		return syscall_step(w, kept_at, ret);
	if (!covered)
		return leave_without_orc(w, ret);
	bool has_orc = entry.type != ORC_NOTHING;
	if (has_orc && orc_goes_first(&entry))
		return orc_step(w, &entry, ret);
	enum step step = cfi_step(w, has_orc ? &entry : NULL, ret);
	if (step != STEP_NONE)
		return step;
	if (has_orc)
		step = by_code_too(w, orc_step(w, &entry, ret), ret);
	if (step == STEP_NONE)
		step = code_step(w, ret);
	/* A kernel with ORC has no frame pointers: rbp may lead anywhere, also past frames. */
	return step == STEP_NONE ? by_code_too(w, found_step(w, ret), ret) : step;
}

static enum step leave_code(struct walk *w, struct frame *ret)
{
	const struct frame *frame = w->frame;
	const uint64_t pc = w->pc;
	struct frame behind;
	if (!fill_undo(w, &behind))
		return leave_by_tables(w, ret);
	w->frame = &behind;
	w->pc = behind.regs.value[REG_RIP];
	enum step step = leave_by_tables(w, ret);
	w->frame = frame;
	w->pc = pc;
	return step;
}

/* A CPU that runs a guest comes back into the middle of assembly, of whose pushes tables that are
 * about the compiled code around it say nothing. */
static enum step leave_inline_entry(struct walk *w, struct frame *ret)
{
	if (w->frame->how == HOW_FOUND && w->frame->interrupted) {
		walk_note(w, "what lies on the stack at this entry of a guest is not known");
		return STEP_NONE;
	}
	return leave_by_tables(w, ret);
}

static bool has_cfi(const struct walk *w)
{
	struct Dwarf_CFI_s *cfi;
	uint64_t bias;
	return w->source->cfi && w->source->cfi(w->source->self, w->pc, &cfi, &bias);
}

/* Assembly whose pushes did not tell: tables that go by rsp are right there, and rbp is no frame
 * pointer. */
static enum step leave_assembly(struct walk *w, const struct guest_entry *entry, struct frame *ret)
{
	const struct unwind_source *s = w->source;
	struct orc_entry orc;
	enum step step = entry_step(w, entry, ret);
	if (step != STEP_NONE || !s->orc || !s->orc(s->self, w->pc, &orc))
		return step;
	if (orc.type != ORC_CALL || orc.sp != ORC_SP ||
	    (entry->code == GUEST_CALLED && walk_knows(w, REG_RBP)))
		return STEP_NONE;
	return orc_step(w, &orc, ret);
}

static enum step leave_known_code(struct walk *w, struct frame *ret)
{
	const struct unwind_source *s = w->source;
	const struct x86_asks *asks = walk_asks(w);
	const struct frame *frame = w->frame;
	struct guest_entry entry;
	struct frame compiled;
	if (edge_moving_step(w, ret) == STEP_CALLER)
		return STEP_CALLER;
	if (!asks->enters_guest || !asks->enters_guest(s->self, w->pc, &entry))
		return leave_code(w, ret);
	/* Code knows of the assembly's pushes, and of what the guest leaves in registers. */
	if (entry.code == GUEST_INLINE && !has_cfi(w)) {
		enum step step = code_step(w, ret);
		if (step != STEP_NONE)
			return step;
	}
	if (entry.code != GUEST_CALLED && entry_undo_inline(w, &compiled)) {
		w->frame = &compiled;
		w->no_code = true;
		enum step step = leave_by_tables(w, ret);
		w->frame = frame;
		w->no_code = false;
		return step;
	}
	return entry.code == GUEST_INLINE ? leave_inline_entry(w, ret)
					  : leave_assembly(w, &entry, ret);
}

/* rsp is on no stack: the user's, or what an entry has in it for a moment. */
static enum step leave_off_stack(struct walk *w, struct frame *ret)
{
	enum step step = edge_step(w, ret);
	if (step == STEP_NONE)
		walk_note(w,
			  "in entry code, where rsp 0x%" PRIx64
			  " is on no stack: what ran in user mode is not known",
			  walk_reg(w, REG_RSP));
	return step;
}

static enum step leave(struct walk *w, struct frame *ret)
{
	if (!w->stack.name)
		return leave_off_stack(w, ret);
	enum step step =
		walk_is_code(w, w->pc) ? leave_known_code(w, ret) : leave_unknown_code(w, ret);
	if (step == STEP_CALLER || edge_step(w, ret) == STEP_CALLER)
		return STEP_CALLER;
	/*
	 * A thread that has never run goes to user mode from where nothing called it. One that is
	 * beyond may have registers of user mode there that it will never use: io_uring's workers
	 * have copies of their creator's.
	 */
	if (step == STEP_BOTTOM && edge_is_entry(w)) {
		walk_note(w, "in a system call's entry, which was not understood");
		return STEP_NONE;
	}
	if (step == STEP_BOTTOM && w->frame->how != HOW_SWITCH)
		return step;
	enum step top = stack_top_step(w, ret);
	return top == STEP_CALLER || step == STEP_NONE ? top : step;
}

/* Whether @f is in entry code. There rsp may be on no stack, and w->stack is none then. */
static bool is_at_edge(const struct walk *w, const struct frame *f)
{
	struct entry_edge edge;
	const struct unwind_source *s = w->source;
	const struct x86_asks *asks = walk_asks(w);
	return f->interrupted && asks->edge && asks->edge(s->self, f->regs.value[REG_RIP], &edge);
}

/*
 * An NMI that comes while the code of another one runs, which some exception there has let in,
 * begins at the top of the stack that the other one is on (asm_exc_nmi, arch/x86/entry/entry_64.S).
 * It goes back soon, after having seen to it that the other one will do all again.
 */
static bool is_nested_nmi(const struct walk *w, const struct frame *next)
{
	struct entry_edge edge;
	return next->interrupted && edge_is_at(w, &edge) &&
	       w->stack.high - walk_reg(w, REG_RSP) <= NESTED_NMI_BYTES;
}

/*
 * Return address 0: what boot code pushes for the idle tasks, and the registers of a kernel thread,
 * which are zeros (copy_thread(), arch/x86/kernel/process.c); until 4.8 but for rsp, which is their
 * own address. Elsewhere than above everything that was on the stack it is damage.
 */
static bool is_bottom(const struct walk *w, const struct frame *next)
{
	uint64_t rsp = next->regs.value[REG_RSP];
	if (next->regs.value[REG_RIP])
		return false;
	return !rsp || (rsp >= walk_reg(w, REG_RSP) && rsp <= w->stack.high &&
			w->stack.high - rsp <= PT_REGS_BYTES + 88);
}

/*
 * ORC comes from following the instructions (objtool), so it knows what inline assembly does to the
 * stack, of which the compiler that wrote the CFI knows nothing: between the kernel's pushf and pop
 * CFI is 8 bytes off, and where the kernel changes to the IRQ stack it is on the wrong stack. Hence
 * the CFA and rbp by ORC where it has them. The slots of the other registers are counted from the
 * CFA and hold for either.
 */
static enum cfa_by_table find_cfa(struct walk *w, const struct orc_entry *entry,
				  struct frame *caller)
{
	if (orc_find_sp(w, entry, &w->cfa) && orc_restore_rbp(w, entry, w->cfa, caller))
		return CFA_FOUND;
	return entry->sp == ORC_SP_INDIRECT ? CFA_UNKNOWN : CFA_NOT_TOLD;
}

/*
 * Whether what CFI of entry assembly takes for the words that the CPU has pushed can be those: such
 * CFI is written by people, and a word off it takes eflags for rsp. A kernel thread's first
 * function is called with zeros there.
 */
static bool is_pushed_by_cpu(struct walk *w, const struct frame *caller)
{
	enum { WORD = 8, SELECTOR_MAX = 0xffff, RING = 3 };
	const uint32_t both = UINT32_C(1) << REG_RIP | UINT32_C(1) << REG_RSP;
	uint64_t at = caller->saved[REG_RIP], cs, eflags, ss;
	uint64_t rip = caller->regs.value[REG_RIP], rsp = caller->regs.value[REG_RSP];
	if (!caller->interrupted || !rip)
		return true;
	if ((caller->saved_known & both) != both || caller->saved[REG_RSP] != at + 3 * WORD)
		return true; /* nothing that the CPU pushed, or not said so */
	if (!walk_word(w, at + WORD, &cs) || !walk_word(w, at + 2 * WORD, &eflags) ||
	    !walk_word(w, at + 4 * WORD, &ss))
		return false;
	bool user = (cs & RING) == RING;
	bool fits = user ? is_user_address(rip) : is_kernel_address(rip) && is_kernel_address(rsp);
	if (cs && cs <= SELECTOR_MAX && ss <= SELECTOR_MAX && eflags < EFLAGS_END && fits)
		return true;
	walk_note(w, "CFI: no registers that a CPU has pushed are at 0x%" PRIx64, at);
	return false;
}

const struct unwind_arch x86_64_unwind = {
	.regs = &x86_64_regs,
	.leave = leave,
	.is_bottom = is_bottom,
	.may_lack_stack = is_at_edge,
	.may_go_back = is_nested_nmi,
	.forget_lost = edge_forget_lost,
	/* It takes rax for preserved in rbx's place (0.188, backends/x86_64_cfi.c). */
	.wrongly_undefined = UINT32_C(1) << REG_RBX,
	.find_cfa = find_cfa,
	.is_pushed = is_pushed_by_cpu,
};
