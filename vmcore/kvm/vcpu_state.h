/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a vCPU was doing: for lists, and for who wants its page tables. */
#ifndef VMCORE_KVM_VCPU_STATE_H
#define VMCORE_KVM_VCPU_STATE_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct kvm;
struct vcpu;

enum vcpu_doing {
	VCPU_UNKNOWN,
	VCPU_NEVER_RUN,
	VCPU_IN_GUEST,	 /* its thread runs, and KVM had the CPU in the guest */
	VCPU_IN_KERNEL,	 /* inside KVM: its thread runs, or waits for something else than below */
	VCPU_HALTED,	 /* waits for an interrupt */
	VCPU_WAITING,	 /* waits for another vCPU to start it */
	VCPU_PREEMPTED,	 /* its thread would run, and another does */
	VCPU_IN_USER,	 /* its thread is outside KVM */
	VCPU_THREAD_GONE /* its thread has ended */
};

/* On which side of the guest's entry KVM has the vCPU: the guest's from before the CPU enters it
 * until the registers that it left with are put away. */
enum vcpu_side { VCPU_SIDE_UNKNOWN, VCPU_SIDE_HOST, VCPU_SIDE_GUEST };

/* By vcpu->mode. ERR_NOMEM only. */
__attribute__((warn_unused_result)) struct err *
vcpu_side_read(const struct kvm *kvm, const struct vcpu *vcpu, enum vcpu_side *ret);

/* What tells what a vCPU was doing. */
struct vcpu_facts {
	bool has_run;	   /* false: KVM_RUN was surely never called */
	bool thread_ended; /* the one that ran it last */
	bool loaded;	   /* a thread is in an ioctl of it */
	bool on_cpu;	   /* loaded: that thread runs */
	enum vcpu_side side;
	bool preempted; /* loaded: the thread was switched out though it would run */
	bool has_mp_state;
	uint64_t mp_state;  /* KVM_MP_STATE_*, include/uapi/linux/kvm.h */
	bool thread_is_out; /* the thread that ran it last is surely in no ioctl of it */
};

/* The one place that decides it. */
enum vcpu_doing vcpu_doing_of(const struct vcpu_facts *f);

/* The same, of what the dump has. ERR_NOMEM only. */
__attribute__((warn_unused_result)) struct err *
vcpu_doing_read(const struct kvm *kvm, const struct vcpu *vcpu, enum vcpu_doing *ret);

struct vcpu_state {
	enum vcpu_doing doing;
	bool has_root; /* a root of the MMU's tables is loaded */
	uint64_t root_hpa;
	bool has_requests;
	uint64_t requests; /* bits KVM_REQ_* */
	const char *mode;  /* static: vcpu->mode as a word; NULL if unknown */
	bool has_exit;
	uint64_t exit_code;    /* the VMCB's, or the VMCS's exit reason whole */
	const char *exit_name; /* static; NULL if it has none */
};

/* ERR_NOMEM only. */
__attribute__((warn_unused_result)) struct err *
vcpu_state_read(struct kvm *kvm, const struct vcpu *vcpu, struct vcpu_state *ret);

/* kvm_mmu.root.hpa of the MMU in use: *ret_valid is false where there is none, or none is loaded
 * (INVALID_PAGE). ERR_NOMEM only. */
__attribute__((warn_unused_result)) struct err *
vcpu_root_hpa(struct kvm *kvm, const struct vcpu *vcpu, bool *ret_valid, uint64_t *ret);

/* "in guest", "halted", "preempted", "in user space", "never run"... */
const char *vcpu_doing_name(enum vcpu_doing doing);

#endif
