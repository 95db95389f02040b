/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers that no processor has: where a thread's structures are, and what its guest's registers
 * were. A feature of our own in target.xml, so that every client has them by name.
 */
#ifndef SERVER_TARGET_KVM_REGISTERS_H
#define SERVER_TARGET_KVM_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/target.h"

struct err;
struct task;
struct vmcore;

/* $task, $kvm, $kvm_vcpu, $root_hpa, then $guest_*. They follow the standard ones. */
enum { KVM_REGISTER_COUNT = 31 };
extern const struct target_register kvm_registers[KVM_REGISTER_COUNT];

/* What was read of the threads that were asked for last; good for one epoch of the host. */
struct kvm_register_cache;

/* NULL when memory is out. */
struct kvm_register_cache *kvm_register_cache_new(void);
void kvm_register_cache_free(struct kvm_register_cache *c);

/*
 * Rows of kvm_registers for @task, as target_register_ops.read() answers them. Known are only
 * values that the guest had, none that may be old. ERR_NOMEM only.
 */
__attribute__((warn_unused_result)) struct err *
kvm_registers_read(struct kvm_register_cache *c, struct vmcore *h, const struct task *task,
		   size_t first, size_t count, uint8_t *values, bool *known);

#endif
