// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/tasks/cpu_threads.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "arch/address.h"
#include "arch/arch.h"
#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/dump/dump.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/arch.h"
#include "vmcore/kernel/tasks/cpu_notes.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/tasks.h"

enum {
	NOTES_TID = IDLE_TID + 100000, /* CPUs have numbers up to 8191 */
	NOTES_MAX = 8192,
};

static struct task bare_task(void)
{
	return (struct task){ .cpu = -1, .state = '?', .on_cpu = true, .bare = true, .note = -1 };
}

static void name_task(struct task *t, const char *what, size_t number)
{
	snprintf(t->comm, sizeof(t->comm), "%s %" PRIu16, what, (uint16_t)number);
}

/*
 * Whether the stack of the task at @task begins at @low: with thread_info, whose first member
 * points to the task (until 4.8), or with the mark of the stack's end (include/uapi/linux/magic.h).
 */
static bool begins_stack(const struct kernel *k, uint64_t low, uint64_t task)
{
	enum { STACK_END_MAGIC = 0x57ac6e9d };
	uint64_t word;
	struct err *e = kernel_read_u64(k, low, &word);
	bool yes = !e && (word == task || word == STACK_END_MAGIC);
	err_free(e);
	return yes;
}

/*
 * The stack of the task at @address: one of its first members is the stack's lowest address. 0 if
 * none that can be is one, or more than one.
 */
static uint64_t stack_of(const struct kernel *k, uint64_t address, uint64_t stack_size)
{
	enum { FIRST_MEMBERS = 128 /* thread_info, state, stack */ };
	unsigned char bytes[FIRST_MEMBERS];
	uint64_t found = 0;
	struct err *e = kernel_read(k, address, bytes, sizeof(bytes));
	for (size_t at = 0; !e && at < sizeof(bytes); at += 8) {
		uint64_t word = get_u64(bytes + at);
		if (!is_kernel_address(word) || word & (stack_size - 1) || word == found ||
		    !begins_stack(k, word, address))
			continue;
		if (found)
			return 0;
		found = word;
	}
	err_free(e);
	return found;
}

/*
 * What the note's registers tell. While a CPU switches, current_task may be the one before: it is
 * believed only if sp is on its stack, or on one of the CPU that tasks do not switch on.
 */
static void settle(const struct kernel *k, const struct cpu *cpu, const struct cpu_note *note,
		   struct task *t)
{
	uint64_t size = tasks_stack_size(k), sp = regs_sp(&note->regs);
	if (note->from_qemu && !kernel_arch(k)->tasks->note_root(k, note, &t->user_root))
		t->user_root = 0;
	if (t->address && size)
		t->stack = stack_of(k, t->address, size);
	if (regs_user_mode(&note->regs))
		return;
	const struct cpu_stack *stack = cpu ? cpu_stack_at(cpu, sp) : NULL;
	if (stack || (t->stack && sp - t->stack <= size))
		return;
	t->address = 0;
	t->block = size ? sp & ~(size - 1) : 0;
}

struct notes {
	const struct cpu_note *list;
	size_t count;
	bool *taken; /* some CPU's */
};

/* The one note that nobody has taken and that was on the stack of the task that @cpu ran; -1 if
 * that is none, or more than one. */
static int note_on_stack(const struct kernel *k, const struct cpu *cpu, const struct notes *notes)
{
	uint64_t size = tasks_stack_size(k);
	uint64_t low = cpu->curr && size ? stack_of(k, cpu->curr, size) : 0;
	int found = -1;
	for (size_t i = 0; low && i < notes->count; i++) {
		uint64_t sp = regs_sp(&notes->list[i].regs);
		if (notes->taken[i] || sp - low > size)
			continue;
		if (found >= 0)
			return -1;
		found = (int)i;
	}
	return found;
}

static struct task cpu_task(const struct kernel *k, const struct cpu *cpu,
			    const struct cpu_state *state, struct notes *notes)
{
	struct task t = bare_task();
	t.tid = IDLE_TID + cpu->number;
	t.cpu = (int)cpu->number;
	name_task(&t, "CPU", cpu->number);
	if (!state->found && !state->guest)
		t.note = note_on_stack(k, cpu, notes);
	if (t.note >= 0)
		notes->taken[t.note] = true;
	if (!state->found && t.note < 0)
		return t;
	t.address = cpu->curr;
	settle(k, cpu, state->found ? &state->note : &notes->list[t.note], &t);
	return t;
}

static struct task note_task(const struct kernel *k, const struct cpu_note *note, size_t number)
{
	struct task t = bare_task();
	t.tid = NOTES_TID + (uint32_t)number;
	t.note = (int)number;
	name_task(&t, "CPU note", number);
	settle(k, NULL, note, &t);
	return t;
}

static bool same_note(const struct cpu_note *a, const struct cpu_note *b)
{
	return regs_sp(&a->regs) == regs_sp(&b->regs) && regs_pc(&a->regs) == regs_pc(&b->regs);
}

/* Marks the notes of guests, and those that are a CPU's already. What the kernel has saved in
 * memory is among the dump's notes, too. */
static void mark_taken(const struct kernel *k, const struct cpus *cpus,
		       const struct cpu_state *states, struct notes *notes)
{
	uint64_t root;
	for (size_t i = 0; i < notes->count; i++) {
		const struct cpu_note *note = &notes->list[i];
		notes->taken[i] =
			note->from_qemu && !kernel_arch(k)->tasks->note_root(k, note, &root);
		for (size_t c = 0; !notes->taken[i] && c < cpus->count; c++)
			notes->taken[i] = states[c].found && same_note(&states[c].note, note);
	}
}

static size_t list_threads(const struct kernel *k, const struct cpus *cpus,
			   const struct cpu_state *states, struct notes *notes, struct task *list)
{
	size_t count = 0;
	mark_taken(k, cpus, states, notes);
	for (size_t i = 0; i < cpus->count; i++) {
		const struct cpu *cpu = &cpus->list[i];
		if (states[i].found || (cpu->online && cpu->offset))
			list[count++] = cpu_task(k, cpu, &states[i], notes);
	}
	for (size_t i = 0; i < notes->count; i++)
		if (!notes->taken[i])
			list[count++] = note_task(k, &notes->list[i], i);
	/* Somebody has to be selected. */
	if (!count) {
		list[count] = bare_task();
		list[count].tid = IDLE_TID;
		name_task(&list[count++], "CPU", 0);
	}
	return count;
}

struct err *cpu_threads_read(struct kernel *k, const struct cpus *cpus, struct task **ret_list,
			     size_t *ret_count)
{
	const struct tasks none = { 0 };
	const struct dump_info *info = dump_info(kernel_dump(k));
	struct cpu_state *states = NULL;
	struct guest_notes guests = { 0 };
	struct cpu_note *list = NULL;
	struct task *threads = NULL;
	struct notes notes = { 0 };
	struct err *e = cpu_notes_match(k, cpus, &none, &states, &guests);
	if (!e && !info->running)
		e = cpu_notes_read(info, &list, &notes.count);
	notes.list = list;
	if (notes.count > NOTES_MAX)
		notes.count = NOTES_MAX;
	if (!e) {
		threads = calloc(cpus->count + notes.count + 1, sizeof(*threads));
		notes.taken = calloc(notes.count + 1, sizeof(*notes.taken));
		e = threads && notes.taken ? NULL : err_nomem();
	}
	if (!e) {
		*ret_count = list_threads(k, cpus, states, &notes, threads);
		*ret_list = threads;
		threads = NULL;
	}
	free(threads);
	free(notes.taken);
	free(list);
	free(guests.list);
	free(states);
	return e;
}
