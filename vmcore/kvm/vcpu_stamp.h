/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a vCPU of a machine that runs is still what it was. Its registers change only while a
 * thread is in an ioctl of it and runs: between two equal stamps of a vCPU that nobody was running,
 * what was read of it is one picture.
 */
#ifndef VMCORE_KVM_VCPU_STAMP_H
#define VMCORE_KVM_VCPU_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "vmcore/kernel/tasks/task_stamp.h"

struct err;
struct kvm;
struct vcpu;

struct vcpu_stamp {
	bool is_there;	 /* the structure still says that it is this vCPU */
	bool runs;	 /* a thread that runs has it: its registers may be in the processor */
	uint64_t holder; /* the task_struct of the thread in an ioctl of it; 0 if there is none */
	uint64_t exits;	 /* how often it has left its guest */
	struct task_stamp task; /* the holder's */
};

/* From memory as it is now; memory_forget() before it is the caller's business. ERR_NOMEM only. */
__attribute__((warn_unused_result)) struct err *vcpu_stamp_read(const struct kvm *kvm,
								const struct vcpu *vcpu,
								enum stamp_time when,
								struct vcpu_stamp *ret);

bool vcpu_stamp_equal(const struct vcpu_stamp *a, const struct vcpu_stamp *b);

#endif
