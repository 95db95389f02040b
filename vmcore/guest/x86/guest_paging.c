// SPDX-License-Identifier: GPL-2.0-or-later
/* Which page tables a guest uses: Intel SDM vol. 3, 4.1.1 "Four Paging Modes". */
#include "base/err.h"
#include "vmcore/guest/guest_memory.h"
#include "vmcore/guest/x86/guest_regs.h"
#include "vmcore/kvm/x86/mmu.h"

#define CR0_PG	 (UINT64_C(1) << 31)
#define CR4_PSE	 (UINT64_C(1) << 4)
#define CR4_PAE	 (UINT64_C(1) << 5)
#define CR4_LA57 (UINT64_C(1) << 12)
#define EFER_LMA (UINT64_C(1) << 10)
#define CR3_USER_HALF UINT64_C(0x1000)

/* The value of @reg, or an old one. */
static struct err *need(const struct guest_regs *regs, enum guest_reg reg, uint64_t *ret,
			bool *stale)
{
	const struct guest_value *v = &regs->value[reg];
	if (v->from == GUEST_NOWHERE)
		return err_new(
			ERR_NOTFOUND,
			"the guest's %s is not known, so where its page tables are is unknown",
			guest_reg_name(reg));
	*stale |= !v->known;
	*ret = v->value;
	return NULL;
}

struct err *guest_paging(const struct guest_regs *regs, struct walk_space *ret, bool *ret_stale)
{
	uint64_t cr0 = 0, cr3 = 0, cr4 = 0, efer = 0;
	struct walk_space space = { 0 };
	bool stale = false;
	if (regs->is_encrypted)
		return err_new(ERR_UNSUPPORTED, "the guest's registers are encrypted");
	struct err *e = need(regs, GUEST_CR0, &cr0, &stale);
	if (!e && !(cr0 & CR0_PG)) {
		*ret = space;
		*ret_stale = stale;
		return NULL;
	}
	if (!e)
		e = need(regs, GUEST_CR4, &cr4, &stale);
	if (!e)
		e = need(regs, GUEST_EFER, &efer, &stale);
	if (!e)
		e = need(regs, GUEST_CR3, &cr3, &stale);
	if (e)
		return e;
	space.root = cr3;
	if (!(cr4 & CR4_PAE)) {
		space.format = WALK_LEGACY;
		space.pse = cr4 & CR4_PSE;
	} else if (!(efer & EFER_LMA)) {
		space.format = WALK_PAE;
	} else {
		space.format = WALK_LONG;
		space.levels = cr4 & CR4_LA57 ? 5 : 4;
	}
	*ret = space;
	*ret_stale = stale;
	return NULL;
}

struct err *guest_paging_below(struct kvm *kvm, const struct vcpu *vcpu,
			       const struct guest_regs *regs, struct walk_space *space)
{
	struct vcpu_mmu mmu;
	space->below = (struct walk_below){ 0 };
	if (!regs->is_nested)
		return NULL;
	struct err *e = vcpu_mmu_read(kvm, vcpu, &mmu);
	if (!e && mmu.is_nested && !mmu.walkable)
		e = err_new(ERR_NOTFOUND, "%s", mmu.why);
	if (e)
		return err_wrap(e,
				"the guest runs a guest, and how that one's memory is translated "
				"is unknown");
	if (mmu.is_nested)
		space->below = (struct walk_below){ mmu.space.format, mmu.space.root,
						    mmu.space.levels, mmu.space.marked };
	return NULL;
}

/* Under page table isolation user mode has the second of two tables in a row. */
bool guest_paging_half(const struct walk_space *space, int half, struct walk_space *ret)
{
	if (half && !(space->root & CR3_USER_HALF))
		return false;
	*ret = *space;
	if (half)
		ret->root &= ~CR3_USER_HALF;
	return true;
}

const char *guest_paging_name(const struct walk_space *space)
{
	switch (space->format) {
	case WALK_NONE:
		return "paging is off";
	case WALK_LEGACY:
		return "32-bit, 2 levels";
	case WALK_PAE:
		return "PAE, 3 levels";
	case WALK_EPT:
		return space->levels == 5 ? "EPT, 5 levels" : "EPT, 4 levels";
	default:
		return space->levels == 5 ? "long mode, 5 levels" : "long mode, 4 levels";
	}
}
