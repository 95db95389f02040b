/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPUs of a KVM whose types are not known: those that what is known of the kernel proves. Members
 * of them are not known; where each is, which thread is inside it, and how that was told, are.
 */
#ifndef VMCORE_SEEN_VCPUS_H
#define VMCORE_SEEN_VCPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct task;
struct vmcore;

enum vcpu_seen_by {
	/* kvm_preempt_ops is among the preempt notifiers of the task, which is inside an ioctl of
	 * the vCPU, and the notifier is part of an object in use of the slab cache kvm_vcpu. */
	SEEN_NOTIFIER,
	/* A register of a frame in KVM's code holds its address; KVM's table of vCPUs has it, and
	 * its own notifier is KVM's. */
	SEEN_REGISTER,
	/* It is in such a table, of a VM on KVM's list. */
	SEEN_TABLE,
};

struct seen_vcpu {
	uint64_t address;	 /* struct kvm_vcpu */
	uint64_t kvm;		 /* struct kvm; 0 if unknown */
	const struct task *task; /* that is inside it; NULL if that is none, or unknown */
	enum vcpu_seen_by by;
	/* With SEEN_REGISTER, and with SEEN_NOTIFIER if has_register: a frame of the task in KVM's
	 * code with a register that is certain and holds the address. */
	bool has_register;
	size_t frame;
	const char *reg; /* its name; static */
};

struct seen_vcpus {
	struct seen_vcpu *list; /* owned; in the order of tasks, those of none last */
	size_t count;
	bool looked;
	uint64_t epoch; /* of the machine, when they were looked for */
};

void seen_vcpus_free(struct seen_vcpus *s);

/* All of them; none where KVM's types are known (kvm_vms() has them then) or KVM is not loaded.
 * Looked for once an epoch. Borrowed. */
const struct seen_vcpus *vmcore_seen_vcpus(struct vmcore *h);

/* That which @task is inside; NULL if there is none. */
const struct seen_vcpu *vmcore_seen_vcpu_of(struct vmcore *h, const struct task *task);

/* Appends how it was told: "r12 of frame #2", "the task's preempt notifier". */
void seen_vcpu_evidence(const struct seen_vcpu *v, struct buf *out);

#endif
