// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/system_regs.h"

#include "arch/x86_64/dump/notes.h"
#include "base/err.h"
#include "vmcore/guest/x86/guest_regs.h"
#include "vmcore/kernel/tasks/registers.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/vmcore.h"

static void set(struct system_regs *r, enum system_reg reg, uint64_t value)
{
	r->value[reg] = value;
	r->known[reg] = true;
}

static void set_table(struct system_regs *r, enum system_reg base, enum system_reg limit,
		      const uint64_t *table)
{
	if (!table[TABLE_KNOWN])
		return;
	set(r, base, table[TABLE_BASE]);
	set(r, limit, table[TABLE_LIMIT]);
}

/* EFER is in no note (QEMU, target/i386/arch_dump.c, QEMUX86CPUState). */
static void take_note(const struct cpu_note *note, struct system_regs *r)
{
	set(r, SYSTEM_CR0, note->system[NOTE_CR0]);
	set(r, SYSTEM_CR2, note->system[NOTE_CR2]);
	set(r, SYSTEM_CR3, note->system[NOTE_CR3]);
	set(r, SYSTEM_CR4, note->system[NOTE_CR4]);
	set_table(r, SYSTEM_GDTR, SYSTEM_GDTR_LIMIT, &note->system[NOTE_GDT]);
	set_table(r, SYSTEM_IDTR, SYSTEM_IDTR_LIMIT, &note->system[NOTE_IDT]);
	r->why = "QEMU does not write it down";
}

struct err *system_regs_of_task(const struct vmcore *h, const struct task *task,
				struct system_regs *ret)
{
	const struct first_regs *first;
	struct system_regs r = { 0 };
	struct err *e = registers_get(h->registers, task, &first);
	if (e)
		return e;
	/* The same CPU's note is where the thread's own registers are from. */
	bool noted = first->from == REGS_NOTE || first->from == REGS_USER;
	const struct cpu_note *note =
		noted && task->cpu >= 0 ? registers_note(h->registers, (unsigned)task->cpu) : NULL;
	if (note && note->from_qemu)
		take_note(note, &r);
	else if (noted)
		r.why = "the note of the thread's CPU is the kernel's own, which has general "
			"registers alone";
	else if (first->from == REGS_UNKNOWN)
		r.why = first->why ? first->why : "the thread's registers are not known";
	else if (first->from == REGS_FOUND)
		r.why = "the CPU was inside a guest, and its note holds the guest's";
	else
		r.why = "the thread was on no CPU";
	*ret = r;
	return NULL;
}

void system_regs_of_guest(const struct guest_regs *guest, struct system_regs *ret)
{
	static const enum guest_reg of[SYSTEM_REGS] = {
		[SYSTEM_CR0] = GUEST_CR0,
		[SYSTEM_CR2] = GUEST_CR2,
		[SYSTEM_CR3] = GUEST_CR3,
		[SYSTEM_CR4] = GUEST_CR4,
		[SYSTEM_EFER] = GUEST_EFER,
		[SYSTEM_GDTR] = GUEST_GDTR,
		[SYSTEM_IDTR] = GUEST_IDTR,
		[SYSTEM_GDTR_LIMIT] = GUEST_GDTR_LIMIT,
		[SYSTEM_IDTR_LIMIT] = GUEST_IDTR_LIMIT,
	};
	struct system_regs r = { 0 };
	for (unsigned i = 0; i < SYSTEM_REGS; i++) {
		const struct guest_value *v = &guest->value[of[i]];
		if (v->known && !guest->is_encrypted)
			set(&r, i, v->value);
	}
	r.why = guest->is_encrypted ? "the guest's registers are encrypted"
		: guest->all_stale  ? guest->why_stale
				    : "KVM keeps no value of it, or an old one";
	*ret = r;
}

const char *system_reg_name(enum system_reg reg)
{
	static const char *const names[SYSTEM_REGS] = {
		"cr0", "cr2", "cr3", "cr4", "efer", "gdtr", "gdtr_limit", "idtr", "idtr_limit",
	};
	return names[reg];
}
