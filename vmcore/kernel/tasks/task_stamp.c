// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/tasks/task_stamp.h"

#include <inttypes.h>

#include "base/err.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/members.h"
#include "vmcore/kernel/tasks/tasks.h"

enum {
	/* include/linux/sched.h: EXIT_DEAD, in the same place since there is exit_state; its other
	 * bits are a zombie's, which is still there. */
	EXIT_DEAD = 0x10,
	/* What is read together. task_struct has some 9 KiB; where its members lie further apart
	 * than that each is read by itself. */
	SPAN_MAX = 12 << 10,
};

/* Their names through time. */
static const enum kernel_member members[STAMP_MEMBERS] = {
	[STAMP_ON_CPU] = K_TASK_ON_CPU,
	[STAMP_PID] = K_TASK_PID,
	[STAMP_EXIT_STATE] = K_TASK_EXIT_STATE,
	[STAMP_STACK] = K_TASK_STACK,
	[STAMP_STACK_HOLDERS] = K_TASK_STACK_REFCOUNT,
	[STAMP_SP] = K_TASK_SP,
	[STAMP_STATE] = K_TASK_STATE,
	[STAMP_VOLUNTARY] = K_TASK_VOLUNTARY,
	[STAMP_INVOLUNTARY] = K_TASK_INVOLUNTARY,
	[STAMP_CPU] = K_TASK_CPU,
};

void task_stamp_layout_find(const struct kernel *k, struct task_stamp_layout *ret)
{
	*ret = (struct task_stamp_layout){ .low = UINT64_MAX };
	for (enum stamp_member n = 0; n < STAMP_MEMBERS; n++) {
		struct member *m = &ret->members[n];
		*m = *kernel_member(k, members[n]);
		if (!member_is_number(m))
			*m = (struct member){ 0 };
		if (n == STAMP_ON_CPU || !m->size)
			continue;
		if (m->offset < ret->low)
			ret->low = m->offset;
		if (m->offset + m->size > ret->high)
			ret->high = m->offset + m->size;
	}
	if (ret->low > ret->high)
		ret->low = ret->high;
}

static struct err *has_ended(const struct task *task)
{
	return err_new(ERR_NOTFOUND, "the task %" PRIu32 " has ended", task->tid);
}

/* As they are now; those that task_struct does not have stay as they are in @values. */
static struct err *read_each(const struct kernel *k, const struct task_stamp_layout *layout,
			     uint64_t task, uint64_t *values)
{
	for (enum stamp_member n = STAMP_ON_CPU + 1; n < STAMP_MEMBERS; n++) {
		const struct member *m = &layout->members[n];
		struct err *e = m->size ? kernel_read_member(k, task, m, &values[n]) : NULL;
		if (e)
			return e;
	}
	return NULL;
}

static struct err *read_together(const struct kernel *k, const struct task_stamp_layout *layout,
				 uint64_t task, uint64_t *values)
{
	unsigned char bytes[SPAN_MAX];
	uint64_t span = layout->high - layout->low;
	memory_forget(kernel_memory(k));
	if (span > sizeof(bytes))
		return read_each(k, layout, task, values);
	struct err *e = kernel_read_mapped(k, task + layout->low, bytes, (size_t)span);
	for (enum stamp_member n = STAMP_ON_CPU + 1; !e && n < STAMP_MEMBERS; n++) {
		const struct member *m = &layout->members[n];
		if (m->size)
			values[n] = member_value(m, bytes + (m->offset - layout->low));
	}
	return e;
}

static struct err *read_on_cpu(const struct kernel *k, const struct task_stamp_layout *layout,
			       uint64_t task, uint64_t *values)
{
	const struct member *m = &layout->members[STAMP_ON_CPU];
	unsigned char bytes[sizeof(uint64_t)];
	if (!m->size)
		return NULL;
	memory_forget(kernel_memory(k));
	struct err *e = kernel_read_mapped(k, task + m->offset, bytes, (size_t)m->size);
	if (!e)
		values[STAMP_ON_CPU] = member_value(m, bytes);
	return e;
}

struct err *task_stamp_read(const struct kernel *k, const struct task_stamp_layout *layout,
			    const struct task *task, enum stamp_time when, struct task_stamp *ret)
{
	uint64_t values[STAMP_MEMBERS] = {
		[STAMP_PID] = task->tid,
		[STAMP_STACK_HOLDERS] = 1,
		[STAMP_CPU] = (uint64_t)task->cpu,
	};
	if (types_why_none(kernel_types(k)))
		return err_new(
			ERR_NOTFOUND,
			"whether a task of a machine that runs stays where it is while it is "
			"read cannot be told without the kernel's types");
	struct err *e = when == STAMP_AFTER ? read_on_cpu(k, layout, task->address, values) : NULL;
	if (!e)
		e = read_together(k, layout, task->address, values);
	if (!e && when == STAMP_BEFORE)
		e = read_on_cpu(k, layout, task->address, values);
	if (e && err_code(e) == ERR_NOTPRESENT) {
		/* Where it was is no memory of the kernel's any more. */
		err_free(e);
		return has_ended(task);
	}
	if (e)
		return err_wrap(e, "read task_struct at 0x%" PRIx64, task->address);
	if ((!task->idle && values[STAMP_PID] != task->tid) || values[STAMP_EXIT_STATE] & EXIT_DEAD)
		return has_ended(task);
	*ret = (struct task_stamp){
		.stack = values[STAMP_STACK_HOLDERS] ? values[STAMP_STACK] : 0,
		.sp = values[STAMP_SP],
		.switches = values[STAMP_VOLUNTARY] + values[STAMP_INVOLUNTARY],
		.state = values[STAMP_STATE],
		.on_cpu = values[STAMP_ON_CPU],
		.cpu = (int)values[STAMP_CPU],
	};
	return NULL;
}

bool task_stamp_equal(const struct task_stamp *a, const struct task_stamp *b)
{
	return a->stack == b->stack && a->sp == b->sp && a->switches == b->switches &&
	       a->state == b->state && a->on_cpu == b->on_cpu;
}
