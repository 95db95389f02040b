/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which note holds the registers of which CPU: never told by the order of notes alone. */
#ifndef VMCORE_KERNEL_TASKS_CPU_NOTES_H
#define VMCORE_KERNEL_TASKS_CPU_NOTES_H

#include <stdbool.h>
#include <stddef.h>

#include "vmcore/dump/prstatus.h"

struct cpu;
struct cpus;
struct err;
struct kernel;
struct tasks;

struct cpu_state {
	bool found;
	/* Not found, and a QEMU note of an address space that is not this kernel's was, which may
	 * be this CPU's: a guest's, or another kernel's. */
	bool guest;
	struct cpu_note note;
};

/* Notes that QEMU wrote of CPUs which were not in the kernel's address spaces: inside a guest of
 * its KVM, in firmware, or never started. None where the kernel has gone down and saved its CPUs'
 * registers: no guest runs since. */
struct guest_notes {
	struct cpu_note *list; /* owned */
	size_t count;
	size_t total;  /* of the dump's CPU notes, those of guests among them */
	bool complete; /* every other note is some CPU's: a CPU without one has one of these */
};

/* The note that the kernel saved in memory for @cpu when it went down (per-CPU crash_notes); false
 * if there is none. */
bool cpu_notes_saved(const struct kernel *k, const struct cpu *cpu, struct cpu_note *ret);

/*
 * For each of @cpus (same index) its note: that of QEMU's which can only be its, else the one that
 * the kernel itself saved for it (per-CPU crash_notes), else the one of the dump's other notes that
 * can only be its: by gs_base, by the stack in rsp, by pr_pid. *ret and ret_guests->list are owned
 * by the caller (free()).
 */
__attribute__((warn_unused_result)) struct err *
cpu_notes_match(struct kernel *k, const struct cpus *cpus, const struct tasks *tasks,
		struct cpu_state **ret, struct guest_notes *ret_guests);

#endif
