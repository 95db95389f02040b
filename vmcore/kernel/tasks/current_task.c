// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/tasks/current_task.h"

#include <stdint.h>

#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/tasks.h"

struct choice {
	const struct tasks *tasks;
	const struct task_place *place;
	size_t wanted, chosen;
	bool begun, done;
};

static struct err *consider(struct choice *c, size_t n)
{
	bool known = true;
	struct err *e = NULL;
	if (!c->begun)
		c->wanted = c->chosen = n;
	c->begun = true;
	if (c->place)
		e = c->place->known(c->place->closure, &c->tasks->list[n], &known);
	if (e || !known)
		return e;
	c->chosen = n;
	c->done = true;
	return NULL;
}

static struct err *consider_running(struct choice *c, const struct cpus *cpus, bool idle)
{
	struct err *e = NULL;
	uint64_t n;
	for (size_t i = 0; !e && !c->done && i < cpus->count; i++)
		if (map_get(&c->tasks->by_address, cpus->list[i].curr, &n) &&
		    c->tasks->list[n].idle == idle)
			e = consider(c, n);
	return e;
}

/* Idle tasks that do not run, and what a CPU may be switching to, are @last. */
static struct err *consider_others(struct choice *c, bool last)
{
	struct err *e = NULL;
	for (size_t n = 0; !e && !c->done && n < c->tasks->count; n++) {
		const struct task *task = &c->tasks->list[n];
		if ((task->on_cpu || task->idle) == last)
			e = consider(c, n);
	}
	return e;
}

struct err *current_task_choose(const struct tasks *t, const struct cpus *cpus,
				const struct task_place *place, size_t *ret_wanted, size_t *ret)
{
	struct choice c = { .tasks = t, .place = place };
	struct err *e = t->panicked ? consider(&c, t->panicking) : NULL;
	if (!e)
		e = consider_running(&c, cpus, false);
	if (!e)
		e = consider_running(&c, cpus, true);
	if (!e)
		e = consider_others(&c, false);
	if (!e)
		e = consider_others(&c, true);
	if (e)
		return e;
	*ret_wanted = c.wanted;
	*ret = c.chosen;
	return NULL;
}
