/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loaded modules, as `info os` lists them. */
#ifndef SERVER_MONITOR_MODULES_H
#define SERVER_MONITOR_MODULES_H

struct buf;
struct vmcore;

/* Appends the items of `info os modules`. */
void modules_osdata(const struct vmcore *h, struct buf *out);

#endif
