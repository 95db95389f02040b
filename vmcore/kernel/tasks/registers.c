// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/tasks/registers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/address.h"
#include "arch/arch.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/dump/dump.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/members.h"
#include "vmcore/kernel/tasks/arch.h"
#include "vmcore/kernel/tasks/cpu_notes.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/entry_code.h"
#include "vmcore/kernel/tasks/stack_copy.h"
#include "vmcore/kernel/tasks/task_stamp.h"
#include "vmcore/kernel/tasks/tasks.h"

enum {
	LIVE_ATTEMPTS = 4, /* to read a task that keeps being switched */
};

struct registers {
	struct kernel *k; /* borrowed, like the next two */
	const struct cpus *cpus;
	const struct tasks *tasks;
	struct cpu_state *states; /* owned; by index of cpus */
	struct guest_notes guests;
	struct switch_layout *layout; /* owned */
	struct task_stamp_layout stamps;
	struct first_regs **done; /* owned; by index of tasks, NULL until asked for */
	size_t done_count;
	bool (*entry)(void *closure, const struct task *task, const struct cpu *cpu,
		      struct regs *ret);
	void *entry_closure;
	bool (*has_guests)(void *closure);
	void *has_guests_closure;
};

/* ---- a task that is switched out ---- */

__attribute__((format(printf, 2, 3))) static struct err *unknown(struct first_regs *f,
								 const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&f->why, fmt, ap) < 0)
		f->why = NULL;
	va_end(ap);
	f->from = REGS_UNKNOWN;
	f->regs.known = 0;
	return f->why ? NULL : err_nomem();
}

/* Where types are not known, and it is not proven. */
static struct err *no_member(const struct registers *r, enum kernel_member which,
			     struct first_regs *f)
{
	struct member m;
	struct err *e = kernel_need_member(r->k, which, &m);
	struct err *result = unknown(f, "%s", e ? err_msg(e) : "it changed meanwhile");
	err_free(e);
	return result;
}

/* thread.sp is 0 or could not be read; which of them is asked again, for the reason. */
static struct err *no_saved_sp(const struct registers *r, const struct task *task,
			       struct first_regs *f)
{
	uint64_t sp;
	struct err *e = kernel_read_path(r->k, task->address, "task_struct", "thread.sp", &sp);
	if (!e)
		return unknown(f, "thread.sp is 0");
	struct err *result = unknown(f, "%s", err_msg(e));
	err_free(e);
	return result;
}

/* @copy: of its stack, or NULL to read that. */
static struct err *from_switch(const struct registers *r, const struct task *task,
			       const struct stack_copy *copy, struct first_regs *f)
{
	const struct tasks_arch *arch = kernel_arch(r->k)->tasks;
	unsigned char frame[SWITCH_BYTES_MAX];
	size_t len = arch->switch_bytes(r->layout);
	if (!kernel_has_member(r->k, K_TASK_STACK))
		return no_member(r, K_TASK_STACK, f);
	if (!task->stack)
		return unknown(f, "the task has ended and has no stack any more");
	if (!r->tasks->stack_size)
		return unknown(f, "the size of kernel stacks is unknown");
	if (!task->sp)
		return no_saved_sp(r, task, f);
	if (task->sp < task->stack || task->sp - task->stack > r->tasks->stack_size - len)
		return unknown(
			f, "thread.sp 0x%" PRIx64 " does not lie on the task's stack at 0x%" PRIx64,
			task->sp, task->stack);
	struct err *e = NULL;
	if (!copy || !stack_copy_read(copy, task->sp, frame, len))
		e = kernel_read(r->k, task->sp, frame, len);
	if (e) {
		struct err *result = unknown(f, "the switch frame cannot be read: %s", err_msg(e));
		err_free(e);
		return result;
	}
	if (!arch->switch_registers(r->k, r->layout, task, frame, &f->regs))
		return unknown(f, "where __schedule goes on after the switch is not known");
	f->from = REGS_SWITCH;
	return NULL;
}

/* ---- a task that runs ---- */

/* In the page below one of the stacks, which is not mapped: somebody has run over the stack's end.
 */
static bool in_guard_page(const struct registers *r, const struct task *task, const struct cpu *cpu,
			  uint64_t sp)
{
	uint64_t above = (sp | (PAGE_SIZE - 1)) + 1;
	const struct cpu_stack *stack = cpu_stack_at(cpu, above);
	struct vtop vtop;
	if (above != task->stack && (!stack || stack->low != above))
		return false;
	struct err *e = memory_vtop(kernel_memory(r->k), kernel_space(r->k), sp, &vtop);
	bool mapped = !e || err_code(e) != ERR_NOTPRESENT;
	err_free(e);
	return !mapped;
}

static bool on_own_stack(const struct registers *r, const struct task *task, const struct cpu *cpu,
			 uint64_t sp)
{
	return cpu_stack_at(cpu, sp) || (task->stack && sp - task->stack <= r->tasks->stack_size) ||
	       in_guard_page(r, task, cpu, sp);
}

static void take_note(const struct registers *r, const struct cpu_note *note, struct first_regs *f)
{
	const struct tasks_arch *arch = kernel_arch(r->k)->tasks;
	bool user = regs_user_mode(&note->regs);
	f->regs = note->regs;
	f->from = user ? REGS_USER : REGS_NOTE;
	if (!user && !note->from_qemu && arch->forget_untrue)
		arch->forget_untrue(&f->regs);
}

static struct err *from_note(const struct registers *r, const struct task *task,
			     const struct cpu *cpu, const struct cpu_note *note,
			     struct first_regs *f)
{
	bool user = regs_user_mode(&note->regs);
	if (user && (!is_user_address(regs_pc(&note->regs)) ||
		     (!task->mm && kernel_has_member(r->k, K_TASK_MM))))
		return unknown(f,
			       "the CPU's note says user mode at 0x%" PRIx64
			       ", where this task has no memory",
			       regs_pc(&note->regs));
	/* A system call's first and last instructions have the user's sp. The note was known to be
	 * this CPU's by gs, or lies in its own memory. */
	if (!user && !on_own_stack(r, task, cpu, regs_sp(&note->regs)) &&
	    !entry_code_is(r->k, regs_pc(&note->regs)))
		return unknown(
			f, "%s 0x%" PRIx64 " of the CPU's note is on no stack of this task or CPU",
			regs_name(&note->regs, note->regs.arch->sp), regs_sp(&note->regs));
	take_note(r, note, f);
	return NULL;
}

/* Of a task of which nothing is known but that a CPU ran it whose number is not known either. */
static struct err *from_note_alone(const struct registers *r, const struct task *task,
				   struct first_regs *f)
{
	struct cpu_note *notes;
	size_t count;
	struct err *e = cpu_notes_read(dump_info(kernel_dump(r->k)), &notes, &count);
	if (e)
		return e;
	if ((size_t)task->note < count)
		take_note(r, &notes[task->note], f);
	else
		e = unknown(f, "the dump has that note no longer");
	free(notes);
	return e;
}

static struct err *from_cpu(const struct registers *r, const struct task *task,
			    struct first_regs *f)
{
	const struct cpu *cpu = cpus_find(r->cpus, (unsigned)task->cpu);
	if (!cpu)
		return unknown(f, "the task runs on a CPU that is not known");
	const struct cpu_state *state = &r->states[cpu - r->cpus->list];
	/* QEMU's note of a CPU that ran a guest of the dumped machine's KVM holds the guest's. */
	if (state->guest && r->entry && r->entry(r->entry_closure, task, cpu, &f->regs)) {
		f->from = REGS_FOUND;
		return NULL;
	}
	if (state->guest && r->has_guests && !r->has_guests(r->has_guests_closure))
		return unknown(f,
			       "CPU %u was in an address space that is none of this kernel's: its "
			       "note holds the registers of another kernel, or of firmware, not "
			       "the task's",
			       cpu->number);
	if (state->guest)
		return unknown(f,
			       "CPU %u was running a guest: its note holds the guest's registers, "
			       "not the task's",
			       cpu->number);
	if (!state->found)
		return unknown(f,
			       "the task was running on CPU %u, whose registers the dump has no "
			       "note of",
			       cpu->number);
	if (!task->bare)
		return from_note(r, task, cpu, &state->note, f);
	take_note(r, &state->note, f);
	return NULL;
}

/* The CPU whose idle task this is, if that never came up; else NULL. */
static const struct cpu *unstarted_cpu(const struct registers *r, const struct task *task)
{
	const struct cpu *cpu =
		task->idle && !task->on_cpu ? cpus_find(r->cpus, (unsigned)task->cpu) : NULL;
	return cpu && cpu->unstarted ? cpu : NULL;
}

/* What its creator has left for a switch to it is never used: a CPU starts elsewhere. */
static struct err *never_started(const struct cpu *cpu, struct first_regs *f)
{
	return unknown(f, "CPU %u was never started, and this is what it would run while idle",
		       cpu->number);
}

/* ---- on a machine that runs ---- */

static struct err *now_unknown(struct first_regs *f, struct err *e)
{
	if (err_code(e) == ERR_NOMEM)
		return e;
	struct err *result = unknown(f, "%s", err_msg(e));
	err_free(e);
	return result;
}

const struct task_stamp_layout *registers_stamps(const struct registers *r)
{
	return &r->stamps;
}

struct err *registers_of_stamp(const struct registers *r, const struct task *task,
			       const struct task_stamp *stamp, struct stack_copy *copy,
			       struct first_regs *ret)
{
	struct first_regs f = { 0 };
	struct task now = *task;
	uint64_t size = r->tasks->stack_size;
	const struct cpu *unstarted = unstarted_cpu(r, task);
	struct err *e;
	if (unstarted) {
		e = never_started(unstarted, &f);
	} else if (stamp->on_cpu) {
		e = unknown(&f,
			    "the task is running on CPU %d, and what its registers are only that "
			    "CPU knows",
			    stamp->cpu);
	} else {
		now.stack = stamp->stack;
		now.sp = stamp->sp;
		bool on_stack = now.stack && now.sp >= now.stack && now.sp - now.stack < size;
		e = stack_copy_take(copy, r->k, now.sp, on_stack ? now.stack + size : 0);
		if (!e)
			e = from_switch(r, &now, copy, &f);
	}
	if (e)
		free(f.why);
	else
		*ret = f;
	return e;
}

/* What the switch left, unless the task was switched in while it was being read. */
static struct err *from_live_switch(const struct registers *r, const struct task *task,
				    const struct task_stamp *before, struct first_regs *f)
{
	struct stack_copy copy = STACK_COPY_INIT;
	struct task_stamp after;
	struct err *e = registers_of_stamp(r, task, before, &copy, f);
	stack_copy_free(&copy);
	if (e || f->from == REGS_UNKNOWN)
		return e;
	e = task_stamp_read(r->k, &r->stamps, task, STAMP_AFTER, &after);
	if (e)
		return now_unknown(f, e);
	if (task_stamp_equal(before, &after))
		return NULL;
	return unknown(f, "the task changed while being read");
}

static struct err *from_live(const struct registers *r, const struct task *task,
			     struct first_regs *f)
{
	struct task_stamp stamp;
	for (unsigned attempt = 0; attempt < LIVE_ATTEMPTS; attempt++) {
		free(f->why);
		f->why = NULL;
		struct err *e = task_stamp_read(r->k, &r->stamps, task, STAMP_BEFORE, &stamp);
		if (e)
			return now_unknown(f, e);
		e = from_live_switch(r, task, &stamp, f);
		if (e || f->from != REGS_UNKNOWN || stamp.on_cpu)
			return e;
	}
	return NULL;
}

/* ---- all of them ---- */

struct err *registers_new(struct kernel *k, const struct cpus *cpus, const struct tasks *tasks,
			  struct registers **ret)
{
	struct registers *r = calloc(1, sizeof(*r));
	if (!r)
		return err_nomem();
	r->k = k;
	r->cpus = cpus;
	r->tasks = tasks;
	r->done = calloc(tasks->count + 1, sizeof(*r->done));
	struct err *e =
		r->done ? cpu_notes_match(k, cpus, tasks, &r->states, &r->guests) : err_nomem();
	if (e) {
		registers_free(r);
		return e;
	}
	r->layout = kernel_arch(k)->tasks->switch_layout(k);
	if (!r->layout) {
		registers_free(r);
		return err_nomem();
	}
	task_stamp_layout_find(k, &r->stamps);
	*ret = r;
	return NULL;
}

void registers_set_entry(struct registers *r,
			 bool (*entry)(void *closure, const struct task *task,
				       const struct cpu *cpu, struct regs *ret),
			 void *closure)
{
	r->entry = entry;
	r->entry_closure = closure;
}

void registers_set_has_guests(struct registers *r, bool (*has_guests)(void *closure), void *closure)
{
	r->has_guests = has_guests;
	r->has_guests_closure = closure;
}

void registers_forget(struct registers *r)
{
	for (size_t i = 0; r->done_count; i++) {
		if (!r->done[i])
			continue;
		free(r->done[i]->why);
		free(r->done[i]);
		r->done[i] = NULL;
		r->done_count--;
	}
}

struct err *registers_renew(struct registers *r)
{
	struct cpu_state *states;
	struct guest_notes guests;
	struct first_regs **done = calloc(r->tasks->count + 1, sizeof(*done));
	struct err *e =
		done ? cpu_notes_match(r->k, r->cpus, r->tasks, &states, &guests) : err_nomem();
	if (e) {
		free(done);
		return e;
	}
	registers_forget(r);
	free(r->done);
	free(r->states);
	free(r->guests.list);
	r->done = done;
	r->states = states;
	r->guests = guests;
	return NULL;
}

void registers_free(struct registers *r)
{
	if (!r)
		return;
	registers_forget(r);
	free(r->done);
	free(r->states);
	free(r->guests.list);
	free(r->layout);
	free(r);
}

static struct err *read_registers(const struct registers *r, const struct task *task,
				  struct first_regs *f)
{
	const struct dump *dump = kernel_dump(r->k);
	if (task->bare && dump_info(dump)->running)
		return unknown(f, "the CPU runs, and what its registers are only it knows");
	if (dump_info(dump)->running)
		return from_live(r, task, f);
	const struct cpu *unstarted = unstarted_cpu(r, task);
	struct err *e = unstarted	  ? never_started(unstarted, f)
			: task->note >= 0 ? from_note_alone(r, task, f)
			: task->on_cpu	  ? from_cpu(r, task, f)
					  : from_switch(r, task, NULL, f);
	if (e || f->from == REGS_UNKNOWN || dump_is_still(dump))
		return e;
	return unknown(f, "the machine was set going while they were read");
}

struct err *registers_get(struct registers *r, const struct task *task,
			  const struct first_regs **ret)
{
	size_t n = (size_t)(task - r->tasks->list);
	if (!r->done[n]) {
		struct first_regs *f = calloc(1, sizeof(*f));
		if (!f)
			return err_nomem();
		struct err *e = read_registers(r, task, f);
		if (e) {
			free(f->why);
			free(f);
			return e;
		}
		r->done[n] = f;
		r->done_count++;
	}
	*ret = r->done[n];
	return NULL;
}

const struct cpu_note *registers_note(const struct registers *r, unsigned cpu)
{
	const struct cpu *c = cpus_find(r->cpus, cpu);
	const struct cpu_state *state = c ? &r->states[c - r->cpus->list] : NULL;
	return state && state->found ? &state->note : NULL;
}

const struct guest_notes *registers_guest_notes(const struct registers *r)
{
	return &r->guests;
}

const char *regs_from_name(enum regs_from from)
{
	static const char *const names[] = {
		[REGS_UNKNOWN] = "unknown", [REGS_NOTE] = "note",   [REGS_USER] = "user",
		[REGS_SWITCH] = "switch",   [REGS_FOUND] = "found",
	};
	return names[from];
}
