/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual machine on the dumped host, as the protocol wants a target: a thread is a vCPU with the
 * guest's registers, memory is the guest's, read from the host's dump.
 */
#ifndef SERVER_TARGET_TARGET_GUEST_H
#define SERVER_TARGET_TARGET_GUEST_H

#include <stdbool.h>

struct err;
struct service;
struct target;
struct vm;

/* @host and @vm (one of its VMs) are borrowed and must outlive the result. */
__attribute__((warn_unused_result)) struct err *
target_guest_new(struct service *service, struct vm *vm, struct target **ret);
void target_guest_free(struct target *target);

/* Whether it is this one's. */
bool target_guest_is(const struct target *target, const struct vm *vm);
/* Whether its VM was gone when the host was listed last. */
bool target_guest_has_ended(const struct target *target);

#endif
