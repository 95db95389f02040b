/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CPU in the middle of a switch from one task to another. The scheduler says that the next runs
 * (rq->curr, kernel/sched/core.c: __schedule()) long before the CPU is on its stack, and the CPU's
 * own word (current_task) follows only after that.
 */
#ifndef VMCORE_KERNEL_TASKS_CPU_SWITCH_H
#define VMCORE_KERNEL_TASKS_CPU_SWITCH_H

#include <stdint.h>

struct cpu;
struct cpus;
struct err;
struct kernel;

/* What @cpu itself takes for the task that it runs: current_task, within pcpu_hot from 6.2 to 6.14.
 * 0 if it is not known. */
uint64_t cpu_current_task(const struct kernel *k, const struct cpu *cpu);

/*
 * Puts into curr of each of @cpus the task whose stack the CPU was on, where rq->curr and
 * current_task name two: by the rsp of the CPU's notes. Where no note tells, curr is current_task,
 * and switching the other: of neither can anything be said. Finds CPUs that never came up, too,
 * whose idle tasks are in rq->curr all the same. ERR_NOMEM only.
 */
__attribute__((warn_unused_result)) struct err *cpu_switch_settle(struct kernel *k,
								  struct cpus *cpus);

#endif
