/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of `info os` (GDB manual, "Operating System Information"). */
#ifndef SERVER_TARGET_OSDATA_TABLES_H
#define SERVER_TARGET_OSDATA_TABLES_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct vmcore;

/*
 * Each appends a slice of a table's items, from *next on, which is 0 at first and its own business,
 * and sets *ret_done (false before) when they are all there. What is not known of an item is an
 * empty column; an error when a table cannot be read at all, or memory is out.
 */
typedef struct err *osdata_table(const struct vmcore *h, size_t *next, struct buf *out,
				 bool *ret_done);
osdata_table osdata_processes;
osdata_table osdata_threads;
osdata_table osdata_cpus;
osdata_table osdata_modules;
osdata_table osdata_vms;
osdata_table osdata_vcpus;
osdata_table osdata_slots;

#endif
