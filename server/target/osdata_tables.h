/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of `info os` (GDB manual, "Operating System Information"). */
#ifndef SERVER_TARGET_OSDATA_TABLES_H
#define SERVER_TARGET_OSDATA_TABLES_H

struct buf;
struct err;
struct vmcore;

/*
 * Append the items of a table. What is not known of one is an empty column; an error when a table
 * cannot be read at all, or memory is out.
 */
__attribute__((warn_unused_result)) struct err *osdata_processes(const struct vmcore *h,
								 struct buf *out);
__attribute__((warn_unused_result)) struct err *osdata_threads(const struct vmcore *h,
							       struct buf *out);
__attribute__((warn_unused_result)) struct err *osdata_cpus(const struct vmcore *h,
							    struct buf *out);
__attribute__((warn_unused_result)) struct err *osdata_modules(const struct vmcore *h,
							       struct buf *out);
__attribute__((warn_unused_result)) struct err *osdata_vms(const struct vmcore *h, struct buf *out);
__attribute__((warn_unused_result)) struct err *osdata_vcpus(const struct vmcore *h,
							     struct buf *out);
__attribute__((warn_unused_result)) struct err *osdata_slots(const struct vmcore *h,
							     struct buf *out);

#endif
