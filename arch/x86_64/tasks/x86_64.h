/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ARCH_X86_64_TASKS_X86_64_H
#define ARCH_X86_64_TASKS_X86_64_H

#include <stdint.h>

struct cpu;
struct kernel;

extern const struct tasks_arch x86_64_tasks;

/* In stacks.c: two of its members. */
void x86_64_find_stacks(const struct kernel *k, struct cpu *cpu);
uint64_t x86_64_sp_of_task(const struct kernel *k, const struct cpu *cpu, uint64_t rsp);

#endif
