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
	const char *type;	 /* static */
	const struct want *want; /* all its names; static. NULL: it has but one */
	const char *path;	 /* the name that this kernel has, static; NULL: it has none */
	struct member member;	 /* zero then */
	const char *how;	 /* how it was proven where types are not known, static; or NULL */
};

/*
 * All of them, by subject: the kernel's, then KVM's, as far as KVM is there and of the vendor that
 * it is of. Where types are not known, first what is proven in the dump, then what is not.
 * *ret is to be freed with free(). ERR_NOTFOUND if nothing knows the kernel's types, and nothing is
 * proven; ERR_NOMEM.
 */
__attribute__((warn_unused_result)) struct err *
layout_list(const struct vmcore *h, struct layout_row **ret, size_t *ret_count);

#endif
