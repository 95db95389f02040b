/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of the machine rests on the kernel's list of modules: code, its names, types and frames. */
#ifndef VMCORE_VMCORE_CODE_H
#define VMCORE_VMCORE_CODE_H

#include <stdbool.h>

struct code_map;
struct code_scopes;
struct err;
struct frame_cache;
struct vmcore;
struct module_files;
struct module_types;
struct unwinder;

/* All owned. */
struct vmcore_code {
	struct code_map *map;
	struct module_types *types;
	struct module_files *files;
	struct unwinder *unwinder;
	struct frame_cache *frames;
	struct code_scopes *scopes;
};

/* Reads the list of modules and makes @h's members of these names from it, once it has
 * CPUs, tasks and registers. */
__attribute__((warn_unused_result)) struct err *vmcore_code_open(struct vmcore *h);

/*
 * On a machine that runs: if modules were loaded or unloaded, makes those members anew, counts
 * h->code_generation up, and moves the ones of before to @ret_old; else ret_old->map is NULL. The
 * caller then settles, once nothing holds pointers to the old ones any more, or takes them back.
 */
__attribute__((warn_unused_result)) struct err *vmcore_code_renew(struct vmcore *h,
								  struct vmcore_code *ret_old);
/* Frees @old; but keeps the first ones, since the image that is made for clients is of them. */
void vmcore_code_settle(struct vmcore *h, struct vmcore_code *old);
void vmcore_code_take_back(struct vmcore *h, struct vmcore_code *old);

void vmcore_code_free(struct vmcore *h);

#endif
