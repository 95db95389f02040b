/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that say something of every module, a few modules a slice. */
#ifndef SERVER_MONITOR_MODULES_H
#define SERVER_MONITOR_MODULES_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct err;
struct vmcore;
struct module;
struct monitor_arguments;

/* Appends what is to be said of @m. */
typedef struct err *monitor_of_module(struct vmcore *h, const struct module *m, struct buf *out,
				      bool json);

/* Leaves the work of calling @one for every module, in the order of the kernel's list, in @args's
 * job. */
__attribute__((warn_unused_result)) struct err *
monitor_each_module(const struct monitor_arguments *args, monitor_of_module *one);

/* "live", "coming", "going", or "unknown". Static. */
const char *module_state_name(const struct vmcore *h, const struct module *m);
/* Bytes of its code and data. */
uint64_t module_size(const struct module *m);

#endif
