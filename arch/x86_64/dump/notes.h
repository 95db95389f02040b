/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The notes of x86-64's CPUs. */
#ifndef ARCH_X86_64_DUMP_NOTES_H
#define ARCH_X86_64_DUMP_NOTES_H

#include "vmcore/dump/prstatus.h"

struct buf;

/* The order of QEMU's note. */
enum note_segment {
	SEGMENT_CS,
	SEGMENT_DS,
	SEGMENT_ES,
	SEGMENT_FS,
	SEGMENT_GS,
	SEGMENT_SS,
	SEGMENTS
};

/* Of a descriptor table, what GDTR or IDTR held; a note of zeros does not say. */
enum { TABLE_KNOWN, TABLE_BASE, TABLE_LIMIT /* its size in bytes, less 1 */, TABLE_WORDS };

/* cpu_note.system */
enum note_word {
	NOTE_CR0,
	NOTE_CR2 = NOTE_CR0 + 2, /* CR1 means nothing */
	NOTE_CR3,
	NOTE_CR4,
	NOTE_GS_NOW,		 /* the hidden base of gs */
	NOTE_HAS_KERNEL_GS_BASE, /* since QEMU 3.0; the next is 0 before */
	NOTE_KERNEL_GS_BASE,
	NOTE_GDT,
	NOTE_IDT = NOTE_GDT + TABLE_WORDS,
	NOTE_BASE = NOTE_IDT + TABLE_WORDS, /* by enum note_segment, with that of gs again */
	NOTE_SELECTOR = NOTE_BASE + SEGMENTS,
	NOTE_WORDS = NOTE_SELECTOR + SEGMENTS
};

extern const struct dump_arch x86_64_dump;

/* The other way: appends a PRSTATUS note of @note's pid and regs, and a QEMU note of the rest,
 * which has kernel_gs_base only if that is known. */
void cpu_note_add_prstatus(const struct cpu_note *note, struct buf *out);
void cpu_note_add_qemu(const struct cpu_note *note, struct buf *out);

#endif
