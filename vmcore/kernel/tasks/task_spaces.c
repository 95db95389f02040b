// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/tasks/task_spaces.h"

#include <stddef.h>

#include "base/map.h"
#include "vmcore/kernel/tasks/tasks.h"

struct err *task_spaces_get(struct task_spaces *s, const struct kernel *k, const struct task *task,
			    uint64_t epoch, struct vspace *ret)
{
	size_t n = map_hash(task->mm) % TASK_SPACES;
	if (task->mm && s->list[n].mm == task->mm && s->list[n].epoch == epoch) {
		*ret = s->list[n].space;
		return NULL;
	}
	struct err *e = task_space(k, task, ret);
	if (e)
		return e;
	s->list[n].mm = task->mm;
	s->list[n].epoch = epoch;
	s->list[n].space = *ret;
	return NULL;
}
