/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads of a kernel whose types are not known: nothing of a task but that it was running when
 * the dump was made. Its registers are in a CPU's note, and task_struct's address is the per-CPU
 * variable current_task.
 */
#ifndef VMCORE_KERNEL_TASKS_CPU_THREADS_H
#define VMCORE_KERNEL_TASKS_CPU_THREADS_H

#include <stddef.h>
#include <stdint.h>

struct cpus;
struct err;
struct kernel;
struct task;

/*
 * One for each CPU that has a note or is online, called "CPU 0", and one for each note of the dump
 * whose CPU is not known, "CPU note 0"; at least one in all. Both stand in struct task as `bare`.
 * *ret_list is owned by the caller (free()).
 */
__attribute__((warn_unused_result)) struct err *cpu_threads_read(struct kernel *k,
								 const struct cpus *cpus,
								 struct task **ret_list,
								 size_t *ret_count);

#endif
