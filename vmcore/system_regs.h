/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers of a CPU that no thread has of its own: control registers and descriptor tables. Known
 * are those of a CPU whose state somebody wrote down: QEMU in its notes, KVM for a guest. The
 * kernel's own notes have none of them.
 */
#ifndef VMCORE_SYSTEM_REGS_H
#define VMCORE_SYSTEM_REGS_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct guest_regs;
struct task;
struct vmcore;

enum system_reg {
	SYSTEM_CR0,
	SYSTEM_CR2,
	SYSTEM_CR3,
	SYSTEM_CR4,
	SYSTEM_EFER,
	SYSTEM_GDTR, /* its base */
	SYSTEM_GDTR_LIMIT,
	SYSTEM_IDTR,
	SYSTEM_IDTR_LIMIT,
	SYSTEM_REGS
};

struct system_regs {
	uint64_t value[SYSTEM_REGS];
	bool known[SYSTEM_REGS];
	const char *why; /* why what is not known is not: static, or borrowed from @task's registers
			  */
};

/* Of the CPU that runs @task; nothing is known of a task that runs on none, or whose own registers
 * are not known. An error only when memory is out. */
__attribute__((warn_unused_result)) struct err *
system_regs_of_task(const struct vmcore *h, const struct task *task, struct system_regs *ret);

/* Of a guest's CPU. */
void system_regs_of_guest(const struct guest_regs *guest, struct system_regs *ret);

/* "cr0", ..., "gdtr", "gdtr_limit" */
const char *system_reg_name(enum system_reg reg);

#endif
