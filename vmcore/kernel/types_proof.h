/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether types are those of the kernel in a dump, where nothing in the file that they come from
 * says whose they are: what they say of places in memory is held against what lies there.
 */
#ifndef VMCORE_KERNEL_TYPES_PROOF_H
#define VMCORE_KERNEL_TYPES_PROOF_H

#include <stddef.h>

struct err;
struct kernel;
struct types;

/* How much agreed. */
struct types_proof {
	size_t tasks;  /* besides init_task */
	size_t layout; /* sizes and offsets that VMCOREINFO tells, too */
};

/*
 * Holds @t against @k, whose symbols and VMCOREINFO are known (its own types are not asked):
 *
 * - each OFFSET() and SIZE() of VMCOREINFO that @t has an answer to;
 * - init_task: its name, PID, list heads that come back, its stack and thread.sp on it;
 * - the tasks in its list, as far as that can be followed: each one's back link, name, PID, stack
 *   and thread.sp;
 * - the release in init_uts_ns.
 *
 * ERR_FORMAT with one sentence that names the first thing that does not agree; ERR_NOTFOUND when
 * the dump has too little to prove it by.
 */
__attribute__((warn_unused_result)) struct err *types_prove(const struct kernel *k, struct types *t,
							    struct types_proof *ret);

#endif
