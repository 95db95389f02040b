/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which physical addresses of this machine are RAM: /proc/iomem (kernel/resource.c). Reading
 * anything else, a device's registers, can hang the host.
 */
#ifndef VMCORE_LIVE_IOMEM_H
#define VMCORE_LIVE_IOMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "vmcore/memory/ranges.h"

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

/* Whether both list the same ranges. */
bool ram_map_same(const struct ram_map *a, const struct ram_map *b);

/* The file, open: it goes on showing addresses to who was allowed to see them when it was opened
 * (kernel/resource.c: r_show()), so that memory that comes and goes is seen without privileges. */
struct iomem {
	FILE *file;	  /* owned; NULL if it is not open */
	const char *path; /* borrowed */
	struct ram_map ram;
	struct err *why;   /* owned: why it is not open, if somebody has put that here */
	int64_t looked_at; /* iomem_looked() was called then, in ms */
};

#define IOMEM_INIT \
	{          \
		0  \
	}

/* As ram_map_read(); @path must last. */
__attribute__((warn_unused_result)) struct err *iomem_open(const char *path, struct iomem *ret);
/* Reads it again; an error leaves m->ram as it was. */
__attribute__((warn_unused_result)) struct err *iomem_renew(struct iomem *m);
/* Which memory there is costs more to ask than a packet: it is believed for a second. Whether that
 * has passed since iomem_looked(), which need not be open either. */
bool iomem_is_old(const struct iomem *m);
void iomem_looked(struct iomem *m);
void iomem_close(struct iomem *m);

#endif
