/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files that hold a QEMU machine's memory: those of its memory backends with share=on
 * (memory-backend-file, memory-backend-memfd). A file is taken for a backend only if pages of it
 * are the ones that QEMU reads there.
 */
#ifndef VMCORE_LIVE_QMP_FILES_H
#define VMCORE_LIVE_QMP_FILES_H

#include <stddef.h>

struct err;
struct qmp;
struct qmp_copy;
struct qmp_map;

struct qmp_files {
	/* One for each range of the map: a descriptor, or -1 where QEMU has to copy. */
	int *of_range; /* owned; the descriptors are those of `opened` */
	int *opened;   /* owned, and so are the descriptors */
	size_t opened_count;
	char kind[64]; /* "memory-backend-memfd 'mem'", of the largest; empty if there is none */
};

/* Only memory running out is an error: a backend that cannot be opened is copied. */
__attribute__((warn_unused_result)) struct err *qmp_files_find(struct qmp *q, struct qmp_copy *copy,
							       const struct qmp_map *map,
							       struct qmp_files *ret);
void qmp_files_close(struct qmp_files *f);

#endif
