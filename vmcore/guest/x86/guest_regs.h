/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of a guest's CPU, as far as the host's memory has them: what KVM keeps in struct
 * kvm_vcpu, AMD's VMCB, and what KVM has read of Intel's VMCS. A value that may be older than the
 * guest's last exit is stale, and nothing else than that.
 */
#ifndef VMCORE_GUEST_X86_GUEST_REGS_H
#define VMCORE_GUEST_X86_GUEST_REGS_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct kvm;
struct vcpu;

/* The first sixteen in the order of kvm_vcpu_arch.regs (enum kvm_reg). */
enum guest_reg {
	GUEST_RAX,
	GUEST_RCX,
	GUEST_RDX,
	GUEST_RBX,
	GUEST_RSP,
	GUEST_RBP,
	GUEST_RSI,
	GUEST_RDI,
	GUEST_R8,
	GUEST_R9,
	GUEST_R10,
	GUEST_R11,
	GUEST_R12,
	GUEST_R13,
	GUEST_R14,
	GUEST_R15,
	GUEST_RIP,
	GUEST_RFLAGS,
	GUEST_CR0,
	GUEST_CR2,
	GUEST_CR3,
	GUEST_CR4,
	GUEST_EFER,
	GUEST_CS,
	GUEST_SS,
	GUEST_DS,
	GUEST_ES,
	GUEST_FS,
	GUEST_GS,
	GUEST_CS_BASE,
	GUEST_FS_BASE,
	GUEST_GS_BASE,
	GUEST_KERNEL_GS_BASE,
	GUEST_GDTR, /* its base */
	GUEST_GDTR_LIMIT,
	GUEST_IDTR,
	GUEST_IDTR_LIMIT,
	GUEST_REGS
};

enum guest_from {
	GUEST_NOWHERE,
	GUEST_VMCB,   /* the VMCB in use */
	GUEST_ARCH,   /* kvm_vcpu_arch */
	GUEST_VMCS12, /* a VMCS whose layout is known, for the host is a guest of KVM itself */
	GUEST_NOTE,   /* the CPU was inside the guest, and its note is known */
	GUEST_STALE   /* what it was once */
};

struct guest_value {
	bool known; /* the value is what the guest had */
	uint64_t value;
	enum guest_from from; /* GUEST_STALE: not known, and value is an old one */
};

struct guest_regs {
	struct guest_value value[GUEST_REGS];
	bool is_encrypted; /* SEV-ES, SNP, TDX: nothing else means anything */
	bool is_nested;	   /* these are L2's: the guest runs a guest */
	bool in_guest;	   /* the CPU was inside the guest when the dump was made; on a machine that
			    * runs: its thread runs, so that it may be */
	bool all_stale;	   /* there, or on the way out, and nothing has the registers of the time */
	const char *why_stale; /* static; while all_stale: "the CPU was inside the guest" */
};

/* ERR_NOMEM only; what cannot be read is not known. On a machine that runs they are of one moment,
 * in which no thread ran the vCPU, or all stale; a vCPU that is gone has none. */
__attribute__((warn_unused_result)) struct err *
guest_regs_read(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *ret);

/*
 * While is_nested: what L1, the guest that runs a guest, goes on with when that one exits. Nothing
 * is known where L1 does not run a guest.
 */
__attribute__((warn_unused_result)) struct err *
guest_regs_read_l1(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *ret);

/* "rax", "cr3", "cs_base"... */
const char *guest_reg_name(enum guest_reg reg);
/* "vmcb", "regs", "vmcs12", "stale"; NULL for GUEST_NOWHERE */
const char *guest_from_name(enum guest_from from);

/* What people are shown of a register: "0x100101", "0x100101 (stale)", "encrypted" or "unknown". */
struct guest_value_text {
	char text[40];
};
struct guest_value_text guest_value_text(const struct guest_regs *r, enum guest_reg reg);

#endif
