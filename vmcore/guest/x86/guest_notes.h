/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers of a vCPU that was inside its guest when QEMU dumped the host: in the CPU's note.
 */
#ifndef VMCORE_GUEST_X86_GUEST_NOTES_H
#define VMCORE_GUEST_X86_GUEST_NOTES_H

#include <stdbool.h>

struct err;
struct guest_regs;
struct kvm;
struct vcpu;

/*
 * Where it is certain which of the dump's notes is of @vcpu: puts its registers over @r, which
 * holds what KVM has kept, and *ret_found is true. All of @r is current then, but for what says
 * that it is stale. ERR_NOMEM only.
 */
__attribute__((warn_unused_result)) struct err *
guest_notes_apply(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *r, bool *ret_found);

#endif
