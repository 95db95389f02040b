/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which values of CR3 are this kernel's, and which are those of a guest of its KVM. */
#ifndef ARCH_X86_64_TASKS_HOST_SPACE_H
#define ARCH_X86_64_TASKS_HOST_SPACE_H

#include <stdbool.h>
#include <stdint.h>

struct cpus;
struct kernel;
struct tasks;

/* Whether @cr3 is of the address space whose mm_struct is at @mm; of none if that is 0. */
bool host_space_is(const struct kernel *k, uint64_t mm, uint64_t cr3);

/* Whether @cr3 is of any address space of this kernel: its own, a task's, one that a CPU has
 * borrowed, or one that it switches to for a moment. */
bool host_space_has(const struct kernel *k, const struct cpus *cpus, const struct tasks *tasks,
		    uint64_t cr3);

/*
 * Without types: whether the tables that @cr3 means map the kernel's image where the kernel's own
 * do. Then *ret is their top one; under page table isolation it is that of the half which has the
 * kernel.
 */
bool host_space_root(const struct kernel *k, uint64_t cr3, uint64_t *ret);

#endif
