/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page tables of the tasks that were looked at last. A client reads a process's memory in many
 * small pieces, and where its page tables are takes longer to find out than a piece to read.
 */
#ifndef VMCORE_KERNEL_TASKS_TASK_SPACES_H
#define VMCORE_KERNEL_TASKS_TASK_SPACES_H

#include <stdint.h>

#include "vmcore/memory/memory.h"

struct err;
struct kernel;
struct task;

enum { TASK_SPACES = 16 };

/* Owns nothing. Zeros are an empty one. */
struct task_spaces {
	struct {
		uint64_t mm; /* whose; 0: nobody's */
		uint64_t epoch;
		struct vspace space;
	} list[TASK_SPACES]; /* each at a place by its mm */
};

/* As task_space(), which is asked once for each @epoch: another number whenever what was read
 * before may be old. Errors are not kept. */
__attribute__((warn_unused_result)) struct err *task_spaces_get(struct task_spaces *s,
								const struct kernel *k,
								const struct task *task,
								uint64_t epoch, struct vspace *ret);

#endif
