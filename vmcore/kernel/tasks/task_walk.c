// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/tasks/task_walk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "vmcore/dump/dump.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/members.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/pidtable.h"
#include "vmcore/kernel/tasks/task_state.h"
#include "vmcore/names/types/types.h"

/* Members of task_struct and what hangs on it; one whose size is 0 does not exist in this kernel.
 */
struct walk {
	struct kernel *k;
	const struct cpus *cpus;
	struct task_states states;
	struct task *list;
	size_t count, capacity;
	struct map seen;   /* task_struct addresses */
	struct map by_tid; /* tid -> index before sorting */
	uint64_t leader;   /* of the process whose threads are walked, until it is met */
	size_t odd;	   /* tasks left out, each with a note up to a limit */
	size_t excluded;   /* tasks that were filtered out, as a whole or in part */
	/* Processes whose list of threads is damaged, and the first of them. */
	size_t torn;
	uint64_t first_torn;
};

enum {
	ODD_NOTES_MAX = 8,
	SEEN_MAX = 2 * PID_LIMIT, /* addresses taken for tasks, in all: hostile lists are long */
};

/* ---- one task ---- */

static void leave_out(struct walk *w, uint64_t address, const char *why)
{
	if (w->odd++ < ODD_NOTES_MAX)
		kernel_note(w->k, "the task at 0x%" PRIx64 " is left out: %s", address, why);
}

/* Takes @e, which says why it cannot be read. */
static void leave_out_unreadable(struct walk *w, uint64_t address, struct err *e)
{
	log_debug(LOG_TASKS, "the task at 0x%" PRIx64 ": %s", address, err_msg(e));
	if (err_code(e) == ERR_EXCLUDED) {
		w->excluded++;
		leave_out(w, address, "its memory was filtered out of the dump");
	} else {
		leave_out(w, address, "it cannot be read");
	}
	err_free(e);
}

static int task_cpu(const struct walk *w, const struct task *task)
{
	uint64_t cpu;
	bool known;
	if (kernel_has_member(w->k, K_TASK_CPU))
		known = kernel_get(w->k, task->address, K_TASK_CPU, &cpu);
	else
		known = task->stack && kernel_get(w->k, task->stack, K_THREAD_INFO_CPU, &cpu);
	/* That is not proven where there is but one. */
	if (!known && w->cpus->count == 1)
		return (int)w->cpus->list[0].number;
	return known && cpus_find(w->cpus, (unsigned)cpu) ? (int)cpu : -1;
}

static char task_state(const struct walk *w, uint64_t address)
{
	enum { WAITS = 0xf };
	uint64_t state, exit_state = 0;
	if (!kernel_get(w->k, address, K_TASK_STATE, &state))
		return '?';
	/* Without types: one that waits for nothing, nor runs, may have ended. */
	if (!kernel_get(w->k, address, K_TASK_EXIT_STATE, &exit_state) && state && !(state & WAITS))
		return '?';
	return task_state_letter(&w->states, state, exit_state);
}

/* Fills all of @task but tid, pid, idle and on_cpu. */
static void read_task(struct walk *w, uint64_t address, struct task *task)
{
	task->address = address;
	uint64_t holders;
	kernel_get(w->k, address, K_TASK_STACK, &task->stack);
	/* A dead task's pointer may still be there when its stack is another's already. */
	if (kernel_get(w->k, address, K_TASK_STACK_REFCOUNT, &holders) && !holders)
		task->stack = 0;
	struct err *e = kernel_has_member(w->k, K_TASK_SP)
				? kernel_read_member(w->k, address, kernel_member(w->k, K_TASK_SP),
						     &task->sp)
				: NULL;
	w->excluded += e && err_code(e) == ERR_EXCLUDED;
	err_free(e);
	kernel_get(w->k, address, K_TASK_MM, &task->mm);
	err_free(kernel_read_string(w->k, address + kernel_member(w->k, K_TASK_COMM)->offset,
				    task->comm, sizeof(task->comm)));
	task->cpu = task_cpu(w, task);
	task->state = task_state(w, address);
}

static struct err *append(struct walk *w, const struct task *task)
{
	bool added;
	if (!map_add(&w->by_tid, task->tid, w->count, &added))
		return err_nomem();
	if (!added) {
		leave_out(w, task->address, "another task has the same PID");
		return NULL;
	}
	if (w->count == w->capacity) {
		size_t capacity = w->capacity ? 2 * w->capacity : 256;
		struct task *list = reallocarray(w->list, capacity, sizeof(*list));
		if (!list)
			return err_nomem();
		w->list = list;
		w->capacity = capacity;
	}
	w->list[w->count++] = *task;
	return NULL;
}

/* Adds the task at @address unless it is there already; *ret_new says which. */
static struct err *add_task(struct walk *w, uint64_t address, bool *ret_new)
{
	struct task task = { .note = -1 };
	uint64_t pid, tgid;
	if (!map_add(&w->seen, address, 0, ret_new))
		return err_nomem();
	if (!*ret_new)
		return NULL;
	struct err *e = kernel_read_member(w->k, address, kernel_member(w->k, K_TASK_PID), &pid);
	if (!e)
		e = kernel_read_member(w->k, address, kernel_member(w->k, K_TASK_TGID), &tgid);
	if (e) {
		leave_out_unreadable(w, address, e);
		return NULL;
	}
	if (!pid || pid > PID_LIMIT || tgid > PID_LIMIT) {
		leave_out(w, address, "its PID makes no sense");
		return NULL;
	}
	task.tid = (uint32_t)pid;
	task.pid = (uint32_t)tgid;
	read_task(w, address, &task);
	return append(w, &task);
}

static struct err *add_idle(struct walk *w, const struct cpu *cpu)
{
	struct task task = { .note = -1 };
	bool added;
	if (!cpu->idle)
		return NULL;
	if (!map_add(&w->seen, cpu->idle, 0, &added))
		return err_nomem();
	if (!added)
		return NULL;
	read_task(w, cpu->idle, &task);
	task.tid = IDLE_TID + cpu->number;
	task.cpu = (int)cpu->number;
	task.idle = true;
	return append(w, &task);
}

/* ---- the lists ---- */

/*
 * Follows a list_head from @head by the pointers at @step (0: next, 8: prev) and calls @visit with
 * each entry's container. Ends at the head, or (then *ret_whole is false) at what cannot be read,
 * where @visit says it has been before, or after more tasks than there can be.
 */
static struct err *walk_list(struct walk *w, uint64_t head, uint64_t step, uint64_t container,
			     struct err *(*visit)(struct walk *w, uint64_t entry, bool *ret_new),
			     bool *ret_whole)
{
	uint64_t link = head;
	*ret_whole = false;
	for (;;) {
		bool is_new = false;
		struct err *e = kernel_read_u64(w->k, link + step, &link);
		if (e) {
			log_debug(LOG_TASKS, "list at 0x%" PRIx64 ": %s", head, err_msg(e));
			err_free(e);
			return NULL;
		}
		if (link == head) {
			*ret_whole = true;
			return NULL;
		}
		if (!link || w->seen.used > SEEN_MAX)
			return NULL;
		e = visit(w, link - container, &is_new);
		if (e || !is_new)
			return e;
	}
}

/* Both ways: behind a broken link, the list's other end still holds. */
static struct err *
walk_both_ways(struct walk *w, uint64_t head, uint64_t container,
	       struct err *(*visit)(struct walk *w, uint64_t entry, bool *ret_new), bool *ret_whole)
{
	bool back;
	struct err *e = walk_list(w, head, 0, container, visit, ret_whole);
	if (e || *ret_whole)
		return e;
	return walk_list(w, head, 8, container, visit, &back);
}

static struct err *visit_thread(struct walk *w, uint64_t task, bool *ret_new)
{
	struct err *e = add_task(w, task, ret_new);
	/* The leader, which the list of processes brought, stands in its own list of threads, once.
	 */
	if (task == w->leader) {
		*ret_new = true;
		w->leader = 0;
	}
	return e;
}

static struct err *visit_process(struct walk *w, uint64_t leader, bool *ret_new)
{
	uint64_t signal;
	bool whole;
	struct err *e = add_task(w, leader, ret_new);
	if (e || !*ret_new || !kernel_has_member(w->k, K_TASK_THREAD_NODE) ||
	    !kernel_has_member(w->k, K_SIGNAL_THREAD_HEAD) ||
	    !kernel_get(w->k, leader, K_TASK_SIGNAL, &signal) || !signal)
		return e;
	w->leader = leader;
	e = walk_both_ways(w, signal + kernel_member(w->k, K_SIGNAL_THREAD_HEAD)->offset,
			   kernel_member(w->k, K_TASK_THREAD_NODE)->offset, visit_thread, &whole);
	if (!e && !whole && !w->torn++)
		w->first_torn = leader;
	return e;
}

static struct err *found_by_pid(void *closure, uint64_t task)
{
	bool is_new;
	return add_task(closure, task, &is_new);
}

static struct err *walk_pids(struct walk *w)
{
	size_t before = w->count;
	struct err *e = pidtable_walk(w->k, found_by_pid, w);
	if (e && err_code(e) == ERR_NOTFOUND) {
		log_debug(LOG_TASKS, "%s", err_msg(e));
		err_free(e);
		return NULL;
	}
	/* Of a machine that runs they have been created since the lists were read. */
	if (!e && w->count != before && !dump_info(kernel_dump(w->k))->live)
		kernel_note(w->k, "%zu tasks are in the PID table and not in the task lists",
			    w->count - before);
	return e;
}

/* ---- where the lists are broken ---- */

/*
 * From @task to the tasks on both sides of its list_head at @here, which lie there at @node. Such a
 * task points back, as freed or overwritten memory does not; @head is where the list's own head is.
 */
static struct err *visit_sides(struct walk *w, uint64_t here, const struct member *node,
			       uint64_t head)
{
	for (uint64_t step = 0; step <= 8; step += 8) {
		uint64_t there, back;
		bool is_new;
		struct err *e = kernel_read_u64(w->k, here + step, &there);
		if (!e && (there == head || there == here))
			continue;
		if (!e)
			e = kernel_read_u64(w->k, there + 8 - step, &back);
		if (e) {
			log_debug(LOG_TASKS, "beside the task at 0x%" PRIx64 ": %s", here,
				  err_msg(e));
			err_free(e);
			continue;
		}
		if (back != here || w->seen.used > SEEN_MAX)
			continue;
		e = add_task(w, there - node->offset, &is_new);
		if (e)
			return e;
	}
	return NULL;
}

static struct err *visit_relative(struct walk *w, uint64_t task, enum kernel_member pointer)
{
	uint64_t relative;
	bool is_new;
	if (!kernel_get(w->k, task, pointer, &relative) || !relative)
		return NULL;
	return add_task(w, relative, &is_new);
}

/* All tasks that one task leads to. A list whose head is not known to be none is left alone: the
 * head would be taken for a task. */
static struct err *visit_surroundings(struct walk *w, uint64_t task, uint64_t init_task)
{
	static const enum kernel_member relatives[] = { K_TASK_GROUP_LEADER, K_TASK_REAL_PARENT,
							K_TASK_PARENT };
	const struct kernel *k = w->k;
	const struct member *tasks = kernel_member(k, K_TASK_TASKS);
	const struct member *node = kernel_member(k, K_TASK_THREAD_NODE);
	const struct member *head = kernel_member(k, K_SIGNAL_THREAD_HEAD);
	const struct member *children = kernel_member(k, K_TASK_CHILDREN);
	const struct member *sibling = kernel_member(k, K_TASK_SIBLING);
	uint64_t signal, parent;
	struct err *e = visit_sides(w, task + tasks->offset, tasks, init_task + tasks->offset);
	if (!e && node->size && head->size && kernel_get(w->k, task, K_TASK_SIGNAL, &signal) &&
	    signal)
		e = visit_sides(w, task + node->offset, node, signal + head->offset);
	if (!e && sibling->size && children->size) {
		e = visit_sides(w, task + children->offset, sibling, 0);
		if (!e && kernel_get(w->k, task, K_TASK_REAL_PARENT, &parent) && parent)
			e = visit_sides(w, task + sibling->offset, sibling,
					parent + children->offset);
	}
	for (size_t i = 0; !e && i < sizeof(relatives) / sizeof(*relatives); i++)
		e = visit_relative(w, task, relatives[i]);
	return e;
}

/*
 * A list is broken, so the tasks behind the break have not been met, unless the PID table, which
 * may be broken as well, brought them. Goes on from every task to those that it leads to.
 */
static struct err *explore(struct walk *w, uint64_t init_task)
{
	size_t before = w->count;
	for (size_t i = 0; i < w->count; i++) {
		struct err *e = visit_surroundings(w, w->list[i].address, init_task);
		if (e)
			return e;
	}
	if (w->count != before)
		kernel_note(w->k, "%zu tasks were found by their relatives alone",
			    w->count - before);
	return NULL;
}

static void note_damage(const struct walk *w, bool whole)
{
	if (!whole)
		kernel_note(w->k,
			    "the list of processes is damaged; the PID table is used as well");
	if (w->torn == 1)
		kernel_note(w->k,
			    "the list of threads of the process at 0x%" PRIx64
			    " is damaged; the PID table is used as well",
			    w->first_torn);
	else if (w->torn)
		kernel_note(w->k,
			    "the lists of threads of %zu processes are damaged, the first at "
			    "0x%" PRIx64 "; the PID table is used as well",
			    w->torn, w->first_torn);
}

static struct err *walk_all(struct walk *w)
{
	uint64_t init_task;
	bool whole;
	struct err *e = kernel_need_symbol(w->k, "init_task", "list the tasks", &init_task);
	/* Idle tasks first: init_task, the list's head, is one. */
	for (size_t i = 0; !e && i < w->cpus->count; i++)
		e = add_idle(w, &w->cpus->list[i]);
	if (e)
		return e;
	e = walk_both_ways(w, init_task + kernel_member(w->k, K_TASK_TASKS)->offset,
			   kernel_member(w->k, K_TASK_TASKS)->offset, visit_process, &whole);
	if (e)
		return e;
	note_damage(w, whole);
	e = walk_pids(w);
	/* One that is exiting may have left both. */
	for (size_t i = 0; !e && i < w->cpus->count; i++) {
		bool is_new;
		if (w->cpus->list[i].curr)
			e = add_task(w, w->cpus->list[i].curr, &is_new);
	}
	return e || (whole && !w->torn) ? e : explore(w, init_task);
}

struct err *task_walk(struct kernel *k, const struct cpus *cpus, struct task **ret_list,
		      size_t *ret_count)
{
	struct walk w = { .k = k, .cpus = cpus };
	struct err *e = err_wrap(kernel_need_vital(k, KERNEL_TASKS), "list the tasks");
	if (!e) {
		task_states_read(k, &w.states);
		e = walk_all(&w);
	}
	if (!e && !w.count)
		e = err_new(ERR_CORRUPT, "list the tasks: not one could be read");
	map_free(&w.seen);
	map_free(&w.by_tid);
	if (e) {
		free(w.list);
		return e;
	}
	if (w.odd > ODD_NOTES_MAX)
		kernel_note(k, "%zu more tasks are left out or damaged", w.odd - ODD_NOTES_MAX);
	if (w.excluded)
		kernel_note(k, "pages of the kernel's own were filtered out of the dump: what "
			       "filtered it did not know this kernel");
	*ret_list = w.list;
	*ret_count = w.count;
	return NULL;
}
