/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A monitor command under way that takes longer than other clients should wait. It works in slices
 * (base/slice.h); between two of them everybody else is served, and its client may interrupt
 * it. A command begins with a structure of its own whose first member is this.
 */
#ifndef SERVER_MONITOR_JOB_H
#define SERVER_MONITOR_JOB_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct err;
struct vmcore;

/* What a job holds between two slices that vmcore_renew() may free: then the job ends. */
enum job_rest {
	JOB_ON_TASKS,  /* tasks, VMs, or what they gave; the order of a list among it */
	JOB_ON_CODE,   /* modules and their files */
	JOB_ON_NOTHING /* it goes by thread ids, say */
};

struct target_job {
	/* The next slice: appends to @out, and sets *ret_done when there is nothing left. */
	struct err *(*slice)(struct vmcore *h, struct target_job *job, struct buf *out,
			     bool *ret_done);
	void (*free)(struct target_job *job);
	enum job_rest rests_on;
	bool in_guest; /* slices get the machine in the guest, and not the host */
	/* The host's when it began; monitor.c's business. */
	uint64_t generation, code_generation;
};

#endif
