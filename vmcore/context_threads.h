/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lies below an interrupt on a CPU, as threads of their own. A debugger whose vmlinux does not
 * know that the kernel changes stacks (its CFI says nothing of the inline assembly that does so)
 * ends its backtrace at the top of the interrupt's stack. The server's unwinder crosses that: the
 * frame that was interrupted, with the registers that it had, is where such a debugger can go on.
 *
 * Only tasks that were running can have such frames, so only they are unwound.
 */
#ifndef VMCORE_CONTEXT_THREADS_H
#define VMCORE_CONTEXT_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/regs.h"

struct buf;
struct context_threads;
struct err;
struct vmcore;
struct task;

/* Their thread ids begin here: above all PIDs (4194304 at most) and idle tasks (10000000 + CPU). */
#define CONTEXT_TID_FIRST UINT64_C(20000000)

struct context_thread {
	uint64_t tid;
	const struct task *task; /* whose frames they are; borrowed from the host */
	unsigned frame;		 /* the number of its first frame among the task's */
	struct regs regs;	 /* of that frame */
	bool called;		 /* it called what runs on the other stack, and was not stopped */
	char *by;		 /* owned: the function that interrupted it; NULL if unknown */
};

/* Unwinds the running tasks of @h, which is borrowed. An error only when memory is out. */
__attribute__((warn_unused_result)) struct err *context_threads_new(struct vmcore *h,
								    struct context_threads **ret);
void context_threads_free(struct context_threads *c);

/* NULL if no context has that id. */
const struct context_thread *context_threads_find(const struct context_threads *c, uint64_t tid);

/* All of them, innermost first for each task, tasks in the order of the host's. */
const struct context_thread *context_threads_list(const struct context_threads *c,
						  size_t *ret_count);

/* Appends what the thread is called: "CPU 0/KVM ↳ interrupted by sysvec_reboot". */
void context_thread_name(const struct context_thread *c, struct buf *out);

#endif
