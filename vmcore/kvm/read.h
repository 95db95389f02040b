/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading KVM's structures, by members that some kernels have and others do not. */
#ifndef VMCORE_KVM_READ_H
#define VMCORE_KVM_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "vmcore/kvm/members.h"

struct err;
struct kvm;
struct member;

/* ---- what is there ---- */

/* False, and *ret untouched, if the member does not exist or cannot be read. */
bool kvm_read_number(const struct kvm *kvm, uint64_t base, const struct member *m, uint64_t *ret);
/* The number that the member @which of the structure at @base is. *ret_found is false where the
 * member does not exist or cannot be read. ERR_NOMEM only. */
__attribute__((warn_unused_result)) struct err *kvm_read_member(const struct kvm *kvm,
								uint64_t base,
								enum kvm_member which,
								bool *ret_found, uint64_t *ret);
/* The same, without memory as if the kernel did not have the member. */
bool kvm_get(const struct kvm *kvm, uint64_t base, enum kvm_member which, uint64_t *ret);
/* Drops @e if it only says that something is not there; gives back ERR_NOMEM. */
__attribute__((warn_unused_result)) struct err *kvm_only_nomem(struct err *e);

/* ---- what is not ---- */

/* Keeps a sentence about what is damaged for kvm_notes(). */
__attribute__((format(printf, 2, 3))) void kvm_note(struct kvm *kvm, const char *fmt, ...);
/* Keeps @fmt for kvm_why(). ERR_NOMEM only. */
__attribute__((warn_unused_result, format(printf, 2, 3))) struct err *
kvm_set_why(struct kvm *kvm, const char *fmt, ...);

#endif
