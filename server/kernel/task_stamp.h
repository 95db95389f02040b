/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a task of a machine that runs is still what it was: between two equal stamps it was not
 * switched in, so what was read of its stack in between is one picture.
 */
#ifndef SERVER_KERNEL_TASK_STAMP_H
#define SERVER_KERNEL_TASK_STAMP_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct kernel;
struct task;

struct task_stamp {
	uint64_t stack;	   /* its lowest address; 0 if it has none any more */
	uint64_t sp;	   /* thread.sp */
	uint64_t switches; /* nvcsw + nivcsw */
	uint64_t state;	   /* __state, or state before 5.14 */
	bool on_cpu;	   /* it runs, or is being switched */
	int cpu;	   /* where it runs, or ran last; no part of what is compared */
};

/*
 * Reads @task's stamp from memory as it is now (memory_forget() is the caller's business).
 * ERR_NOTFOUND when it has ended: its task_struct is gone, another's, or dead; what keeps it from
 * being read otherwise.
 */
__attribute__((warn_unused_result)) struct err *
task_stamp_read(const struct kernel *k, const struct task *task, struct task_stamp *ret);

bool task_stamp_equal(const struct task_stamp *a, const struct task_stamp *b);

#endif
