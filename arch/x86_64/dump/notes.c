// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/dump/notes.h"

#include <elf.h>
#include <string.h>

#include "arch/x86_64/unwind/pt_regs.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "vmcore/dump/arch.h"

_Static_assert((int)NOTE_WORDS <= (int)NOTE_SYSTEM_MAX, "struct cpu_note has room for all");

enum { PR_PID = 32, PR_REG = 112, PRSTATUS_BYTES = 336 };

/*
 * QEMUX86CPUState (QEMU, target/i386/arch_dump.c): version and size, 18 registers, ten segments
 * (selector, limit, flags, padding, base) in the order cs ds es fs gs ss ldt tr gdt idt, cr0-cr4,
 * and in newer versions kernel_gs_base.
 */
enum {
	QEMU_VERSION = 1,
	QEMU_SEGMENTS = 8 + 18 * 8,
	QEMU_SEGMENT_BYTES = 24,
	QEMU_SEGMENT_LIMIT = 4,
	QEMU_SEGMENT_BASE = 16,
	QEMU_GS = 4,
	QEMU_GDT = 8,
	QEMU_IDT = 9,
	QEMU_CR = QEMU_SEGMENTS + 10 * QEMU_SEGMENT_BYTES,
	QEMU_KERNEL_GS_BASE = QEMU_CR + 5 * 8,
};

static bool prstatus_decode(const void *desc, size_t len, uint32_t *ret_pid, struct regs *ret)
{
	if (len < PR_REG + 8 * USER_REGS_WORDS)
		return false;
	*ret_pid = get_u32((const unsigned char *)desc + PR_PID);
	pt_regs_decode((const unsigned char *)desc + PR_REG, USER_REGS_WORDS, ret);
	return true;
}

static void table_decode(const uint8_t *segment, uint64_t *table)
{
	table[TABLE_BASE] = get_u64(segment + QEMU_SEGMENT_BASE);
	table[TABLE_LIMIT] = (uint16_t)get_u32(segment + QEMU_SEGMENT_LIMIT);
	table[TABLE_KNOWN] =
		get_u64(segment + QEMU_SEGMENT_BASE) || get_u32(segment + QEMU_SEGMENT_LIMIT);
}

static void table_encode(const uint64_t *table, unsigned char *segment)
{
	put_u32(segment + QEMU_SEGMENT_LIMIT, (uint16_t)table[TABLE_LIMIT]);
	put_u64(segment + QEMU_SEGMENT_BASE, table[TABLE_BASE]);
}

static void qemu_decode(const void *desc, size_t len, struct cpu_note *ret)
{
	const uint8_t *p = desc;
	uint64_t *system = ret->system;
	if (len < QEMU_KERNEL_GS_BASE || get_u32(p) != QEMU_VERSION)
		return;
	const uint8_t *segments = p + QEMU_SEGMENTS;
	ret->from_qemu = true;
	for (unsigned i = 0; i < 5; i++)
		system[NOTE_CR0 + i] = get_u64(p + QEMU_CR + 8 * i);
	system[NOTE_GS_NOW] = get_u64(segments + QEMU_GS * QEMU_SEGMENT_BYTES + QEMU_SEGMENT_BASE);
	table_decode(segments + QEMU_GDT * QEMU_SEGMENT_BYTES, &system[NOTE_GDT]);
	table_decode(segments + QEMU_IDT * QEMU_SEGMENT_BYTES, &system[NOTE_IDT]);
	for (unsigned i = 0; i < SEGMENTS; i++) {
		const uint8_t *segment = segments + i * QEMU_SEGMENT_BYTES;
		system[NOTE_SELECTOR + i] = (uint16_t)get_u32(segment);
		system[NOTE_BASE + i] = get_u64(segment + QEMU_SEGMENT_BASE);
	}
	system[NOTE_HAS_KERNEL_GS_BASE] = len >= QEMU_KERNEL_GS_BASE + 8;
	if (system[NOTE_HAS_KERNEL_GS_BASE])
		system[NOTE_KERNEL_GS_BASE] = get_u64(p + QEMU_KERNEL_GS_BASE);
}

const struct dump_arch x86_64_dump = {
	.prstatus_bytes = PRSTATUS_BYTES,
	.prstatus_decode = prstatus_decode,
	.qemu_decode = qemu_decode,
};

/* ---- writing ---- */

void cpu_note_add_prstatus(const struct cpu_note *note, struct buf *out)
{
	unsigned char desc[PRSTATUS_BYTES] = { 0 };
	put_u32(desc + PR_PID, note->pid);
	for (unsigned i = 0; i < USER_REGS_WORDS; i++)
		put_u64(desc + PR_REG + 8 * i, note->regs.value[pt_regs_order[i]]);
	cpu_note_add(out, "CORE", NT_PRSTATUS, desc, sizeof(desc));
}

void cpu_note_add_qemu(const struct cpu_note *note, struct buf *out)
{
	static const enum reg order[18] = {
		REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RSP, REG_RBP, REG_R8,
		REG_R9,	 REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP, REG_EFLAGS,
	};
	const uint64_t *system = note->system;
	unsigned char desc[QEMU_KERNEL_GS_BASE + 8] = { 0 };
	size_t len = system[NOTE_HAS_KERNEL_GS_BASE] ? sizeof(desc) : QEMU_KERNEL_GS_BASE;
	put_u32(desc, QEMU_VERSION);
	put_u32(desc + 4, (uint32_t)len);
	for (unsigned i = 0; i < 18; i++)
		put_u64(desc + 8 + 8 * i, note->regs.value[order[i]]);
	for (unsigned i = 0; i < SEGMENTS; i++) {
		unsigned char *segment = desc + QEMU_SEGMENTS + i * QEMU_SEGMENT_BYTES;
		put_u32(segment, (uint32_t)system[NOTE_SELECTOR + i]);
		put_u64(segment + QEMU_SEGMENT_BASE, system[NOTE_BASE + i]);
	}
	table_encode(&system[NOTE_GDT], desc + QEMU_SEGMENTS + QEMU_GDT * QEMU_SEGMENT_BYTES);
	table_encode(&system[NOTE_IDT], desc + QEMU_SEGMENTS + QEMU_IDT * QEMU_SEGMENT_BYTES);
	for (unsigned i = 0; i < 5; i++)
		put_u64(desc + QEMU_CR + 8 * i, system[NOTE_CR0 + i]);
	if (system[NOTE_HAS_KERNEL_GS_BASE])
		put_u64(desc + QEMU_KERNEL_GS_BASE, system[NOTE_KERNEL_GS_BASE]);
	cpu_note_add(out, "QEMU", 0, desc, len);
}
