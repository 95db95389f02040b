/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of the host rests on the kernel's list of modules: code, its names, types and frames. */
#ifndef SERVER_HOST_CODE_H
#define SERVER_HOST_CODE_H

#include <stdbool.h>

struct code_map;
struct code_scopes;
struct err;
struct frame_cache;
struct host;
struct module_files;
struct module_types;
struct unwinder;

/* All owned. */
struct host_code {
	struct code_map *map;
	struct module_types *types;
	struct module_files *files;
	struct unwinder *unwinder;
	struct frame_cache *frames;
	struct code_scopes *scopes;
};

/* Reads the list of modules and makes the host's members of these names from it, once the host has
 * CPUs, tasks and registers. */
__attribute__((warn_unused_result)) struct err *host_code_open(struct host *h);

/*
 * On a machine that runs: if modules were loaded or unloaded, makes those members anew, counts
 * h->code_generation up, and moves the ones of before to @ret_old; else ret_old->map is NULL. The
 * caller then settles, once nothing holds pointers to the old ones any more, or takes them back.
 */
__attribute__((warn_unused_result)) struct err *host_code_renew(struct host *h,
								struct host_code *ret_old);
/* Frees @old; but keeps the first ones, since the image that is made for clients is of them. */
void host_code_settle(struct host *h, struct host_code *old);
void host_code_take_back(struct host *h, struct host_code *old);

void host_code_free(struct host *h);

#endif
