/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which task a debugger finds selected. */
#ifndef VMCORE_KERNEL_TASKS_CURRENT_TASK_H
#define VMCORE_KERNEL_TASKS_CURRENT_TASK_H

#include <stdbool.h>
#include <stddef.h>

struct cpus;
struct err;
struct task;
struct tasks;

/* Whether it is known where @task is: gdb does not attach to a thread that is nowhere. NULL: of
 * all. */
struct task_place {
	struct err *(*known)(void *closure, const struct task *task, bool *ret);
	void *closure;
};

/*
 * The first of these whose place is known: the task that panicked; what the CPUs run, the lowest
 * first, and idle tasks behind all others; tasks that do not run, by thread id; the rest. Its index
 * goes to *ret, and to *ret_wanted that of the first of them at all, which is the same in a good
 * dump, and which *ret is if none has a known place. @t is not empty. Errors are those of @place.
 */
__attribute__((warn_unused_result)) struct err *
current_task_choose(const struct tasks *t, const struct cpus *cpus, const struct task_place *place,
		    size_t *ret_wanted, size_t *ret);

#endif
