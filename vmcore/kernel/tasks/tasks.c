// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/tasks/tasks.h"

#include <stdlib.h>

#include "base/err.h"
#include "vmcore/dump/dump.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/members.h"
#include "vmcore/kernel/tasks/cpu_threads.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/task_walk.h"

enum { STACK_SIZE_MAX = 1 << 20 };

static int compare_tid(const void *a, const void *b)
{
	uint32_t x = ((const struct task *)a)->tid, y = ((const struct task *)b)->tid;
	return x < y ? -1 : x > y;
}

static void mark_one(struct tasks *t, const struct cpu *cpu, uint64_t task)
{
	uint64_t n;
	if (!map_get(&t->by_address, task, &n))
		return;
	t->list[n].on_cpu = true;
	t->list[n].cpu = (int)cpu->number;
}

/* Not only CPUs that are online: a panic takes the others off the mask when it stops them
 * (arch/x86/kernel/process.c: stop_this_cpu()). */
static void mark_running(struct tasks *t, const struct cpus *cpus)
{
	for (size_t i = 0; i < cpus->count; i++) {
		const struct cpu *cpu = &cpus->list[i];
		/* What it may be switching to has left no frame that is good now. */
		if (cpu->switching)
			mark_one(t, cpu, cpu->switching);
		mark_one(t, cpu, cpu->curr);
	}
}

/* The CPU that panicked or crashed: crashing_cpu (kexec's) or panic_cpu, -1 while none did. */
static const struct cpu *panic_cpu(const struct kernel *k, const struct cpus *cpus)
{
	static const char *const symbols[] = { "crashing_cpu", "panic_cpu" };
	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
		uint64_t at;
		uint32_t number;
		if (!kernel_symbol(k, symbols[i], &at))
			continue;
		struct err *e = kernel_read_u32(k, at, &number);
		const struct cpu *cpu = e ? NULL : cpus_find(cpus, number);
		err_free(e);
		if (cpu)
			return cpu;
	}
	return NULL;
}

static void find_panicking(struct tasks *t, const struct kernel *k, const struct cpus *cpus)
{
	const struct cpu *cpu = panic_cpu(k, cpus);
	const struct task *task = cpu ? tasks_on_cpu(t, cpu) : NULL;
	t->panicked = task;
	t->panicking = task ? (size_t)(task - t->list) : 0;
}

static bool is_stack_size(uint64_t size)
{
	return size >= PAGE_SIZE && size <= STACK_SIZE_MAX && !(size & (size - 1));
}

/*
 * THREAD_SIZE: of union thread_union, which only DWARF has; else of the boot CPU's idle stack,
 * whose ends are linker symbols (include/asm-generic/vmlinux.lds.h: INIT_TASK_DATA).
 */
uint64_t tasks_stack_size(const struct kernel *k)
{
	static const char *const ends[][2] = {
		{ "__start_init_task", "__end_init_task" },
		{ "__start_init_stack", "__end_init_stack" },
		{ "init_stack", "__end_init_task" },
		{ "init_stack", "__end_init_stack" },
	};
	uint64_t size, start, end;
	struct err *e = types_size(kernel_types(k), "thread_union", &size);
	if (!e && is_stack_size(size))
		return size;
	err_free(e);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		if (!kernel_symbol(k, ends[i][0], &start) || !kernel_symbol(k, ends[i][1], &end))
			continue;
		size = end - start;
		if (is_stack_size(size))
			return size;
	}
	return 0;
}

struct err *tasks_read(struct kernel *k, const struct cpus *cpus, struct tasks *ret)
{
	struct tasks tasks = { 0 };
	/* As much as is proven without types may do. */
	struct err *e = types_why_none(kernel_types(k)) && !kernel_proven_by(k)
				? cpu_threads_read(k, cpus, &tasks.list, &tasks.count)
				: task_walk(k, cpus, &tasks.list, &tasks.count);
	if (e)
		return e;
	qsort(tasks.list, tasks.count, sizeof(*tasks.list), compare_tid);
	for (size_t i = 0; i < tasks.count; i++) {
		uint64_t address = tasks.list[i].address;
		if (!map_put(&tasks.by_tid, tasks.list[i].tid, i) ||
		    (address && !map_put(&tasks.by_address, address, i))) {
			tasks_free(&tasks);
			return err_nomem();
		}
	}
	tasks.stack_size = tasks_stack_size(k);
	if (!tasks.stack_size)
		kernel_note(
			k,
			"the size of kernel stacks is unknown, and so are the registers on them");
	mark_running(&tasks, cpus);
	find_panicking(&tasks, k, cpus);
	*ret = tasks;
	return NULL;
}

void tasks_free(struct tasks *t)
{
	map_free(&t->by_tid);
	map_free(&t->by_address);
	free(t->list);
	*t = (struct tasks){ 0 };
}

const struct task *tasks_find(const struct tasks *t, uint64_t tid)
{
	uint64_t index;
	return map_get(&t->by_tid, tid, &index) ? &t->list[index] : NULL;
}

const struct task *tasks_on_cpu(const struct tasks *t, const struct cpu *cpu)
{
	uint64_t n;
	if (cpu->curr && map_get(&t->by_address, cpu->curr, &n))
		return &t->list[n];
	for (size_t i = 0; i < t->count; i++)
		if (t->list[i].bare && t->list[i].cpu == (int)cpu->number)
			return &t->list[i];
	return NULL;
}

size_t tasks_from(const struct tasks *t, uint64_t tid)
{
	size_t low = 0, high = t->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (t->list[middle].tid < tid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct err *task_space(const struct kernel *k, const struct task *task, struct vspace *ret)
{
	uint64_t pgd;
	struct vtop vtop;
	if (task->bare && !task->user_root)
		return err_new(ERR_NOTFOUND, "whose user memory it is, is not known: %s",
			       types_why_none(kernel_types(k)));
	if (task->bare) {
		*ret = *kernel_space(k);
		ret->root = task->user_root;
		ret->process = true;
		return NULL;
	}
	struct member m;
	struct err *e = task->mm ? NULL : kernel_need_member(k, K_TASK_MM, &m);
	if (e)
		return err_wrap(e, "find the memory of '%s'", task->comm);
	if (!task->mm)
		return err_new(ERR_NOTPRESENT, "'%s' is a kernel thread, which has no user memory",
			       task->comm);
	e = kernel_read_path(k, task->mm, "mm_struct", "pgd", &pgd);
	if (!e)
		e = memory_vtop(kernel_memory(k), kernel_space(k), pgd, &vtop);
	if (e)
		return err_wrap(e, "find the page tables of '%s'", task->comm);
	*ret = *kernel_space(k);
	ret->root = vtop.pa;
	ret->process = true;
	return NULL;
}
