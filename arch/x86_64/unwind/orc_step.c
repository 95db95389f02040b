// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ORC strategy. ORC speaks of rsp, rip and rbp only (arch/x86/include/asm/orc_types.h,
 * arch/x86/kernel/unwind_orc.c): whatever else the caller's registers were stays unknown, but where
 * the code is known to leave them alone or a pt_regs holds them.
 */
#include "arch/x86_64/unwind/orc.h"

#include <inttypes.h>

#include "arch/x86_64/unwind/steps.h"

static bool base_register(enum orc_base base, enum reg *ret)
{
	switch (base) {
	case ORC_AX:
		*ret = REG_RAX;
		return true;
	case ORC_DX:
		*ret = REG_RDX;
		return true;
	case ORC_DI:
		*ret = REG_RDI;
		return true;
	case ORC_BP:
	case ORC_BP_INDIRECT:
		*ret = REG_RBP;
		return true;
	case ORC_SP:
	case ORC_SP_INDIRECT:
		*ret = REG_RSP;
		return true;
	case ORC_R10:
		*ret = REG_R10;
		return true;
	case ORC_R13:
		*ret = REG_R13;
		return true;
	case ORC_UNDEFINED:
	case ORC_PREV_SP:
		break;
	}
	return false;
}

/*
 * SP_INDIRECT adds the offset to the word it reads (from 5.12 on;
 * before, all its entries have the offset 0), BP_INDIRECT to where it reads.
 */
bool orc_find_sp(struct walk *w, const struct orc_entry *entry, uint64_t *ret)
{
	enum reg base;
	if (!base_register(entry->sp, &base)) {
		walk_note(w, "ORC: the entry has no base for rsp");
		return false;
	}
	if (!walk_knows(w, base)) {
		walk_note(w, "ORC: needs %s, which is not known", x86_64_regs.names[base]);
		return false;
	}
	uint64_t value = walk_reg(w, base), offset = (uint64_t)entry->sp_offset;
	if (entry->sp == ORC_BP_INDIRECT)
		return walk_word(w, value + offset, ret);
	if (entry->sp == ORC_SP_INDIRECT && !walk_word(w, value, &value))
		return false;
	*ret = value + offset;
	return true;
}

bool orc_restore_rbp(struct walk *w, const struct orc_entry *entry, uint64_t sp,
		     struct frame *caller)
{
	uint64_t offset = (uint64_t)entry->bp_offset;
	switch (entry->bp) {
	case ORC_UNDEFINED:
		/* What a whole pt_regs said, or else unchanged. */
		if (!regs_known(&caller->regs, REG_RBP))
			walk_keep(w, caller, REG_RBP);
		return true;
	case ORC_PREV_SP:
		return walk_restore(w, caller, REG_RBP, sp + offset);
	case ORC_BP:
		return walk_knows(w, REG_RBP) &&
		       walk_restore(w, caller, REG_RBP, walk_reg(w, REG_RBP) + offset);
	default:
		walk_note(w, "ORC: the entry has no base for rbp");
		return false;
	}
}

static void keep_callee_saved(const struct walk *w, struct frame *caller)
{
	static const enum reg callee_saved[] = { REG_RBX, REG_R12, REG_R13, REG_R14, REG_R15 };
	const struct unwind_source *s = w->source;
	if (!walk_asks(w)->keeps_callee_saved || !walk_asks(w)->keeps_callee_saved(s->self, w->pc))
		return;
	for (unsigned i = 0; i < sizeof(callee_saved) / sizeof(*callee_saved); i++)
		walk_keep(w, caller, callee_saved[i]);
}

/*
 * At the first instruction of what an exception enters nothing has changed yet but what the CPU has
 * pushed: all other registers are those of what was interrupted. Entry code has symbols in its
 * middle, too (first_nmi, where rdx is another): before them something was pushed, as by the CPU
 * where there is an error code, which is why that is left alone.
 */
static void keep_at_entry(const struct walk *w, const struct orc_entry *entry, struct frame *caller)
{
	uint64_t function;
	if (!w->exact || entry->sp != ORC_SP || entry->sp_offset ||
	    !w->source->is_text(w->source->self, w->pc, &function) || function != w->pc)
		return;
	for (enum reg n = REG_RAX; n <= REG_R15; n++)
		if (n != REG_RSP)
			walk_keep(w, caller, n);
}

/* Fills everything but rbp from what lies at @sp. */
static bool restore_by_type(struct walk *w, const struct orc_entry *entry, uint64_t sp,
			    struct frame *caller)
{
	switch (entry->type) {
	case ORC_CALL:
		keep_callee_saved(w, caller);
		regs_set(&caller->regs, REG_RSP, sp);
		return walk_restore(w, caller, REG_RIP, sp - 8);
	case ORC_REGS:
		caller->how = HOW_REGS;
		return walk_restore_pt_regs(w, caller, sp, 0);
	case ORC_REGS_PARTIAL:
		caller->how = HOW_REGS;
		keep_callee_saved(w, caller);
		keep_at_entry(w, entry, caller);
		return walk_restore_pt_regs(w, caller, sp - 8 * PT_REGS_IRET, PT_REGS_IRET);
	case ORC_NOTHING:
	case ORC_END:
		break;
	}
	return false;
}

enum step orc_step(struct walk *w, const struct orc_entry *entry, struct frame *ret)
{
	struct frame caller = { .how = HOW_ORC, .interrupted = entry->signal };
	uint64_t sp;
	if (entry->type == ORC_END)
		return STEP_BOTTOM;
	if (entry->type == ORC_NOTHING) {
		walk_note(w, "ORC knows nothing of 0x%" PRIx64, w->pc);
		return STEP_NONE;
	}
	if (!orc_find_sp(w, entry, &sp) || !restore_by_type(w, entry, sp, &caller) ||
	    !orc_restore_rbp(w, entry, sp, &caller))
		return STEP_NONE;
	w->cfa = sp;
	*ret = caller;
	return STEP_CALLER;
}
