/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU's human monitor prints about the memory and the CPUs of a machine, which QMP has no
 * command for.
 */
#ifndef VMCORE_LIVE_QMP_TEXT_H
#define VMCORE_LIVE_QMP_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "vmcore/memory/ranges.h"

struct err;
struct notes;

/* Guest physical addresses that are RAM, or ROM copied from it. */
struct qmp_ram {
	struct pa_range at;
	uint64_t offset; /* of at.start in the memory region */
	char *region;	 /* its name; owned */
};

struct qmp_map {
	struct qmp_ram *list; /* owned; ascending, apart */
	size_t count;
};

/*
 * Reads "info mtree -f" (QEMU, softmmu/memory.c: mtree_print_flatview()): the flat view that the
 * address space "memory" has. Device memory is left out. ERR_FORMAT when there is none, or it is
 * not in order.
 */
__attribute__((warn_unused_result)) struct err *qmp_map_parse(const char *text,
							      struct qmp_map *ret);
void qmp_map_free(struct qmp_map *m);
/* The lowest range that ends above @pa; NULL if there is none. */
const struct qmp_ram *qmp_map_from(const struct qmp_map *m, uint64_t pa);

/*
 * Adds to @notes what "info registers -a" (QEMU, target/i386/cpu-dump.c) says of each CPU, in the
 * form of QEMU's own dumps: a PRSTATUS note and a "QEMU" note, without kernel_gs_base, which it
 * does not print. A CPU in 16- or 32-bit mode is left out: the registers are not shown whole.
 */
__attribute__((warn_unused_result)) struct err *qmp_registers_parse(const char *text,
								    struct notes *notes);

/*
 * The words of "xp /Ngx ADDRESS" as memory: at most @len bytes to @out. Returns how many there
 * were.
 */
size_t qmp_words_parse(const char *text, uint8_t *out, size_t len);

#endif
