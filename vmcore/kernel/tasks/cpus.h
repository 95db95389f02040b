/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CPUs of the kernel: per-CPU addresses, what runs on them, the stacks they have. */
#ifndef VMCORE_KERNEL_TASKS_CPUS_H
#define VMCORE_KERNEL_TASKS_CPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct kernel;

/* A stack that belongs to a CPU and not to a task. */
struct cpu_stack {
	const char *name;   /* "IRQ", "NMI", ...; static */
	uint64_t low, high; /* [low, high) */
};

/* IRQ, the IST stacks (at most 7, Intel SDM vol. 3, 6.14.5) and the entry stack. */
enum { CPU_STACKS_MAX = 10 };

struct cpu {
	unsigned number;
	bool online;
	uint64_t offset; /* what is added to the address of a per-CPU symbol */
	uint64_t curr;	 /* task_struct that runs; 0 if unknown */
	/* task_struct that may run instead, in the middle of a switch; else 0. See cpu_switch.h. */
	uint64_t switching;
	uint64_t idle; /* task_struct of its idle task; 0 if unknown */
	/* It never came up: nothing has run there, not even its idle task, and curr is 0. */
	bool unstarted;
	struct cpu_stack stacks[CPU_STACKS_MAX];
	unsigned stack_count;
};

struct cpus {
	struct cpu *list; /* owned; possible CPUs by number */
	size_t count;
};

/* For tasks_arch.find_stacks(): @low to @high, if that is one; @name is static. */
void cpu_add_stack(struct cpu *cpu, const char *name, uint64_t low, uint64_t high);

/*
 * Finds all possible CPUs. What cannot be read of one leaves its fields 0, with a note in @k; an
 * error only when not even the per-CPU offsets can be found.
 */
__attribute__((warn_unused_result)) struct err *cpus_read(struct kernel *k, struct cpus *ret);
void cpus_free(struct cpus *c);

/* The CPU with this number, or NULL. */
const struct cpu *cpus_find(const struct cpus *c, unsigned number);

/* The address on @cpu of the per-CPU symbol @name; false if there is no such symbol. */
bool cpu_symbol(const struct kernel *k, const struct cpu *cpu, const char *name, uint64_t *ret);

/* The stack of @cpu's own that holds @address, or NULL. */
const struct cpu_stack *cpu_stack_at(const struct cpu *cpu, uint64_t address);

#endif
