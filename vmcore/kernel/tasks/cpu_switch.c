// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/tasks/cpu_switch.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "arch/arch.h"
#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/dump/dump.h"
#include "vmcore/dump/prstatus.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/arch.h"
#include "vmcore/kernel/tasks/cpu_notes.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/tasks.h"

uint64_t cpu_current_task(const struct kernel *k, const struct cpu *cpu)
{
	uint64_t at, offset, task;
	if (types_offset(kernel_types(k), "pcpu_hot", "current_task", &offset) &&
	    cpu_symbol(k, cpu, "pcpu_hot", &at))
		at += offset;
	else if (!cpu_symbol(k, cpu, "current_task", &at))
		return 0;
	struct err *e = kernel_read_u64(k, at, &task);
	bool known = !e;
	err_free(e);
	return known ? task : 0;
}

/* The task's stack; false if it is not known. */
static bool stack_of(const struct kernel *k, uint64_t task, struct cpu_stack *ret)
{
	uint64_t low, size = tasks_stack_size(k);
	struct err *e = kernel_read_path(k, task, "task_struct", "stack", &low);
	bool known = !e && low && size;
	err_free(e);
	if (known)
		*ret = (struct cpu_stack){ "task", low, low + size };
	return known;
}

static bool is_on(const struct cpu_stack *stack, uint64_t sp)
{
	return sp > stack->low && sp <= stack->high;
}

/* Which of the two stacks a note with @rsp is on; -1 if that is neither, or both. */
static int which_stack(const struct kernel *k, const struct cpu *cpu, uint64_t sp,
		       const struct cpu_stack stacks[2])
{
	uint64_t own = kernel_arch(k)->tasks->sp_of_task(k, cpu, sp);
	bool first = is_on(&stacks[0], own), second = is_on(&stacks[1], own);
	return first == second ? -1 : second;
}

/* Whether the CPU is on the stack of @tasks[0], or of @tasks[1]; -1 if no note tells. */
static int find_stack(const struct kernel *k, const struct cpu *cpu, const uint64_t tasks[2],
		      const struct cpu_note *notes, size_t note_count)
{
	struct cpu_stack stacks[2];
	struct cpu_note saved;
	int on = -1;
	for (int i = 0; i < 2; i++)
		if (!stack_of(k, tasks[i], &stacks[i]))
			return -1;
	/* The CPU has not switched since that was saved, whatever else runs there by now. */
	if (cpu_notes_saved(k, cpu, &saved))
		on = which_stack(k, cpu, regs_sp(&saved.regs), stacks);
	for (size_t i = 0; on < 0 && i < note_count; i++)
		on = which_stack(k, cpu, regs_sp(&notes[i].regs), stacks);
	return on;
}

/*
 * current_task is init_task in the image, which is the first CPU's idle task, and that of each
 * other CPU from the moment on that it is brought up (common_cpu_up(), arch/x86/kernel/smpboot.c).
 * rq->curr is its idle task long before (init_idle(), kernel/sched/core.c).
 */
static bool is_unstarted(const struct cpu *cpu, uint64_t init_task, uint64_t current)
{
	return init_task && current == init_task && cpu->idle && cpu->idle != init_task &&
	       cpu->curr == cpu->idle && !cpu->online;
}

/* Until sched_init() the first CPU's runqueue names nobody, and init_task runs. */
static bool is_early(const struct cpu *cpu, uint64_t init_task, uint64_t current)
{
	return !cpu->number && init_task && current == init_task && !cpu->curr && !cpu->idle;
}

struct err *cpu_switch_settle(struct kernel *k, struct cpus *cpus)
{
	const struct dump_info *info = dump_info(kernel_dump(k));
	uint64_t init_task = 0;
	struct cpu_note *notes = NULL;
	size_t count = 0;
	struct err *e = NULL;
	kernel_symbol(k, "init_task", &init_task);
	for (size_t i = 0; !e && i < cpus->count; i++) {
		struct cpu *cpu = &cpus->list[i];
		const uint64_t tasks[] = { cpu->curr, cpu_current_task(k, cpu) };
		int on = -1;
		if (is_early(cpu, init_task, tasks[1]))
			cpu->curr = cpu->idle = init_task;
		if (!tasks[0] || !tasks[1] || tasks[0] == tasks[1])
			continue;
		if (is_unstarted(cpu, init_task, tasks[1])) {
			cpu->unstarted = true;
			cpu->curr = 0;
			continue;
		}
		/* The notes of a machine that runs are not of this moment. */
		if (!info->running && !notes)
			e = cpu_notes_read(info, &notes, &count);
		if (!e && !info->running)
			on = find_stack(k, cpu, tasks, notes, count);
		cpu->curr = on == 0 ? tasks[0] : tasks[1];
		if (on < 0)
			cpu->switching = tasks[0];
	}
	free(notes);
	return e;
}
