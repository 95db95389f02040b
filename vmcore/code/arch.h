/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an architecture brings for the code of its kernels. */
#ifndef VMCORE_CODE_ARCH_H
#define VMCORE_CODE_ARCH_H

#include <stdbool.h>

#include "vmcore/code/unwind_source.h"

struct cpu;
struct kernel;
struct task;

/* Whose frames are looked for: what the self of a question of unwind_source begins with. */
struct unwind_question {
	const struct unwinder_parts *parts;
	const struct task *task;
	const struct cpu *cpu; /* where the task runs; NULL if it does not */
};

struct code_arch {
	/* For unwind_source.asks; its functions are given a struct unwind_question as their self.
	 * NULL: the strategies of the architecture ask nothing. */
	const void *asks;
	/* Whether the kernel is one whose functions all keep frame pointers, as far as its code
	 * tells; asked where nothing else does. */
	bool (*keeps_frame_pointers)(const struct kernel *k);
};

#endif
