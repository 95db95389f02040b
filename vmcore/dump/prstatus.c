// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/dump/prstatus.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/base/regs.h"
#include "arch/x86_64/unwind/pt_regs.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/dump/dump.h"

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

bool prstatus_decode(const void *desc, size_t len, uint32_t *ret_pid, struct regs *ret)
{
	if (len < PR_REG + 8 * USER_REGS_WORDS)
		return false;
	*ret_pid = get_u32((const unsigned char *)desc + PR_PID);
	pt_regs_decode((const unsigned char *)desc + PR_REG, USER_REGS_WORDS, ret);
	return true;
}

static struct note_table table_decode(const uint8_t *segment)
{
	uint64_t base = get_u64(segment + QEMU_SEGMENT_BASE);
	uint32_t limit = get_u32(segment + QEMU_SEGMENT_LIMIT);
	return (struct note_table){ base || limit, base, (uint16_t)limit };
}

static void table_encode(const struct note_table *table, unsigned char *segment)
{
	put_u32(segment + QEMU_SEGMENT_LIMIT, table->limit);
	put_u64(segment + QEMU_SEGMENT_BASE, table->base);
}

static void qemu_decode(const struct dump_note *note, struct cpu_note *ret)
{
	const uint8_t *p = note->desc;
	if (note->len < QEMU_KERNEL_GS_BASE || get_u32(p) != QEMU_VERSION)
		return;
	const uint8_t *segments = p + QEMU_SEGMENTS;
	ret->from_qemu = true;
	for (unsigned i = 0; i < 5; i++)
		ret->cr[i] = get_u64(p + QEMU_CR + 8 * i);
	ret->gs_base = get_u64(segments + QEMU_GS * QEMU_SEGMENT_BYTES + QEMU_SEGMENT_BASE);
	ret->gdt = table_decode(segments + QEMU_GDT * QEMU_SEGMENT_BYTES);
	ret->idt = table_decode(segments + QEMU_IDT * QEMU_SEGMENT_BYTES);
	for (unsigned i = 0; i < NOTE_SEGMENTS; i++) {
		const uint8_t *segment = segments + i * QEMU_SEGMENT_BYTES;
		ret->selector[i] = (uint16_t)get_u32(segment);
		ret->base[i] = get_u64(segment + QEMU_SEGMENT_BASE);
	}
	ret->has_kernel_gs_base = note->len >= QEMU_KERNEL_GS_BASE + 8;
	if (ret->has_kernel_gs_base)
		ret->kernel_gs_base = get_u64(p + QEMU_KERNEL_GS_BASE);
}

struct err *cpu_notes_read(const struct dump_info *info, struct cpu_note **ret_notes,
			   size_t *ret_count)
{
	struct cpu_note *notes = calloc(info->note_count + 1, sizeof(*notes));
	size_t count = 0, qemu = 0;
	if (!notes)
		return err_nomem();
	for (size_t i = 0; i < info->note_count; i++) {
		const struct dump_note *n = &info->notes[i];
		if (!strcmp(n->name, "CORE") && n->type == NT_PRSTATUS &&
		    prstatus_decode(n->desc, n->len, &notes[count].pid, &notes[count].regs))
			count++;
	}
	/* One that cannot be decoded still takes its place in the order. */
	for (size_t i = 0; i < info->note_count && qemu < count; i++)
		if (!strcmp(info->notes[i].name, "QEMU"))
			qemu_decode(&info->notes[i], &notes[qemu++]);
	*ret_notes = notes;
	*ret_count = count;
	return NULL;
}

/* ---- writing ---- */

/* Names of up to seven bytes, descriptors of whole words. */
static void add_note(struct buf *out, const char *name, uint32_t type, const void *desc, size_t len)
{
	unsigned char header[sizeof(Elf64_Nhdr) + 8] = { 0 };
	size_t name_len = strlen(name) + 1;
	put_u32(header, (uint32_t)name_len);
	put_u32(header + 4, (uint32_t)len);
	put_u32(header + 8, type);
	memcpy(header + sizeof(Elf64_Nhdr), name, name_len);
	buf_add(out, header, sizeof(header));
	buf_add(out, desc, len);
}

void cpu_note_add_prstatus(const struct cpu_note *note, struct buf *out)
{
	unsigned char desc[PRSTATUS_BYTES] = { 0 };
	put_u32(desc + PR_PID, note->pid);
	for (unsigned i = 0; i < USER_REGS_WORDS; i++)
		put_u64(desc + PR_REG + 8 * i, note->regs.value[pt_regs_order[i]]);
	add_note(out, "CORE", NT_PRSTATUS, desc, sizeof(desc));
}

void cpu_note_add_qemu(const struct cpu_note *note, struct buf *out)
{
	static const enum reg order[18] = {
		REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RSP, REG_RBP, REG_R8,
		REG_R9,	 REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP, REG_EFLAGS,
	};
	unsigned char desc[QEMU_KERNEL_GS_BASE + 8] = { 0 };
	size_t len = note->has_kernel_gs_base ? sizeof(desc) : QEMU_KERNEL_GS_BASE;
	put_u32(desc, QEMU_VERSION);
	put_u32(desc + 4, (uint32_t)len);
	for (unsigned i = 0; i < 18; i++)
		put_u64(desc + 8 + 8 * i, note->regs.value[order[i]]);
	for (unsigned i = 0; i < NOTE_SEGMENTS; i++) {
		unsigned char *segment = desc + QEMU_SEGMENTS + i * QEMU_SEGMENT_BYTES;
		put_u32(segment, note->selector[i]);
		put_u64(segment + QEMU_SEGMENT_BASE, note->base[i]);
	}
	table_encode(&note->gdt, desc + QEMU_SEGMENTS + QEMU_GDT * QEMU_SEGMENT_BYTES);
	table_encode(&note->idt, desc + QEMU_SEGMENTS + QEMU_IDT * QEMU_SEGMENT_BYTES);
	for (unsigned i = 0; i < 5; i++)
		put_u64(desc + QEMU_CR + 8 * i, note->cr[i]);
	if (note->has_kernel_gs_base)
		put_u64(desc + QEMU_KERNEL_GS_BASE, note->kernel_gs_base);
	add_note(out, "QEMU", 0, desc, len);
}
