/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tasks, as `info os` lists them. */
#ifndef SERVER_MONITOR_FRAMES_THREADS_H
#define SERVER_MONITOR_FRAMES_THREADS_H

#include <stdbool.h>

struct buf;
struct vmcore;

/* Appends the items of `info os processes`, or else of `info os threads`. */
void threads_osdata(const struct vmcore *h, bool processes, struct buf *out);

#endif
