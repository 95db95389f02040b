/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first registers of every task: of one that is switched out, what the switch left on its
 * stack; of one that runs, what its CPU's note says, once it is certain whose note it is and that
 * the registers are the task's.
 */
#ifndef VMCORE_KERNEL_TASKS_REGISTERS_H
#define VMCORE_KERNEL_TASKS_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/regs.h"

struct cpu;
struct cpu_note;
struct cpus;
struct err;
struct guest_notes;
struct kernel;
struct stack_copy;
struct task;
struct task_stamp;
struct task_stamp_layout;
struct tasks;

enum regs_from {
	REGS_UNKNOWN,
	REGS_NOTE,   /* the CPU's note, in kernel mode */
	REGS_USER,   /* the CPU's note, in user mode */
	REGS_SWITCH, /* the frame that the context switch left */
	REGS_FOUND,  /* the CPU runs a guest: where that entered it, see registers_set_entry() */
};

struct first_regs {
	struct regs regs;
	enum regs_from from;
	char *why; /* owned: why nothing is known; NULL otherwise */
};

struct registers;

/* Matches the dump's notes to CPUs. All arguments are borrowed and must outlive the result. */
__attribute__((warn_unused_result)) struct err *registers_new(struct kernel *k,
							      const struct cpus *cpus,
							      const struct tasks *tasks,
							      struct registers **ret);
void registers_free(struct registers *r);

/* Forgets all that registers_get() has given: what is read of a machine that runs is old soon. */
void registers_forget(struct registers *r);

/* The same when the tasks (and CPUs) given to registers_new() have been read anew, into the same
 * place. An error, which only memory can be the reason of, leaves it to the old ones. */
__attribute__((warn_unused_result)) struct err *registers_renew(struct registers *r);
/*
 * Names who knows with which registers @task entered the guest that @cpu runs now: false if that is
 * not certain. Before the first question; @closure is borrowed.
 */
void registers_set_entry(struct registers *r,
			 bool (*entry)(void *closure, const struct task *task,
				       const struct cpu *cpu, struct regs *ret),
			 void *closure);

/*
 * Names who knows whether the kernel may have virtual machines: false only if that is certain. A
 * CPU in an address space that is not this kernel's ran none of their guests then. Before the
 * first question; @closure is borrowed. Unless it is called there may be some.
 */
void registers_set_has_guests(struct registers *r, bool (*has_guests)(void *closure),
			      void *closure);

/* The registers of @task (one of the tasks given to registers_new()), computed on first use and
 * kept, a failure with its reason too. Borrowed. An error only when memory is out. */
__attribute__((warn_unused_result)) struct err *
registers_get(struct registers *r, const struct task *task, const struct first_regs **ret);

/*
 * On a machine that runs: the registers of @task as @stamp, read before, says it stands; what it
 * has on its stack is in @copy from then on. That is sure to be of one moment only if the next
 * stamp is equal. The caller frees ret->why. An error only when memory is out.
 */
__attribute__((warn_unused_result)) struct err *
registers_of_stamp(const struct registers *r, const struct task *task,
		   const struct task_stamp *stamp, struct stack_copy *copy, struct first_regs *ret);
/* How such stamps are read. Borrowed. */
const struct task_stamp_layout *registers_stamps(const struct registers *r);

/* The dump's note of the host's registers on the CPU called @cpu, or NULL: there is none of a CPU
 * that was inside a guest. Borrowed, like the next. */
const struct cpu_note *registers_note(const struct registers *r, unsigned cpu);

/* The notes of CPUs that were. Whose is whose is for those to say who know the guests. */
const struct guest_notes *registers_guest_notes(const struct registers *r);

/* "note", "user", "switch", "found", "unknown" */
const char *regs_from_name(enum regs_from from);

#endif
