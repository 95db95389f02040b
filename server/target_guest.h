/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual machine on the dumped host, as the protocol wants a target: a thread is a vCPU with the
 * guest's registers, memory is the guest's, read from the host's dump.
 */
#ifndef SERVER_TARGET_GUEST_H
#define SERVER_TARGET_GUEST_H

struct err;
struct host;
struct target;
struct vm;

/* @host and @vm (one of its VMs) are borrowed and must outlive the result. */
__attribute__((warn_unused_result)) struct err *target_guest_new(struct host *host, struct vm *vm,
								 struct target **ret);
void target_guest_free(struct target *target);

#endif
