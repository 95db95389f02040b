// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Intel: the VMCS is the processor's own affair, and KVM reads from it what it needs, when it does
 * (vmx_cache_reg()). regs_avail says which copies are of the last exit. The general registers but
 * rsp are stored at every exit; EFER and cr2 are KVM's own to keep.
 */
#include <inttypes.h>

#include "base/err.h"
#include "vmcore/code/module_types.h"
#include "vmcore/guest/x86/guest_private.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/read.h"
#include "vmcore/names/types/types.h"
#include "vmcore/names/vmcoreinfo.h"

/* Revision of a VMCS that KVM makes for its guests (VMCS12_REVISION, arch/x86/kvm/vmx/vmcs12.h). */
enum { VMCS12_REVISION = 0x11e57ed0 };

/* The bit of regs_avail is a constant of enum kvm_reg, under one of these names. */
static const struct {
	enum guest_reg reg;
	const char *bits[2];
} lazy[] = {
	{ GUEST_RSP, { "VCPU_REGS_RSP" } },
	{ GUEST_RIP, { "VCPU_REG_RIP", "VCPU_REGS_RIP" } },
	{ GUEST_RFLAGS, { "VCPU_REG_RFLAGS", "VCPU_EXREG_RFLAGS" } },
	{ GUEST_CR0, { "VCPU_REG_CR0", "VCPU_EXREG_CR0" } },
	{ GUEST_CR3, { "VCPU_REG_CR3", "VCPU_EXREG_CR3" } }, /* kvm_cr3_bits */
	{ GUEST_CR4, { "VCPU_REG_CR4", "VCPU_EXREG_CR4" } },
};

/* Bits of cr0 and cr4 that the guest changes without an exit; needed where regs_avail has none for
 * them; KVM_MEMBERS for other registers. */
static enum kvm_member owned_bits(enum guest_reg reg)
{
	return reg == GUEST_CR0	  ? M_VCPU_CR0_OWNED
	       : reg == GUEST_CR4 ? M_VCPU_CR4_OWNED
				  : KVM_MEMBERS;
}

/* Whether KVM's copy of lazy[@i] is of the last exit. */
static struct err *is_available(struct kvm *kvm, const struct vcpu *vcpu, size_t i, uint64_t avail,
				bool *ret)
{
	int64_t bit;
	bool found;
	uint64_t owned;
	struct err *e = kvm_find_reg_bit(kvm, lazy[i].bits, &found, &bit);
	if (e)
		return e;
	*ret = found && avail >> bit & 1;
	enum kvm_member bits = owned_bits(lazy[i].reg);
	if (found || bits == KVM_MEMBERS)
		return NULL;
	e = kvm_read_member(kvm, vcpu->address, bits, &found, &owned);
	*ret = !e && found && !owned;
	return e;
}

/* The struct vcpu_vmx around the vCPU. */
static struct err *find_vmx(struct kvm *kvm, const struct vcpu *vcpu, bool *ret_found,
			    uint64_t *ret)
{
	const struct member *in;
	struct err *e = kvm_find_member(kvm, M_VMX_VCPU, ret_found, &in);
	if (*ret_found)
		*ret = vcpu->address - in->offset;
	return e;
}

/* ---- what has a cache of its own in vcpu_vmx ---- */

/* The order of segment_cache.seg[]: enum VCPU_SREG_*. A field's bit is 4 * segment + field; the
 * first two fields are the selector and the base (SEG_FIELD_*). */
static const struct {
	enum guest_reg selector, base; /* GUEST_REGS: not kept here */
} segments[] = {
	{ GUEST_ES, GUEST_REGS }, { GUEST_CS, GUEST_CS_BASE }, { GUEST_SS, GUEST_REGS },
	{ GUEST_DS, GUEST_REGS }, { GUEST_FS, GUEST_FS_BASE }, { GUEST_GS, GUEST_GS_BASE },
};

/* @field is that of the first segment. */
static struct err *read_cached(struct kvm *kvm, uint64_t vmx, unsigned segment,
			       enum kvm_member field, enum guest_reg reg, bool current,
			       struct guest_regs *r)
{
	const struct member *all;
	uint64_t value;
	bool found = false;
	struct err *e = kvm_find_member(kvm, M_VMX_SEGMENTS, NULL, &all);
	if (!e && segment < all->count)
		e = kvm_read_member(kvm, vmx + segment * all->element_size, field, &found, &value);
	if (!e && found)
		guest_set(r, reg, value, current ? GUEST_ARCH : GUEST_STALE);
	return e;
}

static struct err *read_segments(struct kvm *kvm, uint64_t vmx, uint64_t avail,
				 struct guest_regs *r)
{
	static const char *const names[2] = { "VCPU_REG_SEGMENTS", "VCPU_EXREG_SEGMENTS" };
	uint64_t mask = 0;
	int64_t bit;
	bool found, valid;
	struct err *e = kvm_find_reg_bit(kvm, names, &found, &bit);
	valid = !e && found && avail >> bit & 1;
	if (!e)
		e = kvm_read_member(kvm, vmx, M_VMX_SEGMENTS_CACHED, &found, &mask);
	for (unsigned i = 0; !e && found && i < sizeof(segments) / sizeof(*segments); i++) {
		/* A field that was never read holds nothing, not even an old value. */
		if (mask >> (4 * i) & 1)
			e = read_cached(kvm, vmx, i, M_VMX_SEGMENT_SELECTOR, segments[i].selector,
					valid, r);
		if (!e && segments[i].base != GUEST_REGS && mask >> (4 * i + 1) & 1)
			e = read_cached(kvm, vmx, i, M_VMX_SEGMENT_BASE, segments[i].base, valid,
					r);
	}
	return e;
}

/* ---- the host is a guest of KVM ---- */

/* Members of struct vmcs12; KVM_MEMBERS: it has none. */
static const struct {
	enum guest_reg reg;
	enum kvm_member guest, host;
} vmcs12[] = {
	{ GUEST_RIP, M_VMCS12_GUEST_RIP, M_VMCS12_HOST_RIP },
	{ GUEST_RSP, M_VMCS12_GUEST_RSP, M_VMCS12_HOST_RSP },
	{ GUEST_RFLAGS, M_VMCS12_GUEST_RFLAGS, KVM_MEMBERS },
	{ GUEST_CR3, M_VMCS12_GUEST_CR3, M_VMCS12_HOST_CR3 },
	{ GUEST_CS, M_VMCS12_GUEST_CS, M_VMCS12_HOST_CS },
	{ GUEST_SS, M_VMCS12_GUEST_SS, M_VMCS12_HOST_SS },
	{ GUEST_DS, M_VMCS12_GUEST_DS, M_VMCS12_HOST_DS },
	{ GUEST_ES, M_VMCS12_GUEST_ES, M_VMCS12_HOST_ES },
	{ GUEST_FS, M_VMCS12_GUEST_FS, M_VMCS12_HOST_FS },
	{ GUEST_GS, M_VMCS12_GUEST_GS, M_VMCS12_HOST_GS },
	{ GUEST_CS_BASE, M_VMCS12_GUEST_CS_BASE, KVM_MEMBERS },
	{ GUEST_FS_BASE, M_VMCS12_GUEST_FS_BASE, M_VMCS12_HOST_FS_BASE },
	{ GUEST_GS_BASE, M_VMCS12_GUEST_GS_BASE, M_VMCS12_HOST_GS_BASE },
	{ GUEST_CR0, KVM_MEMBERS, M_VMCS12_HOST_CR0 },
	{ GUEST_CR4, KVM_MEMBERS, M_VMCS12_HOST_CR4 },
	{ GUEST_GDTR, M_VMCS12_GUEST_GDTR, M_VMCS12_HOST_GDTR },
	{ GUEST_GDTR_LIMIT, M_VMCS12_GUEST_GDTR_LIMIT, KVM_MEMBERS },
	{ GUEST_IDTR, M_VMCS12_GUEST_IDTR, M_VMCS12_HOST_IDTR },
	{ GUEST_IDTR_LIMIT, M_VMCS12_GUEST_IDTR_LIMIT, KVM_MEMBERS },
};

static struct err *read_vmcs12(struct kvm *kvm, uint64_t at, bool host, enum guest_from from,
			       struct guest_regs *r)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < sizeof(vmcs12) / sizeof(*vmcs12); i++) {
		enum kvm_member which = host ? vmcs12[i].host : vmcs12[i].guest;
		uint64_t value;
		bool found;
		/* What KVM has read itself is at least as new. */
		if (which == KVM_MEMBERS || r->value[vmcs12[i].reg].known)
			continue;
		e = kvm_read_member(kvm, at, which, &found, &value);
		if (!e && found)
			guest_set(r, vmcs12[i].reg, value, from);
	}
	return e;
}

/*
 * The VMCS, if its layout is known. The KVM below keeps a copy of its own from VMPTRLD until
 * VMCLEAR, so the memory is current when the vCPU is not launched any more (loaded_vmcs.launched),
 * or when the host went down in a crash, which clears all of them.
 */
static struct err *read_vmcs(struct kvm *kvm, uint64_t vmx, struct guest_regs *r)
{
	uint64_t loaded = 0, vmcs = 0, launched = 1;
	uint32_t revision = 0;
	bool found;
	struct err *e = kvm_read_member(kvm, vmx, M_VMX_LOADED_VMCS, &found, &loaded);
	if (!e && loaded)
		e = kvm_read_member(kvm, loaded, M_LOADED_VMCS, &found, &vmcs);
	if (e || !vmcs)
		return e;
	e = kernel_read_u32(kvm_parts(kvm)->k, vmcs, &revision);
	if (e || (revision & 0x7fffffff) != VMCS12_REVISION)
		return kvm_only_nomem(e);
	e = kvm_read_member(kvm, loaded, M_LOADED_LAUNCHED, &found, &launched);
	if (e)
		return e;
	const struct vmcoreinfo *info = kernel_vmcoreinfo(kvm_parts(kvm)->k);
	bool crashed = info && vmcoreinfo_get(info, "CRASHTIME");
	return read_vmcs12(kvm, vmcs, false, crashed || !launched ? GUEST_VMCS12 : GUEST_STALE, r);
}

/* ---- all of it ---- */

/* L2 runs while its VMCS is loaded. Before that was a member, hflags said so (HF_GUEST_MASK). */
static struct err *find_nested(struct kvm *kvm, const struct vcpu *vcpu, uint64_t vmx,
			       bool *ret_nested)
{
	enum { HF_GUEST = 1 << 5 };
	uint64_t loaded, hflags;
	bool found;
	struct err *e;
	if (kvm_has_member(kvm, M_VMX_VMCS02_VMCS)) {
		e = kvm_read_member(kvm, vmx, M_VMX_LOADED_VMCS, &found, &loaded);
		if (!e && found)
			*ret_nested = kvm_has_member(kvm, M_VMX_VMCS02) &&
				      loaded == vmx + kvm_member(kvm, M_VMX_VMCS02)->offset;
		return e;
	}
	e = kvm_read_member(kvm, vcpu->address, M_VCPU_HFLAGS, &found, &hflags);
	*ret_nested = !e && found && hflags & HF_GUEST;
	return e;
}

static struct err *read_lazy(struct kvm *kvm, const struct vcpu *vcpu, uint64_t avail,
			     struct guest_regs *r)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < sizeof(lazy) / sizeof(*lazy); i++) {
		struct guest_value *v = &r->value[lazy[i].reg];
		bool available = false;
		if (v->from == GUEST_NOWHERE)
			continue;
		e = is_available(kvm, vcpu, i, avail, &available);
		if (!e && !available)
			guest_set(r, lazy[i].reg, v->value, GUEST_STALE);
	}
	return e;
}

/* What struct vcpu_vmx has beside struct kvm_vcpu. */
static struct err *read_own(struct kvm *kvm, const struct vcpu *vcpu, uint64_t vmx, uint64_t avail,
			    struct guest_regs *r)
{
	uint64_t value;
	bool found;
	struct err *e = find_nested(kvm, vcpu, vmx, &r->is_nested);
	if (!e)
		e = read_segments(kvm, vmx, avail, r);
	if (!e)
		e = kvm_read_member(kvm, vmx, M_VMX_KERNEL_GS_BASE, &found, &value);
	/* KVM reads it back only when the thread is switched out. */
	if (!e && found)
		guest_set(r, GUEST_KERNEL_GS_BASE, value, vcpu->loaded ? GUEST_STALE : GUEST_ARCH);
	return e ? e : read_vmcs(kvm, vmx, r);
}

struct err *guest_vmx_read(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *r)
{
	uint64_t vmx = 0, avail = 0, value;
	bool has_vmx, found = false;
	struct err *e = find_vmx(kvm, vcpu, &has_vmx, &vmx);
	if (!e && has_vmx)
		e = kvm_read_member(kvm, vmx, M_VMX_RFLAGS, &found, &value);
	if (!e && found)
		guest_set(r, GUEST_RFLAGS, value, GUEST_ARCH);
	if (!e)
		e = kvm_read_member(kvm, vcpu->address, M_VCPU_REGS_AVAIL, &found, &avail);
	if (!e)
		e = read_lazy(kvm, vcpu, avail, r);
	return e || !has_vmx ? e : read_own(kvm, vcpu, vmx, avail, r);
}

struct err *guest_vmx_read_l1(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *r)
{
	uint64_t vmx = 0, cached = 0;
	bool found, nested = false;
	struct err *e = find_vmx(kvm, vcpu, &found, &vmx);
	if (!e && found)
		e = find_nested(kvm, vcpu, vmx, &nested);
	if (!e && nested)
		e = kvm_read_member(kvm, vmx, M_VMX_CACHED_VMCS12, &found, &cached);
	if (e || !nested || !cached)
		return e;
	return read_vmcs12(kvm, cached, true, GUEST_VMCS12, r);
}
