/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an architecture brings for CPUs, their notes, and tasks that are switched out. */
#ifndef VMCORE_KERNEL_TASKS_ARCH_H
#define VMCORE_KERNEL_TASKS_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpu;
struct cpu_note;
struct cpus;
struct kernel;
struct regs;
struct switch_layout;
struct task;
struct tasks;

/*
 * What the code that switches tasks says of the words that it leaves on the stack of one that is
 * switched out, and where it keeps their address.
 */
struct switch_words {
	uint64_t size;	/* of all, in bytes; 0: they are no structure that has a name */
	uint64_t pc;	/* offset of where the task goes on */
	bool has_sp;	/* the code tells the next: */
	uint64_t sp;	/* offset of thread.sp in task_struct */
	bool has_flags; /* the same of: */
	uint64_t flags; /* offset of flags in thread_info, which say whether it has never run */
	/* Members of struct inactive_task_frame; names are static. */
	struct switch_word {
		const char *name;
		uint64_t offset;
	} list[8];
	size_t count;
};

/* The most bytes that switch_bytes() answers. */
enum { SWITCH_BYTES_MAX = 256 };

struct tasks_arch {
	/* Adds the CPU's own stacks by cpu_add_stack(): those of interrupts and exceptions. */
	void (*find_stacks)(const struct kernel *k, struct cpu *cpu);

	/*
	 * The stack pointer that a CPU, which was stopped with @sp, had on a task's stack: where an
	 * exception came with a stack of its own, that of what it stopped. @sp where it is not one.
	 */
	uint64_t (*sp_of_task)(const struct kernel *k, const struct cpu *cpu, uint64_t sp);

	/* ---- whose a note is, by what QEMU's own has (cpu_note.system) ---- */

	/* Whether only @cpu can have it: a register holds what each CPU has of its own. */
	bool (*note_is_of)(const struct cpu *cpu, const struct cpu_note *note);
	/* Whether @note, of user mode, which note_is_of() cannot tell for want of that register,
	 * has the page tables of @mm (an mm_struct). */
	bool (*note_has_mm)(const struct kernel *k, const struct cpu_note *note, uint64_t mm);
	/* Whether its page tables are any of this kernel's: else it is a guest's, or another
	 * kernel's. */
	bool (*note_is_kernels)(const struct kernel *k, const struct cpus *cpus,
				const struct tasks *tasks, const struct cpu_note *note);
	/* Without types: whether its page tables map the kernel's image where the kernel's own do.
	 * Then *ret is the top one, of which the process's memory is told. */
	bool (*note_root)(const struct kernel *k, const struct cpu_note *note, uint64_t *ret);
	/* Forgets registers of @note, the kernel's own, which was in the kernel, that are not those
	 * of the CPU. NULL: there are none. */
	void (*forget_untrue)(struct regs *r);

	/* ---- a kernel whose types nobody knows (vmcore/kernel/proof/) ---- */

	/* False if the code is none that is known. */
	bool (*switch_words)(const struct kernel *k, struct switch_words *ret);
	/*
	 * Whether what lies at @sp, on the stack at @stack of @stack_size bytes, is what such a
	 * switch has left of a task. *ret_known is false where it cannot be read.
	 */
	bool (*is_switched_out)(const struct kernel *k, const struct switch_words *words,
				uint64_t sp, uint64_t stack, uint64_t stack_size, bool *ret_known);
	/* Whether a top-level page table lies at @table that has the kernel's image where the
	 * kernel's own has it. */
	bool (*is_page_table)(const struct kernel *k, uint64_t table);

	/* ---- tasks that are switched out ---- */

	/* How this kernel's context switch leaves registers; owned by the caller (free()). NULL
	 * only if memory is out. */
	struct switch_layout *(*switch_layout)(const struct kernel *k);
	/* How many bytes at the saved stack pointer switch_registers() wants. */
	size_t (*switch_bytes)(const struct switch_layout *layout);
	/* The registers with which @task goes on: @sp is its saved stack pointer, @frame the bytes
	 * there. False if where it goes on is not known. */
	bool (*switch_registers)(const struct kernel *k, const struct switch_layout *layout,
				 const struct task *task, const void *frame, struct regs *ret);
};

#endif
