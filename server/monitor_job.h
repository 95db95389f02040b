/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A monitor command under way that takes longer than other clients should wait. It works in slices
 * of some milliseconds; between two of them everybody else is served, and its client may interrupt
 * it. A command begins with a structure of its own whose first member is this.
 */
#ifndef SERVER_MONITOR_JOB_H
#define SERVER_MONITOR_JOB_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct err;
struct host;

struct target_job {
	/* The next slice: appends to @out, and sets *ret_done when there is nothing left. */
	struct err *(*slice)(struct host *h, struct target_job *job, struct buf *out,
			     bool *ret_done);
	void (*free)(struct target_job *job);
	/* It goes by thread ids, or by nothing that host_renew() frees: it goes on afterwards. */
	bool renewable;
	uint64_t generation; /* of the host's tasks that it goes through; monitor.c's business */
};

#endif
