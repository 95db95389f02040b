/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPU state in the notes of a dump: ELF's PRSTATUS, and QEMU's own note beside it. */
#ifndef VMCORE_DUMP_PRSTATUS_H
#define VMCORE_DUMP_PRSTATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/regs.h"

struct buf;
struct dump_info;
struct err;

/* As many as an architecture may have. */
enum { NOTE_SYSTEM_MAX = 28 };

struct cpu_note {
	uint32_t pid; /* pr_pid: the task's in the kernel's own notes, the CPU number + 1 in QEMU's
		       */
	struct regs regs;
	bool from_qemu; /* a QEMU note goes with it, and what follows is known */
	/* What that has beside: by numbers of the architecture's. */
	uint64_t system[NOTE_SYSTEM_MAX];
};

/*
 * All CPU notes of the dump in file order; the n-th QEMU note belongs to the n-th PRSTATUS
 * (QEMU, dump/dump.c: both loops run over the CPUs in the same order). *ret_notes is owned by the
 * caller (free()). Notes that are too short are passed over.
 */
__attribute__((warn_unused_result)) struct err *
cpu_notes_read(const struct dump_info *info, struct cpu_note **ret_notes, size_t *ret_count);

/* Appends a note; its name has up to seven bytes, @desc whole words. */
void cpu_note_add(struct buf *out, const char *name, uint32_t type, const void *desc, size_t len);

#endif
