/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers that no processor has: where a thread's structures are, and what its guest's registers
 * were. A feature of our own in target.xml, so that every client has them by name.
 */
#ifndef SERVER_TARGET_KVM_REGISTERS_H
#define SERVER_TARGET_KVM_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/target.h"

struct err;
struct vmcore;
struct task;

/* $task, $kvm, $kvm_vcpu, $root_hpa, then $guest_*. They follow the standard ones. */
enum { KVM_REGISTER_COUNT = 31 };
extern const struct target_register kvm_registers[KVM_REGISTER_COUNT];

/* Appends the rows for @task to the answer of target_register_ops.read(): @values and @known are
 * where those of kvm_registers begin. Known are only values that the guest had, none that may be
 * old. ERR_NOMEM only. */
__attribute__((warn_unused_result)) struct err *
kvm_registers_fill(const struct vmcore *h, const struct task *task, uint8_t *values, bool *known);

#endif
