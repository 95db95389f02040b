/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The assembly between user mode and the kernel. */
#ifndef VMCORE_KERNEL_TASKS_ENTRY_CODE_H
#define VMCORE_KERNEL_TASKS_ENTRY_CODE_H

#include <stdbool.h>
#include <stdint.h>

struct kernel;

/*
 * Whether @pc, a run-time address, lies in the section .entry.text
 * (include/asm-generic/vmlinux.lds.h): the only code of the kernel that runs with the user's rsp,
 * gs or page tables. False where its bounds are not among the symbols.
 */
bool entry_code_is(const struct kernel *k, uint64_t pc);

/* Where that section begins and ends at run time. False, and nothing set, as above. */
bool entry_code_bounds(const struct kernel *k, uint64_t *ret_low, uint64_t *ret_high);

#endif
