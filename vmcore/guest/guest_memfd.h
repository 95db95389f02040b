/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private memory of guests (guest_memfd, since 6.8): pages of a file that no process has mapped. A
 * memory slot has both that and its owner's memory, and each page of the guest is of the one or the
 * other, as the guest has asked for.
 */
#ifndef VMCORE_GUEST_GUEST_MEMFD_H
#define VMCORE_GUEST_GUEST_MEMFD_H

#include <stdbool.h>
#include <stdint.h>

#include "vmcore/kvm/kvm.h"

struct err;

/* Whether @slot has such memory: some of its pages, or all, may be private. */
bool guest_memfd_is_used(const struct memslot *slot);

/*
 * Whether @gpa, which is in @slot, is private, and then where it is: *ret_index is the page of the
 * file, *ret_pa the host's physical address. ERR_NOTPRESENT where the file has no such page yet;
 * any other error: it is private, or whether it is cannot be told, and the owner's memory must not
 * be taken for it. *ret_private, and *ret_index if it is true, are set on failure as well.
 */
__attribute__((warn_unused_result)) struct err *
guest_memfd_find(struct kvm *kvm, const struct vm *vm, const struct memslot *slot, uint64_t gpa,
		 bool *ret_private, uint64_t *ret_index, uint64_t *ret_pa);

#endif
