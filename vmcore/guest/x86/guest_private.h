/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What guest_regs.c, guest_svm.c and guest_vmx.c share. */
#ifndef VMCORE_GUEST_X86_GUEST_PRIVATE_H
#define VMCORE_GUEST_X86_GUEST_PRIVATE_H

#include "vmcore/guest/x86/guest_regs.h"
#include "vmcore/kvm/kvm.h"

struct err;

/* Fills in what only the vendor's structures have, over what kvm_vcpu_arch has. */
__attribute__((warn_unused_result)) struct err *
guest_svm_read(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *r);
__attribute__((warn_unused_result)) struct err *
guest_svm_read_l1(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *r);
__attribute__((warn_unused_result)) struct err *
guest_vmx_read(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *r);
__attribute__((warn_unused_result)) struct err *
guest_vmx_read_l1(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *r);

/* What KVM has kept of the registers, whatever the CPU has done since. */
__attribute__((warn_unused_result)) struct err *
guest_regs_read_kept(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *ret);

/* What the processor has while it is inside the guest, as KVM has set it. */
struct guest_hardware {
	bool has_cr;	    /* the next two are known */
	uint64_t cr0, cr4;  /* the guest may see others */
	uint64_t cr4_owned; /* bits of cr4 that the guest changes by itself */
	bool paging_known;  /* the next is */
	bool is_shadow;	    /* CR3 is that of tables of KVM's own, at `root` */
	bool has_root;
	uint64_t root;
};
__attribute__((warn_unused_result)) struct err *
guest_hardware_read(struct kvm *kvm, const struct vcpu *vcpu, struct guest_hardware *ret);
/* The VMCB's part of it. */
__attribute__((warn_unused_result)) struct err *
guest_svm_hardware(struct kvm *kvm, const struct vcpu *vcpu, struct guest_hardware *ret);

/* The names, one by one, of CR3's bit in regs_avail and regs_dirty. */
extern const char *const kvm_cr3_bits[2];

/* The bit of a register in those: the constant of enum kvm_reg called as the first of the two
 * @names (NULL: none) that exists. */
__attribute__((warn_unused_result)) struct err *
kvm_find_reg_bit(struct kvm *kvm, const char *const *names, bool *ret_found, int64_t *ret);

static inline void guest_set(struct guest_regs *r, enum guest_reg reg, uint64_t value,
			     enum guest_from from)
{
	r->value[reg] = (struct guest_value){ from != GUEST_STALE, value, from };
}

#endif
