/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How users name VMs and vCPUs to monitor commands. */
#ifndef SERVER_MONITOR_KVM_VCPU_NAME_H
#define SERVER_MONITOR_KVM_VCPU_NAME_H

#include <stddef.h>

struct err;
struct vmcore;
struct vcpu;

/*
 * The vCPU that @text names: the address of its struct kvm_vcpu in hexadecimal; VM:ID, its VM (as
 * below) and its vcpu_id; or a number, the thread that runs it or its vcpu_id, where only one is
 * meant. ERR_NOTFOUND if there is none, ERR_INVALID if it could be several.
 */
__attribute__((warn_unused_result)) struct err *
vcpu_by_name(const struct vmcore *h, const char *text, const struct vcpu **ret);

/*
 * The index (of kvm_vms()'s list) of the VM that @text names: its process, also as vm-PID, or the
 * address of its struct kvm in hexadecimal. Errors as above.
 */
__attribute__((warn_unused_result)) struct err *vm_by_name(const struct vmcore *h, const char *text,
							   size_t *ret);

#endif
