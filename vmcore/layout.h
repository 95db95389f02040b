/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which members of kernel structures are asked for, and what this kernel has of them. */
#ifndef VMCORE_LAYOUT_H
#define VMCORE_LAYOUT_H

#include <stddef.h>

#include "vmcore/names/types/types.h"

struct err;
struct vmcore;
struct want;

struct layout_row {
	const char *subject;	 /* what it is asked for, a few words; static */
	const struct want *want; /* its type, and all its names; static */
	const char *path;	 /* the name that this kernel has, static; NULL: it has none */
	struct member member;	 /* zero then */
};

/*
 * All of them, by subject: the kernel's, then KVM's, as far as KVM is there and of the vendor that
 * it is of. *ret is to be freed with free(). ERR_NOTFOUND if nothing knows the kernel's types,
 * ERR_NOMEM.
 */
__attribute__((warn_unused_result)) struct err *
layout_list(const struct vmcore *h, struct layout_row **ret, size_t *ret_count);

#endif
