/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kallsyms tables in a kernel's read-only data, when nothing says where they are (kernels
 * before 6.0, and later ones without VMCOREINFO). What is found holds together by itself: 256
 * tokens where the index says, names that end where the markers begin, each marker at the name that
 * it is for, and addresses in order.
 */
#ifndef VMCORE_FIND_KALLSYMS_FIND_H
#define VMCORE_FIND_KALLSYMS_FIND_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct kallsyms_tables;

/* A piece of the kernel's image. */
struct kallsyms_bytes {
	const uint8_t *bytes; /* borrowed */
	size_t len;
	uint64_t address; /* of the first */
};

/*
 * Searches for the tables of one kernel, which lie near each other in one piece, in any order.
 * Names of less than 1024 symbols are none. The time is bounded, whatever the bytes are: less than
 * a second for 64 MiB. ERR_NOTFOUND when there are none, ERR_CORRUPT when two sets of tables hold
 * together: then neither is taken. ret->found is true, ret->text 0.
 */
__attribute__((warn_unused_result)) struct err *kallsyms_find(const struct kallsyms_bytes *piece,
							      struct kallsyms_tables *ret);

#endif
