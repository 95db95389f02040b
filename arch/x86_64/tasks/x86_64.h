/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ARCH_X86_64_TASKS_X86_64_H
#define ARCH_X86_64_TASKS_X86_64_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;
struct kernel;
struct switch_words;

extern const struct tasks_arch x86_64_tasks;

/* In stacks.c: two of its members. */
void x86_64_find_stacks(const struct kernel *k, struct cpu *cpu);
uint64_t x86_64_sp_of_task(const struct kernel *k, const struct cpu *cpu, uint64_t rsp);

/* In untyped.c: three more. */
bool x86_64_switch_words(const struct kernel *k, struct switch_words *ret);
bool x86_64_is_switched_out(const struct kernel *k, const struct switch_words *words, uint64_t sp,
			    uint64_t stack, uint64_t stack_size, bool *ret_known);
bool x86_64_is_page_table(const struct kernel *k, uint64_t table);
/* Where a task that was switched out goes on in __schedule, behind the call of __switch_to, in
 * kernels until 4.8; 0 if that is not known, and in others. */
uint64_t x86_64_switch_resume(const struct kernel *k);

#endif
