/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which physical addresses of this machine are RAM: /proc/iomem (kernel/resource.c). Reading
 * anything else, a device's registers, can hang the host.
 */
#ifndef SERVER_MEMORY_IOMEM_H
#define SERVER_MEMORY_IOMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/memory/ranges.h"

struct err;

struct ram_map {
	struct pa_range *list; /* owned; sorted, disjoint, not touching */
	size_t count;
	uint64_t kernel_code; /* where the kernel's image (_text) begins; 0 if unknown */
};

/*
 * Reads @path, "/proc/iomem". ERR_IO when it cannot be read or shows no addresses, as it does to
 * those without CAP_SYS_ADMIN; ERR_FORMAT when it lists no System RAM.
 */
__attribute__((warn_unused_result)) struct err *ram_map_read(const char *path, struct ram_map *ret);
void ram_map_free(struct ram_map *m);

/* The range that holds @pa, or else the first above it; NULL if there is none. */
const struct pa_range *ram_map_from(const struct ram_map *m, uint64_t pa);

#endif
