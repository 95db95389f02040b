/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every thread of every process, and every CPU's idle task. Found twice, by the list of processes
 * and by the table of PIDs: dumps hold damaged lists, and what one loses the other may have.
 */
#ifndef VMCORE_KERNEL_TASKS_TASKS_H
#define VMCORE_KERNEL_TASKS_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

struct cpu;
struct cpus;
struct err;
struct kernel;
struct vspace;

/* Thread ids: a task's PID in the first namespace; an idle task's, and that of a CPU whose task is
 * not known, is this plus its CPU. PIDs end at 4194304 (PID_MAX_LIMIT, include/linux/threads.h). */
enum { IDLE_TID = 10000000, PID_LIMIT = 4194304 };

enum { TASK_COMM = 16 }; /* TASK_COMM_LEN */

struct task {
	uint64_t address; /* task_struct; 0 only if `bare` and unknown */
	uint64_t stack;	  /* its lowest address; 0 if it has none any more */
	uint64_t sp;	  /* thread.sp: where the stack was left; means nothing while it runs */
	uint64_t mm;	  /* 0 for kernel threads */
	uint32_t tid;
	uint32_t pid; /* thread group id; 0 for idle tasks */
	int cpu;      /* where it runs or last ran; -1 if unknown */
	char comm[TASK_COMM + 1];
	char state; /* as ps prints it: R S D T t X Z P I; ? if it is none of these */
	bool idle;
	bool on_cpu; /* it is some CPU's current task */
	/* Types are not known, so all that is known of the task is that it was running: see
	 * cpu_threads.h. */
	bool bare;
	int note; /* of a bare one whose CPU is not known (-1): which of the dump's CPU notes; else
		     -1 */
	uint64_t user_root; /* of a bare one: the top page table that its CPU had loaded; 0 if
			       unknown */
	/* Of a bare one whose rsp is on no stack that is known: where the block begins, aligned as
	 * stacks are, that it is in; else 0. */
	uint64_t block;
};

struct tasks {
	struct task *list; /* owned; by tid, so idle tasks come last */
	size_t count;
	struct map by_address; /* task_struct -> index */
	struct map by_tid;     /* tid -> index */
	uint64_t stack_size;   /* of every task, in bytes; 0 if unknown */
	bool panicked;	  /* a CPU says that it panicked or crashed, and what it runs is known */
	size_t panicking; /* index of that task, while panicked */
};

/*
 * Walks the lists. Damage ends a walk with a note in @k; an error only when there is nothing to
 * walk (init_task or the members of task_struct are unknown).
 */
__attribute__((warn_unused_result)) struct err *
tasks_read(struct kernel *k, const struct cpus *cpus, struct tasks *ret);
void tasks_free(struct tasks *t);

/* The size of a kernel stack in bytes, a power of two; 0 if it is not known. */
uint64_t tasks_stack_size(const struct kernel *k);

/* The task with this thread id, or NULL. */
const struct task *tasks_find(const struct tasks *t, uint64_t tid);

/* The task that @cpu was running, or NULL. */
const struct task *tasks_on_cpu(const struct tasks *t, const struct cpu *cpu);

/* The index of the first task whose thread id is @tid or higher; t->count if there is none. */
size_t tasks_from(const struct tasks *t, uint64_t tid);

/* The lower half of a task's address space: its mm's page tables. ERR_NOTPRESENT for a kernel
 * thread. */
__attribute__((warn_unused_result)) struct err *
task_space(const struct kernel *k, const struct task *task, struct vspace *ret);

#endif
