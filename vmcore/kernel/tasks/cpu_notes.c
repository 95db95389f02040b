// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/tasks/cpu_notes.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/dump/arch.h"
#include "vmcore/dump/dump.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/arch.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/tasks.h"

/* A note as crash_save_cpu() writes it (kernel/kexec_core.c): header, "CORE" padded to 8, prstatus.
 */
enum { NOTE_HEADER = sizeof(Elf64_Nhdr), NOTE_NAME = 8, PRSTATUS_MAX = 512 };

static bool saved_note(const struct kernel *k, const struct cpu *cpu, uint64_t crash_notes,
		       struct cpu_note *ret)
{
	const struct dump_arch *arch = kernel_arch(k)->dump;
	unsigned char bytes[NOTE_HEADER + NOTE_NAME + PRSTATUS_MAX];
	struct err *e = kernel_read(k, crash_notes + cpu->offset, bytes,
				    NOTE_HEADER + NOTE_NAME + arch->prstatus_bytes);
	if (e) {
		log_debug(LOG_TASKS, "CPU %u: its crash note: %s", cpu->number, err_msg(e));
		err_free(e);
		return false;
	}
	/* All zero on a CPU that did not answer, and on every one if there was no kexec. */
	return get_u32(bytes) == sizeof("CORE") && get_u32(bytes + 4) == arch->prstatus_bytes &&
	       get_u32(bytes + 8) == NT_PRSTATUS && !memcmp(bytes + NOTE_HEADER, "CORE", 5) &&
	       arch->prstatus_decode(bytes + NOTE_HEADER + NOTE_NAME, arch->prstatus_bytes,
				     &ret->pid, &ret->regs);
}

bool cpu_notes_saved(const struct kernel *k, const struct cpu *cpu, struct cpu_note *ret)
{
	uint64_t crash_notes;
	if (!kernel_symbol(k, "crash_notes", &crash_notes))
		return false;
	/* A pointer to per-CPU memory. */
	struct err *e = kernel_read_u64(k, crash_notes, &crash_notes);
	bool known = !e && crash_notes;
	err_free(e);
	return known && saved_note(k, cpu, crash_notes, ret);
}

static bool on_stack_of(const struct cpu *cpu, const struct tasks *tasks, uint64_t sp)
{
	uint64_t n;
	if (cpu_stack_at(cpu, sp))
		return true;
	if (!tasks->stack_size || !map_get(&tasks->by_address, cpu->curr, &n))
		return false;
	const struct task *task = &tasks->list[n];
	return task->stack && sp - task->stack <= tasks->stack_size;
}

/*
 * Whether @note can only be @cpu's. A note of the kernel's own holds no gs of use and is known by
 * its stack, or by the PID of a task that runs. QEMU before 3.0 leaves kernel_gs_base out: in user
 * mode the process's address space tells.
 */
static bool belongs_to(const struct kernel *k, const struct cpu *cpu, const struct tasks *tasks,
		       const struct cpu_note *note)
{
	const struct tasks_arch *arch = kernel_arch(k)->tasks;
	uint64_t n;
	if (arch->note_is_of(cpu, note) || on_stack_of(cpu, tasks, regs_sp(&note->regs)))
		return true;
	if (!map_get(&tasks->by_address, cpu->curr, &n))
		return false;
	if (!note->from_qemu)
		return note->pid && tasks->list[n].tid == note->pid;
	return regs_user_mode(&note->regs) && arch->note_has_mm(k, note, tasks->list[n].mm);
}

/* Gives @note to the one CPU that it can be of, if that has none yet. */
static bool match_note(const struct kernel *k, const struct cpus *cpus, const struct tasks *tasks,
		       const struct cpu_note *note, struct cpu_state *states)
{
	size_t owner = cpus->count, owners = 0;
	for (size_t c = 0; c < cpus->count; c++) {
		if (!belongs_to(k, &cpus->list[c], tasks, note))
			continue;
		owner = c;
		owners++;
	}
	if (owners != 1)
		log_debug(LOG_TASKS, "the note with its stack pointer 0x%" PRIx64 " fits %zu CPUs",
			  regs_sp(&note->regs), owners);
	if (owners != 1 || states[owner].found)
		return false;
	states[owner] = (struct cpu_state){ .found = true, .note = *note };
	return true;
}

/*
 * Of a CPU without a note: what the kernel saved for it when it went down, which says more than
 * that the CPU was in somebody else's address space since. True if there is any such copy: then
 * whose CR3 is not this kernel's runs the kernel that saves the dump. KVM's guests end before
 * (machine_crash_shutdown(), arch/x86/kernel/crash.c).
 */
static bool take_saved_notes(const struct kernel *k, const struct cpus *cpus,
			     struct cpu_state *states)
{
	bool any = false;
	for (size_t c = 0; c < cpus->count; c++) {
		struct cpu_note saved = { 0 };
		if (!cpu_notes_saved(k, &cpus->list[c], &saved))
			continue;
		any = true;
		if (!states[c].found)
			states[c] = (struct cpu_state){ .found = true, .note = saved };
	}
	return any;
}

/*
 * A note whose CR3 is none of this kernel's holds the registers of a guest, however well its stack
 * may seem to fit: guests run the same kernels. Which CPU ran it may show by gs, which not every
 * guest has loaded; else it was one of those that have no note.
 */
static void match_dump_notes(const struct kernel *k, const struct cpus *cpus,
			     const struct tasks *tasks, const struct cpu_note *notes, size_t count,
			     struct cpu_state *states, struct guest_notes *guests)
{
	const struct tasks_arch *arch = kernel_arch(k)->tasks;
	bool guest_somewhere = false;
	guests->total = count;
	guests->complete = true;
	for (size_t i = 0; i < count; i++) {
		if (!notes[i].from_qemu || arch->note_is_kernels(k, cpus, tasks, &notes[i])) {
			guests->complete &= match_note(k, cpus, tasks, &notes[i], states);
			continue;
		}
		bool known = false;
		guests->list[guests->count++] = notes[i];
		for (size_t c = 0; c < cpus->count; c++) {
			if (!arch->note_is_of(&cpus->list[c], &notes[i]))
				continue;
			states[c].guest = true;
			known = true;
		}
		guest_somewhere |= !known;
	}
	if (take_saved_notes(k, cpus, states))
		guests->count = 0;
	for (size_t c = 0; c < cpus->count; c++) {
		/* The idle task runs no guest: a CPU that was never started has no CR3 either. */
		bool idle = !cpus->list[c].curr || cpus->list[c].curr == cpus->list[c].idle;
		states[c].guest = !states[c].found && !idle && (states[c].guest || guest_somewhere);
	}
}

struct err *cpu_notes_match(struct kernel *k, const struct cpus *cpus, const struct tasks *tasks,
			    struct cpu_state **ret, struct guest_notes *ret_guests)
{
	struct guest_notes guests = { 0 };
	struct cpu_state *states = calloc(cpus->count + 1, sizeof(*states));
	struct cpu_note *notes;
	size_t count;
	if (!states)
		return err_nomem();
	/* The notes of /proc/kcore are about who opened it, and crash_notes about a crash that did
	 * not happen yet. */
	if (dump_info(kernel_dump(k))->running) {
		*ret = states;
		*ret_guests = guests;
		return NULL;
	}
	struct err *e = cpu_notes_read(dump_info(kernel_dump(k)), &notes, &count);
	if (e) {
		free(states);
		return e;
	}
	guests.list = calloc(count + 1, sizeof(*guests.list));
	if (!guests.list) {
		free(notes);
		free(states);
		return err_nomem();
	}
	/* QEMU's notes are of the moment of the dump, which is later, and come first. */
	if (!count || !notes[0].from_qemu)
		take_saved_notes(k, cpus, states);
	match_dump_notes(k, cpus, tasks, notes, count, states, &guests);
	free(notes);
	*ret = states;
	*ret_guests = guests;
	return NULL;
}
