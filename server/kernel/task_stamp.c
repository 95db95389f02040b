// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/kernel/task_stamp.h"

#include <inttypes.h>

#include "base/err.h"
#include "server/kernel/kernel.h"
#include "server/kernel/tasks.h"

/* include/linux/sched.h: EXIT_DEAD, in the same place since there is exit_state; its other bits
 * are a zombie's, which is still there. */
enum { EXIT_DEAD = 0x10 };

/* The member of task_struct at the first of @paths that there is; *ret stays if there is none. */
static struct err *read_first(const struct kernel *k, const struct task *task,
			      const char *const *paths, uint64_t *ret)
{
	for (; *paths; paths++)
		if (types_has(kernel_types(k), "task_struct", *paths))
			return kernel_read_path(k, task->address, "task_struct", *paths, ret);
	return NULL;
}

static struct err *has_ended(const struct task *task)
{
	return err_new(ERR_NOTFOUND, "the task %" PRIu32 " has ended", task->tid);
}

struct err *task_stamp_read(const struct kernel *k, const struct task *task, struct task_stamp *ret)
{
	uint64_t pid = 0, exit_state = 0, holders = 1, voluntary = 0, involuntary = 0, on_cpu = 0;
	uint64_t cpu = (uint64_t)task->cpu;
	struct task_stamp stamp = { 0 };
	const struct {
		uint64_t *value;
		const char *paths[3];
	} wanted[] = {
		{ &pid, { "pid" } },
		{ &exit_state, { "exit_state" } },
		{ &stamp.stack, { "stack" } },
		{ &holders, { "stack_refcount.refs.counter", "stack_refcount.counter" } },
		{ &stamp.sp, { "thread.sp" } },
		{ &stamp.state, { "__state", "state" } },
		{ &voluntary, { "nvcsw" } },
		{ &involuntary, { "nivcsw" } },
		{ &on_cpu, { "on_cpu" } },
		{ &cpu, { "cpu", "thread_info.cpu" } },
	};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		struct err *e = read_first(k, task, wanted[i].paths, wanted[i].value);
		if (!e)
			continue;
		if (err_code(e) != ERR_NOTPRESENT)
			return e;
		/* Where it was is no memory of the kernel's any more. */
		err_free(e);
		return has_ended(task);
	}
	if ((!task->idle && pid != task->tid) || exit_state & EXIT_DEAD)
		return has_ended(task);
	if (!holders)
		stamp.stack = 0;
	stamp.switches = voluntary + involuntary;
	stamp.on_cpu = on_cpu;
	stamp.cpu = (int)cpu;
	*ret = stamp;
	return NULL;
}

bool task_stamp_equal(const struct task_stamp *a, const struct task_stamp *b)
{
	return a->stack == b->stack && a->sp == b->sp && a->switches == b->switches &&
	       a->state == b->state && a->on_cpu == b->on_cpu;
}
