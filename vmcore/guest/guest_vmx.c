// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Intel: the VMCS is the processor's own affair, and KVM reads from it what it needs, when it does
 * (vmx_cache_reg()). regs_avail says which copies are of the last exit. The general registers but
 * rsp are stored at every exit; EFER and cr2 are KVM's own to keep.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "vmcore/code/module_types.h"
#include "vmcore/guest/guest_private.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/read.h"
#include "vmcore/names/types.h"
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
 * them. */
static const char *owned_bits(enum guest_reg reg)
{
	return reg == GUEST_CR0	  ? "arch.cr0_guest_owned_bits"
	       : reg == GUEST_CR4 ? "arch.cr4_guest_owned_bits"
				  : NULL;
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
	const char *path = owned_bits(lazy[i].reg);
	if (found || !path)
		return NULL;
	e = kvm_read_path(kvm, vcpu->address, "kvm_vcpu", path, &found, &owned);
	*ret = !e && found && !owned;
	return e;
}

/* The struct vcpu_vmx around the vCPU. */
static struct err *find_vmx(struct kvm *kvm, const struct vcpu *vcpu, bool *ret_found,
			    uint64_t *ret)
{
	struct member in;
	struct err *e = type_scope_member(kvm_types(kvm), "vcpu_vmx", "vcpu", &in);
	*ret_found = !e;
	if (!e)
		*ret = vcpu->address - in.offset;
	return kvm_only_nomem(e);
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

static struct err *read_cached(struct kvm *kvm, uint64_t vmx, unsigned segment, const char *field,
			       enum guest_reg reg, bool current, struct guest_regs *r)
{
	char path[48];
	uint64_t value;
	bool found;
	snprintf(path, sizeof(path), "segment_cache.seg[%u].%s", segment, field);
	struct err *e = kvm_read_path(kvm, vmx, "vcpu_vmx", path, &found, &value);
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
		e = kvm_read_path(kvm, vmx, "vcpu_vmx", "segment_cache.bitmask", &found, &mask);
	for (unsigned i = 0; !e && found && i < sizeof(segments) / sizeof(*segments); i++) {
		/* A field that was never read holds nothing, not even an old value. */
		if (mask >> (4 * i) & 1)
			e = read_cached(kvm, vmx, i, "selector", segments[i].selector, valid, r);
		if (!e && segments[i].base != GUEST_REGS && mask >> (4 * i + 1) & 1)
			e = read_cached(kvm, vmx, i, "base", segments[i].base, valid, r);
	}
	return e;
}

/* ---- the host is a guest of KVM ---- */

/* Members of struct vmcs12, whose offsets never change: L1 kernels keep them in memory. */
static const struct {
	enum guest_reg reg;
	const char *guest, *host;
} vmcs12[] = {
	{ GUEST_RIP, "guest_rip", "host_rip" },
	{ GUEST_RSP, "guest_rsp", "host_rsp" },
	{ GUEST_RFLAGS, "guest_rflags", NULL },
	{ GUEST_CR3, "guest_cr3", "host_cr3" },
	{ GUEST_CS, "guest_cs_selector", "host_cs_selector" },
	{ GUEST_SS, "guest_ss_selector", "host_ss_selector" },
	{ GUEST_DS, "guest_ds_selector", "host_ds_selector" },
	{ GUEST_ES, "guest_es_selector", "host_es_selector" },
	{ GUEST_FS, "guest_fs_selector", "host_fs_selector" },
	{ GUEST_GS, "guest_gs_selector", "host_gs_selector" },
	{ GUEST_CS_BASE, "guest_cs_base", NULL },
	{ GUEST_FS_BASE, "guest_fs_base", "host_fs_base" },
	{ GUEST_GS_BASE, "guest_gs_base", "host_gs_base" },
	{ GUEST_CR0, NULL, "host_cr0" },
	{ GUEST_CR4, NULL, "host_cr4" },
	{ GUEST_GDTR, "guest_gdtr_base", "host_gdtr_base" },
	{ GUEST_GDTR_LIMIT, "guest_gdtr_limit", NULL },
	{ GUEST_IDTR, "guest_idtr_base", "host_idtr_base" },
	{ GUEST_IDTR_LIMIT, "guest_idtr_limit", NULL },
};

static struct err *read_vmcs12(struct kvm *kvm, uint64_t at, bool host, enum guest_from from,
			       struct guest_regs *r)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < sizeof(vmcs12) / sizeof(*vmcs12); i++) {
		const char *path = host ? vmcs12[i].host : vmcs12[i].guest;
		uint64_t value;
		bool found;
		/* What KVM has read itself is at least as new. */
		if (!path || r->value[vmcs12[i].reg].known)
			continue;
		e = kvm_read_path(kvm, at, "vmcs12", path, &found, &value);
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
	struct err *e = kvm_read_path(kvm, vmx, "vcpu_vmx", "loaded_vmcs", &found, &loaded);
	if (!e && loaded)
		e = kvm_read_path(kvm, loaded, "loaded_vmcs", "vmcs", &found, &vmcs);
	if (e || !vmcs)
		return e;
	e = kernel_read_u32(kvm_parts(kvm)->k, vmcs, &revision);
	if (e || (revision & 0x7fffffff) != VMCS12_REVISION)
		return kvm_only_nomem(e);
	e = kvm_read_path(kvm, loaded, "loaded_vmcs", "launched", &found, &launched);
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
	uint64_t loaded, own, hflags;
	bool found;
	struct err *e;
	if (type_scope_offset(kvm_types(kvm), "vcpu_vmx", "nested.vmcs02.vmcs", &own)) {
		e = kvm_read_path(kvm, vmx, "vcpu_vmx", "loaded_vmcs", &found, &loaded);
		if (!e && found)
			*ret_nested = type_scope_offset(kvm_types(kvm), "vcpu_vmx", "nested.vmcs02",
							&own) &&
				      loaded == vmx + own;
		return e;
	}
	e = kvm_read_path(kvm, vcpu->address, "kvm_vcpu", "arch.hflags", &found, &hflags);
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
		e = kvm_read_path(kvm, vmx, "vcpu_vmx", "msr_guest_kernel_gs_base", &found, &value);
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
		e = kvm_read_path(kvm, vmx, "vcpu_vmx", "rflags", &found, &value);
	if (!e && found)
		guest_set(r, GUEST_RFLAGS, value, GUEST_ARCH);
	if (!e)
		e = kvm_read_reg_bits(kvm, vcpu, "regs_avail", &found, &avail);
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
		e = kvm_read_path(kvm, vmx, "vcpu_vmx", "nested.cached_vmcs12", &found, &cached);
	if (e || !nested || !cached)
		return e;
	return read_vmcs12(kvm, cached, true, GUEST_VMCS12, r);
}
