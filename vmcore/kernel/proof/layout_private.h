/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of layout_proof.c. */
#ifndef VMCORE_KERNEL_LAYOUT_PRIVATE_H
#define VMCORE_KERNEL_LAYOUT_PRIVATE_H

#include "vmcore/kernel/proof/layout_sample.h"

struct types;

/* What has been proven so far; the parts build on each other. */
struct layout {
	struct sample *sample;
	struct types *types; /* to which it is told */
	uint64_t pid, stack, sp;
	bool has_pid, has_stack, has_sp;
};

/* Tells a member of task_struct, or of another type. */
__attribute__((warn_unused_result)) struct err *layout_tell(struct layout *l, const char *type,
							    const char *path, uint64_t offset,
							    uint64_t size, const char *how);

/* Whether the stack of the task at @task begins at @low: with its thread_info, whose first member
 * points to the task (until 4.8), or with the mark of the stack's end. */
bool layout_begins_stack(const struct kernel *k, uint64_t low, uint64_t task,
			 bool *ret_thread_info);

/* What CPUs run, where a per-CPU structure has it (layout_cpus.c): sets *ret_known once it is known
 * of all CPUs that were started. Without that what a task has left on its stack may be old. */
__attribute__((warn_unused_result)) struct err *layout_prove_current(struct layout *l,
								     bool *ret_known);

/* The lists of a process's threads (layout_lists.c), its memory (layout_memory.c), what CPUs and
 * tasks know of each other (layout_cpus.c). */
__attribute__((warn_unused_result)) struct err *layout_prove_threads(struct layout *l);
__attribute__((warn_unused_result)) struct err *layout_prove_memory(struct layout *l);
__attribute__((warn_unused_result)) struct err *layout_prove_cpus(struct layout *l);

#endif
