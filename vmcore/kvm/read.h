/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading KVM's structures, by members that some kernels have and others do not. */
#ifndef VMCORE_KVM_READ_H
#define VMCORE_KVM_READ_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct kvm;
struct kvm_members;
struct member;

/* ---- members ---- */

/* What was found out about members; @kvm has one. NULL without memory. */
struct kvm_members *kvm_members_new(void);
void kvm_members_free(struct kvm_members *m);
/* As type_scope_member() of KVM's types, and faster the second time. *ret is of size 0 where the
 * member does not exist. ERR_NOMEM only. */
__attribute__((warn_unused_result)) struct err *kvm_find_member(const struct kvm *kvm,
								const char *type, const char *path,
								bool *ret_exists,
								struct member *ret);

/* ---- what is there ---- */

/* False, and *ret untouched, if the member does not exist or cannot be read. */
bool kvm_read_number(const struct kvm *kvm, uint64_t base, const struct member *m, uint64_t *ret);
/* The number at @path of the @type at @base, which KVM's types describe. *ret_found is false where
 * the member does not exist or cannot be read. ERR_NOMEM only. */
__attribute__((warn_unused_result)) struct err *kvm_read_path(const struct kvm *kvm, uint64_t base,
							      const char *type, const char *path,
							      bool *ret_found, uint64_t *ret);
/* Drops @e if it only says that something is not there; gives back ERR_NOMEM. */
__attribute__((warn_unused_result)) struct err *kvm_only_nomem(struct err *e);

/* ---- what is not ---- */

/* Keeps a sentence about what is damaged for kvm_notes(). */
__attribute__((format(printf, 2, 3))) void kvm_note(struct kvm *kvm, const char *fmt, ...);
/* Keeps @fmt for kvm_why(). ERR_NOMEM only. */
__attribute__((warn_unused_result, format(printf, 2, 3))) struct err *
kvm_set_why(struct kvm *kvm, const char *fmt, ...);

#endif
