/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loaded modules, as `info os` lists them. */
#ifndef SERVER_MONITOR_MODULES_H
#define SERVER_MONITOR_MODULES_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct vmcore;

/* Appends a slice of the items of `info os modules`, from module *next on; true when they are all
 * there. */
bool modules_osdata(const struct vmcore *h, size_t *next, struct buf *out);

#endif
