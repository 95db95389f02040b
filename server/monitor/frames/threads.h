/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tasks, as `info os` lists them. */
#ifndef SERVER_MONITOR_FRAMES_THREADS_H
#define SERVER_MONITOR_FRAMES_THREADS_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct vmcore;

/* Appends a slice of the items of `info os processes`, or else of `info os threads`, from the task
 * *next on; true when they are all there. */
bool threads_osdata(const struct vmcore *h, bool processes, size_t *next, struct buf *out);

#endif
