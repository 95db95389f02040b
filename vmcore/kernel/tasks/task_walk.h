/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the kernel's tasks: by the lists of processes and threads, the PID table and the CPUs, and
 * by all that leads from task to task where the lists are broken. */
#ifndef VMCORE_KERNEL_TASKS_TASK_WALK_H
#define VMCORE_KERNEL_TASKS_TASK_WALK_H

#include <stddef.h>

#include "vmcore/kernel/tasks/tasks.h"

struct cpus;
struct err;
struct kernel;

/*
 * All tasks, the idle ones of @cpus among them, in the order in which they were found; each is
 * there once, with all of struct task but on_cpu. *@ret_list is to free; there is one task at
 * least. What is damaged becomes a note of @k's. Errors: a member or symbol that is needed is not
 * known, nothing can be read, ERR_NOMEM.
 */
__attribute__((warn_unused_result)) struct err *
task_walk(struct kernel *k, const struct cpus *cpus, struct task **ret_list, size_t *ret_count);

#endif
