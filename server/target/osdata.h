/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables for gdb's `info os`: virtual machines, their vCPUs and memory slots. */
#ifndef SERVER_TARGET_OSDATA_H
#define SERVER_TARGET_OSDATA_H

struct buf;
struct err;
struct service;
struct osdata;

/* Makes no table yet. @service is borrowed and must outlive the result. */
__attribute__((warn_unused_result)) struct err *osdata_new(const struct service *service,
							   struct osdata **ret);
void osdata_free(struct osdata *o);

/* The table @annex as gdb wants it (gdb manual, "Operating System Information"), made in slices: *ret
 * is NULL until it is whole. It is kept, but for those that change; "" lists the tables. ERR_NOTFOUND
 * if there is no such table. Borrowed, until the next call. */
__attribute__((warn_unused_result)) struct err *osdata_get(struct osdata *o, const char *annex,
							   const struct buf **ret);

#endif
