// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AMD: the state save area of the VMCB (AMD64 APM volume 2, appendix B). Behind #VMEXIT and before
 * NMIs are let in again, KVM copies rax, rsp, rip and cr2 to kvm_vcpu_arch, where it may change
 * them: those are taken from there. KVM adds bits of its own to cr0, cr4 and EFER in the VMCB
 * (svm_set_cr0(), svm_set_cr4(), svm_set_efer()), so what the guest sees is in kvm_vcpu_arch, too.
 */
#include "base/err.h"
#include "vmcore/code/module_types.h"
#include "vmcore/guest/x86/guest_private.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/read.h"
#include "vmcore/kvm/vcpu_state.h"
#include "vmcore/names/types/types.h"

struct saved {
	enum guest_reg reg;
	enum kvm_member member;
};

static const struct saved saved[] = {
	{ GUEST_RFLAGS, M_VMCB_RFLAGS }, { GUEST_CS, M_VMCB_CS },
	{ GUEST_SS, M_VMCB_SS },	 { GUEST_DS, M_VMCB_DS },
	{ GUEST_ES, M_VMCB_ES },	 { GUEST_CS_BASE, M_VMCB_CS_BASE },
	{ GUEST_GDTR, M_VMCB_GDTR },	 { GUEST_GDTR_LIMIT, M_VMCB_GDTR_LIMIT },
	{ GUEST_IDTR, M_VMCB_IDTR },	 { GUEST_IDTR_LIMIT, M_VMCB_IDTR_LIMIT },
};

/* What VMLOAD and VMSAVE move (APM volume 2, 15.5.2). KVM does so around the guest, with L1's VMCB
 * even if L2 runs where that has one of its own. */
static const struct saved loaded[] = {
	{ GUEST_FS, M_VMCB_FS },
	{ GUEST_GS, M_VMCB_GS },
	{ GUEST_FS_BASE, M_VMCB_FS_BASE },
	{ GUEST_GS_BASE, M_VMCB_GS_BASE },
	{ GUEST_KERNEL_GS_BASE, M_VMCB_KERNEL_GS_BASE },
};

/* Of L1's VMCB, what VMRUN saves of the host (APM volume 2, 15.5.1). */
static const struct saved saved_of_l1[] = {
	{ GUEST_RAX, M_VMCB_RAX },
	{ GUEST_RSP, M_VMCB_RSP },
	{ GUEST_RIP, M_VMCB_RIP },
	{ GUEST_RFLAGS, M_VMCB_RFLAGS },
	{ GUEST_CR0, M_VMCB_CR0 },
	{ GUEST_CR3, M_VMCB_CR3 },
	{ GUEST_CR4, M_VMCB_CR4 },
	{ GUEST_EFER, M_VMCB_EFER },
	{ GUEST_CS, M_VMCB_CS },
	{ GUEST_SS, M_VMCB_SS },
	{ GUEST_DS, M_VMCB_DS },
	{ GUEST_ES, M_VMCB_ES },
	{ GUEST_CS_BASE, M_VMCB_CS_BASE },
	{ GUEST_GDTR, M_VMCB_GDTR },
	{ GUEST_GDTR_LIMIT, M_VMCB_GDTR_LIMIT },
	{ GUEST_IDTR, M_VMCB_IDTR },
	{ GUEST_IDTR_LIMIT, M_VMCB_IDTR_LIMIT },
};

/* What is taken from kvm_vcpu_arch; it may be the VMCB's all the same. */
static const struct saved kept[] = {
	{ GUEST_RAX, M_VMCB_RAX },   { GUEST_RSP, M_VMCB_RSP }, { GUEST_RIP, M_VMCB_RIP },
	{ GUEST_CR0, M_VMCB_CR0 },   { GUEST_CR2, M_VMCB_CR2 }, { GUEST_CR4, M_VMCB_CR4 },
	{ GUEST_EFER, M_VMCB_EFER },
};

/* The struct vcpu_svm around the vCPU; false if there are no types of it. */
static struct err *find_svm(struct kvm *kvm, const struct vcpu *vcpu, bool *ret_found,
			    uint64_t *ret)
{
	const struct member *in;
	struct err *e = kvm_find_member(kvm, M_SVM_VCPU, ret_found, &in);
	if (*ret_found)
		*ret = vcpu->address - in->offset;
	return e;
}

/* Whether L2 runs. Before there was a VMCB for it, hflags said so (HF_GUEST_MASK, bit 5). */
static struct err *find_nested(struct kvm *kvm, const struct vcpu *vcpu, uint64_t svm,
			       bool *ret_nested)
{
	enum { HF_GUEST = 1 << 5 };
	uint64_t current, hflags = 0;
	bool found;
	if (kvm_has_member(kvm, M_SVM_VMCB02)) {
		const uint64_t own = kvm_member(kvm, M_SVM_VMCB02)->offset;
		struct err *e = kvm_read_member(kvm, svm, M_SVM_CURRENT_VMCB, &found, &current);
		*ret_nested = !e && found && current == svm + own;
		return e;
	}
	struct err *e = kvm_read_member(kvm, vcpu->address, M_VCPU_HFLAGS, &found, &hflags);
	*ret_nested = !e && found && hflags & HF_GUEST;
	return e;
}

/*
 * KVM writes CR3 to the VMCB on the way into the guest and refreshes its own copy in the exit
 * handler. Where they differ, its own is newer if the vCPU never ran or KVM has changed it since
 * (regs_dirty), but not between those two points, where the CPU is in guest mode for KVM.
 */
static struct err *arch_cr3_is_newer(struct kvm *kvm, const struct vcpu *vcpu, bool *ret)
{
	enum vcpu_side side;
	uint64_t dirty = 0;
	int64_t bit = 0;
	bool found;
	*ret = !vcpu->has_run;
	if (*ret)
		return NULL;
	struct err *e = vcpu_side_read(kvm, vcpu, &side);
	if (e || (side == VCPU_SIDE_GUEST && vcpu->loader && vcpu->loader->on_cpu))
		return e;
	e = kvm_find_reg_bit(kvm, kvm_cr3_bits, &found, &bit);
	if (e || !found)
		return e;
	e = kvm_read_member(kvm, vcpu->address, M_VCPU_REGS_DIRTY, &found, &dirty);
	*ret = !e && found && dirty >> bit & 1;
	return e;
}

/* Whether the guest's addresses are translated by nested tables (NP_ENABLE); false, and not found,
 * where the VMCB cannot be read. */
static struct err *has_nested_paging(struct kvm *kvm, uint64_t vmcb, bool *ret_found, bool *ret)
{
	uint64_t control = 0;
	struct err *e = kvm_read_member(kvm, vmcb, M_VMCB_NESTED_CTL, ret_found, &control);
	*ret = control & 1;
	return e;
}

/* Guest CR3 is in the VMCB with nested paging; else that holds the shadow's root. */
static struct err *read_cr3(struct kvm *kvm, const struct vcpu *vcpu, uint64_t vmcb,
			    struct guest_regs *r)
{
	struct guest_value *v = &r->value[GUEST_CR3];
	uint64_t cr3;
	bool found, nested, newer;
	struct err *e = has_nested_paging(kvm, vmcb, &found, &nested);
	if (e || !nested)
		return e;
	e = kvm_read_member(kvm, vmcb, M_VMCB_CR3, &found, &cr3);
	if (!e)
		e = arch_cr3_is_newer(kvm, vcpu, &newer);
	if (!e && found && (!newer || !v->known || v->value == cr3))
		guest_set(r, GUEST_CR3, cr3, GUEST_VMCB);
	return e;
}

static struct err *read_rows(struct kvm *kvm, uint64_t vmcb, const struct saved *rows, size_t count,
			     struct guest_regs *r)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < count; i++) {
		uint64_t value;
		bool found;
		e = kvm_read_member(kvm, vmcb, rows[i].member, &found, &value);
		if (!e && found)
			guest_set(r, rows[i].reg, value, GUEST_VMCB);
	}
	return e;
}

static struct err *compare_kept(struct kvm *kvm, uint64_t vmcb, struct guest_regs *r)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < sizeof(kept) / sizeof(*kept); i++) {
		struct guest_value *v = &r->value[kept[i].reg];
		uint64_t value;
		bool found;
		e = kvm_read_member(kvm, vmcb, kept[i].member, &found, &value);
		if (!e && found && v->known && v->value == value)
			v->from = GUEST_VMCB;
	}
	return e;
}

struct err *guest_svm_read(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *r)
{
	uint64_t svm = 0, vmcb = 0, loader = 0;
	bool found;
	struct err *e = find_svm(kvm, vcpu, &found, &svm);
	if (e || !found)
		return e;
	e = find_nested(kvm, vcpu, svm, &r->is_nested);
	if (!e)
		e = kvm_read_member(kvm, svm, M_SVM_VMCB, &found, &vmcb);
	if (e || !found || !vmcb)
		return e;
	e = read_rows(kvm, vmcb, saved, sizeof(saved) / sizeof(*saved), r);
	if (!e)
		e = kvm_read_member(kvm, svm, M_SVM_VMCB01, &found, &loader);
	if (!e)
		e = read_rows(kvm, found && loader ? loader : vmcb, loaded,
			      sizeof(loaded) / sizeof(*loaded), r);
	if (!e)
		e = compare_kept(kvm, vmcb, r);
	return e ? e : read_cr3(kvm, vcpu, vmcb, r);
}

struct err *guest_svm_read_l1(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *r)
{
	uint64_t svm = 0, vmcb = 0;
	bool found, nested = false;
	struct err *e = find_svm(kvm, vcpu, &found, &svm);
	if (!e && found)
		e = find_nested(kvm, vcpu, svm, &nested);
	if (e || !nested)
		return e;
	e = kvm_read_member(kvm, svm, M_SVM_VMCB01, &found, &vmcb);
	if (!e && !found)
		e = kvm_read_member(kvm, svm, M_SVM_HSAVE, &found, &vmcb);
	if (e || !found || !vmcb)
		return e;
	return read_rows(kvm, vmcb, saved_of_l1, sizeof(saved_of_l1) / sizeof(*saved_of_l1), r);
}

struct err *guest_svm_hardware(struct kvm *kvm, const struct vcpu *vcpu, struct guest_hardware *ret)
{
	uint64_t svm = 0, vmcb = 0;
	bool found, nested = false;
	struct err *e = find_svm(kvm, vcpu, &found, &svm);
	if (!e && found)
		e = kvm_read_member(kvm, svm, M_SVM_VMCB, &found, &vmcb);
	if (e || !found || !vmcb)
		return e;
	e = kvm_read_member(kvm, vmcb, M_VMCB_CR0, &ret->has_cr, &ret->cr0);
	if (!e && ret->has_cr)
		e = kvm_read_member(kvm, vmcb, M_VMCB_CR4, &ret->has_cr, &ret->cr4);
	if (!e)
		e = has_nested_paging(kvm, vmcb, &ret->paging_known, &nested);
	ret->is_shadow = ret->paging_known && !nested;
	return e;
}
