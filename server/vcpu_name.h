/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How users name a vCPU to monitor commands. */
#ifndef SERVER_VCPU_NAME_H
#define SERVER_VCPU_NAME_H

struct err;
struct host;
struct vcpu;

/*
 * The vCPU that @text names: the address of its struct kvm_vcpu in hexadecimal; PID:ID or
 * vm-PID:ID, its VM's process and its vcpu_id; or a number, the thread that runs it. ERR_NOTFOUND
 * if there is none, ERR_INVALID for what is no such name.
 */
__attribute__((warn_unused_result)) struct err *vcpu_by_name(struct host *h, const char *text,
							     const struct vcpu **ret);

#endif
