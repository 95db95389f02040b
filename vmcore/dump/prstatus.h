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

/* The order of QEMU's note. */
enum note_segment { NOTE_CS, NOTE_DS, NOTE_ES, NOTE_FS, NOTE_GS, NOTE_SS, NOTE_SEGMENTS };

/* A descriptor table: what GDTR or IDTR held. */
struct note_table {
	bool known; /* a note of zeros does not say */
	uint64_t base;
	uint16_t limit; /* its size in bytes, less 1 */
};

struct cpu_note {
	uint32_t pid; /* pr_pid: the task's in the kernel's own notes, the CPU number + 1 in QEMU's
		       */
	struct regs regs;
	bool from_qemu;		 /* a QEMU note goes with it, and what follows is known */
	uint64_t cr[5];		 /* cr[1] means nothing */
	uint64_t gs_base;	 /* the hidden base of gs */
	bool has_kernel_gs_base; /* since QEMU 3.0; kernel_gs_base is 0 before */
	uint64_t kernel_gs_base;
	uint64_t base[NOTE_SEGMENTS]; /* by enum note_segment, with gs's again */
	uint16_t selector[NOTE_SEGMENTS];
	struct note_table gdt, idt;
};

/*
 * All CPU notes of the dump in file order; the n-th QEMU note belongs to the n-th PRSTATUS
 * (QEMU, dump/dump.c: both loops run over the CPUs in the same order). *ret_notes is owned by the
 * caller (free()). Notes that are too short are passed over.
 */
__attribute__((warn_unused_result)) struct err *
cpu_notes_read(const struct dump_info *info, struct cpu_note **ret_notes, size_t *ret_count);

/*
 * The registers of a PRSTATUS note's descriptor: struct elf_prstatus (include/linux/elfcore.h),
 * whose pr_pid is at 32 and pr_reg at 112. False if @len is too short.
 */
bool prstatus_decode(const void *desc, size_t len, uint32_t *ret_pid, struct regs *ret);

/* The other way: appends a PRSTATUS note of @note's pid and regs, and a QEMU note of the rest,
 * which has kernel_gs_base only if that is known. */
void cpu_note_add_prstatus(const struct cpu_note *note, struct buf *out);
void cpu_note_add_qemu(const struct cpu_note *note, struct buf *out);

#endif
