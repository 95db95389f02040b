// SPDX-License-Identifier: GPL-2.0-or-later
/* Proofs of where a task says which CPU it is on, and a CPU what it runs. */
#include <string.h>

#include "arch/address.h"
#include "base/err.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/proof/layout_private.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/memory/memory.h"

enum {
	WORD = 8,
	HALF = 4,
	RQ_MAX = 16 << 10,    /* struct rq has some 3 KiB */
	THREAD_INFO_MAX = 40, /* the CPU is at byte 16 to 24 */
	NOT_FIRST = 2,
};

/* ---- of a task ---- */

/* Where a member may be that has the task's CPU. */
enum place {
	BEHIND_ON_CPU, /* task_struct.cpu, 4.9 to 5.15 */
	IN_TASK,       /* thread_info at task_struct's start, since 5.16 */
	AT_STACK,      /* thread_info at the stack's start, until 4.8 */
};

static bool read_half(const struct sample *s, const struct sample_task *t, enum place place,
		      uint64_t offset, uint32_t *ret)
{
	bool thread_info;
	if (place != AT_STACK) {
		*ret = sample_half(t, offset);
		return sample_has(t, offset, HALF);
	}
	if (!t->stack || !layout_begins_stack(s->k, t->stack, t->address, &thread_info) ||
	    !thread_info)
		return false;
	struct err *e = kernel_read_u32(s->k, t->stack + offset, ret);
	bool good = !e;
	err_free(e);
	return good;
}

static bool is_one_cpu(const struct sample *s, enum place place, uint64_t offset)
{
	int first = -1;
	bool differ = false;
	for (size_t i = 0; i < s->count; i++) {
		const struct sample_task *t = &s->list[i];
		uint32_t cpu, on_cpu;
		if (!read_half(s, t, place, offset, &cpu))
			continue;
		if (!cpus_find(s->cpus, cpu) || (t->cpu >= 0 && cpu != (uint32_t)t->cpu))
			return false;
		if (place == BEHIND_ON_CPU) {
			on_cpu = sample_half(t, offset - HALF);
			if (on_cpu > 1 || on_cpu != t->current)
				return false;
		}
		if (t->cpu < 0)
			continue;
		if (first < 0)
			first = t->cpu;
		differ |= first != t->cpu;
	}
	/* With one CPU there is nothing to tell it by. */
	return differ;
}

static struct err *prove_task_cpu(struct layout *l)
{
	static const char how[] =
		"the CPU in all tasks that are bound to one, and one of the CPUs in "
		"the others";
	const struct sample *s = l->sample;
	size_t found = 0;
	enum place where = IN_TASK;
	uint64_t at = 0;
	for (uint64_t offset = HALF; offset + HALF <= s->len; offset += HALF) {
		for (enum place place = BEHIND_ON_CPU; place <= AT_STACK; place++) {
			if ((place != BEHIND_ON_CPU && offset >= THREAD_INFO_MAX) ||
			    (place == IN_TASK && offset + WORD >= l->stack) ||
			    (place == BEHIND_ON_CPU && offset <= l->stack) ||
			    !is_one_cpu(s, place, offset))
				continue;
			found++;
			where = place;
			at = offset;
		}
	}
	if (found != 1)
		return NULL;
	if (where == AT_STACK)
		return layout_tell(l, "thread_info", "cpu", at, HALF, how);
	if (where == IN_TASK)
		return layout_tell(l, "task_struct", "thread_info.cpu", at, HALF, how);
	struct err *e = layout_tell(l, "task_struct", "cpu", at, HALF, how);
	return e ? e
		 : layout_tell(l, "task_struct", "on_cpu", at - HALF, HALF,
			       "1 in what CPUs run, 0 in all others; the CPU is behind it");
}

/* ---- what it runs ---- */

static bool knows_current(const struct sample *s)
{
	for (size_t i = 0; i < s->cpus->count; i++)
		if (!s->cpus->list[i].curr && !s->cpus->list[i].unstarted)
			return false;
	return s->cpus->count > 0;
}

/* Whether @task is one: it has a name, and a stack that begins as one. */
static bool is_task(const struct layout *l, uint64_t task)
{
	const struct sample *s = l->sample;
	char name[TASK_COMM];
	uint64_t stack;
	bool thread_info;
	if (!is_kernel_address(task) || !kernel_get_u64(s->k, task + l->stack, &stack) ||
	    !layout_begins_stack(s->k, stack, task, &thread_info))
		return false;
	struct err *e = kernel_read(s->k, task + s->comm, name, sizeof(name));
	bool named = !e && name[0] && memchr(name, 0, sizeof(name));
	err_free(e);
	return named;
}

/* Whether each CPU has a task at @offset in pcpu_hot. */
static bool are_tasks(const struct layout *l, uint64_t offset)
{
	const struct cpus *cpus = l->sample->cpus;
	uint64_t at, task;
	for (size_t i = 0; i < cpus->count; i++)
		if (!cpu_symbol(l->sample->k, &cpus->list[i], "pcpu_hot", &at) ||
		    !kernel_get_u64(l->sample->k, at + offset, &task) || !is_task(l, task))
			return false;
	return cpus->count > 0;
}

/* Whether each has an address 8 bytes below the end of a page there, as tops of IRQ stacks are, and
 * no two CPUs the same. */
static bool are_irq_stacks(const struct layout *l, uint64_t offset)
{
	const struct cpus *cpus = l->sample->cpus;
	uint64_t at, top, word, before = 0;
	for (size_t i = 0; i < cpus->count; i++) {
		if (!cpu_symbol(l->sample->k, &cpus->list[i], "pcpu_hot", &at) ||
		    !kernel_get_u64(l->sample->k, at + offset, &top) || !is_kernel_address(top) ||
		    top % PAGE_SIZE != PAGE_SIZE - WORD || top == before ||
		    !kernel_get_u64(l->sample->k, top, &word))
			return false;
		before = top;
	}
	return cpus->count > 0;
}

/* The one place in pcpu_hot (6.2 to 6.14) that is so. */
static bool find_hot(const struct layout *l, bool (*is)(const struct layout *, uint64_t),
		     uint64_t *ret)
{
	enum { HOT_BYTES = 64 };
	size_t found = 0;
	for (uint64_t offset = 0; offset < HOT_BYTES; offset += WORD) {
		if (!is(l, offset))
			continue;
		*ret = offset;
		found++;
	}
	return found == 1;
}

static void set_current(struct layout *l, uint64_t offset)
{
	struct sample *s = l->sample;
	for (size_t i = 0; i < s->cpus->count; i++) {
		struct cpu *cpu = &s->cpus->list[i];
		uint64_t at;
		if (cpu_symbol(s->k, cpu, "pcpu_hot", &at) &&
		    kernel_get_u64(s->k, at + offset, &cpu->curr) && !cpu->online &&
		    cpu->curr == s->list[0].address && cpu->idle != cpu->curr) {
			cpu->unstarted = true;
			cpu->curr = 0;
		}
	}
	sample_describe(s);
}

struct err *layout_prove_current(struct layout *l, bool *ret_known)
{
	uint64_t current, irq;
	struct err *e = NULL;
	*ret_known = knows_current(l->sample);
	if (*ret_known || !l->has_stack || !find_hot(l, are_tasks, &current))
		return NULL;
	set_current(l, current);
	*ret_known = knows_current(l->sample);
	e = layout_tell(l, "pcpu_hot", "current_task", current, WORD,
			"a task with a name and a stack on each CPU");
	if (!e && find_hot(l, are_irq_stacks, &irq))
		e = layout_tell(l, "pcpu_hot", "hardirq_stack_ptr", irq, WORD,
				"the top of a stack on each CPU, no two alike");
	return e;
}

/* ---- of a CPU ---- */

/* rq->curr is followed by rq->idle: both are known of each CPU otherwise. */
static bool is_rq(const struct sample *s, uint64_t offset)
{
	size_t agree = 0;
	for (size_t i = 0; i < s->cpus->count; i++) {
		const struct cpu *cpu = &s->cpus->list[i];
		uint64_t rq, curr, idle;
		if (!cpu->curr || !cpu->idle || cpu->curr == cpu->idle ||
		    !cpu_symbol(s->k, cpu, "runqueues", &rq))
			continue;
		if (!kernel_get_u64(s->k, rq + offset, &curr) ||
		    !kernel_get_u64(s->k, rq + offset + WORD, &idle) || curr != cpu->curr ||
		    idle != cpu->idle)
			return false;
		agree++;
	}
	if (!agree)
		return false;
	/* The others, whose CPU is idle, too. */
	for (size_t i = 0; i < s->cpus->count; i++) {
		const struct cpu *cpu = &s->cpus->list[i];
		uint64_t rq, idle;
		if (!cpu->idle || !cpu_symbol(s->k, cpu, "runqueues", &rq))
			continue;
		if (!kernel_get_u64(s->k, rq + offset + WORD, &idle) || idle != cpu->idle)
			return false;
	}
	return true;
}

static struct err *prove_rq(struct layout *l)
{
	static const char how[] = "what each CPU runs, followed by its idle task";
	size_t found = 0;
	uint64_t at = 0;
	for (uint64_t offset = 0; offset < RQ_MAX; offset += WORD) {
		if (!is_rq(l->sample, offset))
			continue;
		at = offset;
		found++;
	}
	if (found != 1)
		return NULL;
	struct err *e = layout_tell(l, "rq", "curr", at, WORD, how);
	return e ? e : layout_tell(l, "rq", "idle", at + WORD, WORD, how);
}

struct err *layout_prove_cpus(struct layout *l)
{
	struct err *e = l->has_stack ? prove_task_cpu(l) : NULL;
	return e ? e : prove_rq(l);
}
