/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a CPU that is inside a guest comes back to: a note that its hypervisor wrote then holds the
 * guest's registers, and the host's are where the CPU, or KVM, put them at the entry.
 */
#ifndef VMCORE_KVM_X86_HOST_ENTRY_H
#define VMCORE_KVM_X86_HOST_ENTRY_H

#include <stdbool.h>

struct cpu;
struct kvm;
struct regs;
struct task;

/*
 * The host's registers that are known while @task runs a guest on @cpu, as they are when the guest
 * is left: rip and rsp, and what else is certain. False if they cannot be told, or are not those of
 * this task: what the places hold from an earlier entry does not pass.
 */
bool kvm_host_entry(struct kvm *kvm, const struct task *task, const struct cpu *cpu,
		    struct regs *ret);

#endif
