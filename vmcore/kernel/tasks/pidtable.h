/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of PIDs (kernel/pid.c): the second way to all tasks. */
#ifndef VMCORE_KERNEL_TASKS_PIDTABLE_H
#define VMCORE_KERNEL_TASKS_PIDTABLE_H

#include <stdint.h>

struct err;
struct kernel;

/*
 * Calls @found with the address of every task_struct that a PID of the first namespace names as its
 * thread; an error from it ends the walk and is returned. ERR_NOTFOUND if the kernel's table is of
 * no known kind. What cannot be read is passed over; every loop is bounded.
 */
__attribute__((warn_unused_result)) struct err *
pidtable_walk(const struct kernel *k, struct err *(*found)(void *closure, uint64_t task),
	      void *closure);

#endif
