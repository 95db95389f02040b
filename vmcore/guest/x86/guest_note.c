// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/guest/x86/guest_note.h"

#include "arch/x86_64/base/regs.h"
#include "arch/x86_64/dump/notes.h"
#include "vmcore/guest/x86/guest_regs.h"

static const struct {
	enum reg reg;
	enum guest_reg guest;
} general[] = {
	{ REG_RAX, GUEST_RAX },		{ REG_RBX, GUEST_RBX },
	{ REG_RCX, GUEST_RCX },		{ REG_RDX, GUEST_RDX },
	{ REG_RSI, GUEST_RSI },		{ REG_RDI, GUEST_RDI },
	{ REG_RBP, GUEST_RBP },		{ REG_RSP, GUEST_RSP },
	{ REG_R8, GUEST_R8 },		{ REG_R9, GUEST_R9 },
	{ REG_R10, GUEST_R10 },		{ REG_R11, GUEST_R11 },
	{ REG_R12, GUEST_R12 },		{ REG_R13, GUEST_R13 },
	{ REG_R14, GUEST_R14 },		{ REG_R15, GUEST_R15 },
	{ REG_RIP, GUEST_RIP },		{ REG_EFLAGS, GUEST_RFLAGS },
	{ REG_CS, GUEST_CS },		{ REG_SS, GUEST_SS },
	{ REG_DS, GUEST_DS },		{ REG_ES, GUEST_ES },
	{ REG_FS, GUEST_FS },		{ REG_GS, GUEST_GS },
	{ REG_FS_BASE, GUEST_FS_BASE }, { REG_GS_BASE, GUEST_GS_BASE },
};

static void fill_table(const struct guest_regs *r, enum guest_reg base, enum guest_reg limit,
		       uint64_t *table)
{
	if (!r->value[base].known || !r->value[limit].known)
		return;
	table[TABLE_KNOWN] = true;
	table[TABLE_BASE] = r->value[base].value;
	table[TABLE_LIMIT] = (uint16_t)r->value[limit].value;
}

void guest_regs_general(const struct guest_regs *r, struct regs *ret)
{
	*ret = (struct regs){ .arch = &x86_64_regs };
	if (r->is_encrypted)
		return;
	for (size_t i = 0; i < sizeof(general) / sizeof(*general); i++)
		if (r->value[general[i].guest].known)
			regs_set(ret, general[i].reg, r->value[general[i].guest].value);
}

/* A note cannot say that something is unknown: false unless all that it has to say is known. */
bool guest_note_fill(const struct guest_regs *r, struct cpu_note *note)
{
	static const enum guest_reg control[5] = { GUEST_CR0, GUEST_REGS, GUEST_CR2, GUEST_CR3,
						   GUEST_CR4 };
	static const enum guest_reg selectors[SEGMENTS] = {
		[SEGMENT_CS] = GUEST_CS, [SEGMENT_DS] = GUEST_DS, [SEGMENT_ES] = GUEST_ES,
		[SEGMENT_FS] = GUEST_FS, [SEGMENT_GS] = GUEST_GS, [SEGMENT_SS] = GUEST_SS,
	};
	note->regs.arch = &x86_64_regs;
	for (size_t i = 0; i < sizeof(general) / sizeof(*general); i++) {
		if (!r->value[general[i].guest].known)
			return false;
		regs_set(&note->regs, general[i].reg, r->value[general[i].guest].value);
	}
	for (unsigned i = 0; i < 5; i++) {
		if (control[i] == GUEST_REGS)
			continue;
		if (!r->value[control[i]].known)
			return false;
		note->system[NOTE_CR0 + i] = r->value[control[i]].value;
	}
	for (unsigned i = 0; i < SEGMENTS; i++)
		note->system[NOTE_SELECTOR + i] = (uint16_t)r->value[selectors[i]].value;
	fill_table(r, GUEST_GDTR, GUEST_GDTR_LIMIT, &note->system[NOTE_GDT]);
	fill_table(r, GUEST_IDTR, GUEST_IDTR_LIMIT, &note->system[NOTE_IDT]);
	note->system[NOTE_BASE + SEGMENT_FS] = r->value[GUEST_FS_BASE].value;
	note->system[NOTE_BASE + SEGMENT_GS] = r->value[GUEST_GS_BASE].value;
	note->system[NOTE_HAS_KERNEL_GS_BASE] = r->value[GUEST_KERNEL_GS_BASE].known;
	note->system[NOTE_KERNEL_GS_BASE] = r->value[GUEST_KERNEL_GS_BASE].value;
	return true;
}

void guest_regs_tables(const struct guest_regs *r, uint64_t *ret, bool *ret_known)
{
	*ret = r->value[GUEST_CR3].value;
	*ret_known = r->value[GUEST_CR3].known;
}

void guest_note_add(const struct cpu_note *note, struct buf *prstatus, struct buf *qemu)
{
	cpu_note_add_prstatus(note, prstatus);
	cpu_note_add_qemu(note, qemu);
}
