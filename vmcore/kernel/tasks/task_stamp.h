/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a task of a machine that runs is still what it was: between two equal stamps it was not
 * switched in, so what was read of its stack in between is one picture.
 *
 * That holds for one read in two parts, the members in which a switch shows (its count and
 * thread.sp among them) and on_cpu, in the right order. The kernel sets on_cpu before a task is
 * switched in; on the way out it counts the switch, saves thread.sp, and clears on_cpu
 * (__schedule() and finish_task() in kernel/sched/core.c). Before the stack on_cpu is read last: a
 * task that is on its way out has it, and one that is switched in later counts a switch later.
 * Behind the stack it is read first: who has left the CPU by then has counted the switch.
 */
#ifndef VMCORE_KERNEL_TASKS_TASK_STAMP_H
#define VMCORE_KERNEL_TASKS_TASK_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "vmcore/names/types/types.h"

struct err;
struct kernel;
struct task;

enum stamp_member {
	STAMP_ON_CPU,
	/* The others, which are read together. */
	STAMP_PID,
	STAMP_EXIT_STATE,
	STAMP_STACK,
	STAMP_STACK_HOLDERS,
	STAMP_SP,
	STAMP_STATE,
	STAMP_VOLUNTARY,
	STAMP_INVOLUNTARY,
	STAMP_CPU,
	STAMP_MEMBERS
};

/* Where task_struct has them. One that it does not have has the size 0. */
struct task_stamp_layout {
	struct member members[STAMP_MEMBERS];
	uint64_t low, high; /* of all but on_cpu, offsets: [low, high) */
};

/* When, in respect to what is read of the stack. */
enum stamp_time { STAMP_BEFORE, STAMP_AFTER };

struct task_stamp {
	uint64_t stack;	   /* its lowest address; 0 if it has none any more */
	uint64_t sp;	   /* thread.sp */
	uint64_t switches; /* nvcsw + nivcsw */
	uint64_t state;	   /* __state, or state before 5.14 */
	bool on_cpu;	   /* it runs, or is being switched */
	int cpu;	   /* where it runs, or ran last; no part of what is compared */
};

/* Reads nothing of memory but what types need. */
void task_stamp_layout_find(const struct kernel *k, struct task_stamp_layout *ret);

/*
 * Reads @task's stamp from memory as it is now, and forgets for that what the cache has.
 * ERR_NOTFOUND when it has ended: its task_struct is gone, another's, or dead; what keeps it from
 * being read otherwise.
 */
__attribute__((warn_unused_result)) struct err *
task_stamp_read(const struct kernel *k, const struct task_stamp_layout *layout,
		const struct task *task, enum stamp_time when, struct task_stamp *ret);

bool task_stamp_equal(const struct task_stamp *a, const struct task_stamp *b);

#endif
