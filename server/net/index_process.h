/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that makes the index of a vmlinux: confined as the one that reads a dump, with a
 * limit to its time, and behind everything else that wants the processor. */
#ifndef SERVER_NET_INDEX_PROCESS_H
#define SERVER_NET_INDEX_PROCESS_H

#include <stdint.h>

/* Both as in struct confine_options. */
struct index_process {
	const char *user;
	uint64_t memory;
};

/* A vmlinux_indexer (server/files/vmlinux_index.h); @self is a struct index_process. The process
 * ends with the one that calls this. */
int index_process_start(void *self, int fd);

#endif
