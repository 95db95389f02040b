// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/process.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "proto/rsp.h"
#include "proto/session.h"
#include "proto/shared.h"

static struct process make(struct rsp_shared *shared, uint64_t id)
{
	shared_renew_threads(shared);
	return (struct process){
		.id = id,
		.shared = shared,
		.attached = true,
		.view = { .tid = target_current_thread(shared->target) },
	};
}

void process_make_current(struct rsp *s, size_t i)
{
	const struct process *p = &s->processes.list[i];
	s->processes.current = i;
	s->shared = p->shared;
	s->target = p->shared->target;
	struct target_member *member = s->view.member;
	s->view = p->view;
	s->view.member = member;
	target_comes(s->target, member);
	/* Targets may have the same table of documents. */
	s->document = NULL;
	s->document_of = NULL;
}

struct err *processes_begin(struct rsp *s, struct rsp_shared *shared)
{
	s->processes.list = calloc(1, sizeof(*s->processes.list));
	if (!s->processes.list)
		return err_nomem();
	s->processes.list[0] = make(shared, shared->target->pid);
	s->processes.count = 1;
	process_make_current(s, 0);
	return NULL;
}

static void give_back(const struct rsp *s, struct process *p)
{
	if (p->entered)
		s->directory->leave(s->directory->closure, p->shared);
	p->entered = false;
}

/* What the client has detached from, but for what is current for want of another. */
static void give_back_detached(const struct rsp *s)
{
	for (size_t i = 0; i < s->processes.count; i++)
		if (!s->processes.list[i].attached && i != s->processes.current)
			give_back(s, &s->processes.list[i]);
}

void processes_end(struct rsp *s)
{
	for (size_t i = 0; i < s->processes.count; i++)
		give_back(s, &s->processes.list[i]);
	free(s->processes.list);
	s->processes = (struct processes){ 0 };
}

void process_select(struct rsp *s, size_t i)
{
	if (i == s->processes.current)
		return;
	s->processes.list[s->processes.current].view = s->view;
	process_make_current(s, i);
	target_begin(s->target);
}

bool process_find(const struct rsp *s, uint64_t id, size_t *ret)
{
	for (size_t i = 0; i < s->processes.count; i++) {
		const struct process *p = &s->processes.list[i];
		if (p->id != id || !p->attached)
			continue;
		*ret = i;
		return true;
	}
	return false;
}

/* Adds one without anything. */
static struct err *add_place(struct processes *all)
{
	struct process *list = reallocarray(all->list, all->count + 1, sizeof(*list));
	if (!list)
		return err_nomem();
	all->list = list;
	list[all->count++] = (struct process){ 0 };
	return NULL;
}

/* A place for another one: of one that was detached from, or a new one. */
static struct err *find_place(struct rsp *s, size_t *ret)
{
	struct processes *all = &s->processes;
	/* Without the extension there is one. */
	for (size_t i = 0; i < all->count; i++) {
		if (s->multiprocess && all->list[i].attached)
			continue;
		*ret = i;
		return NULL;
	}
	if (all->count == PROCESSES_MAX)
		return err_new(ERR_INVALID, "you are attached to %d targets: detach from one",
			       PROCESSES_MAX);
	*ret = all->count;
	return add_place(all);
}

struct err *process_restore(struct rsp *s, size_t i, uint64_t id, bool entered, bool attached)
{
	struct processes *all = &s->processes;
	struct rsp_shared *shared = s->shared;
	struct err *e = i < all->count ? NULL : add_place(all);
	if (e)
		return e;
	if (entered && attached)
		e = s->directory ? s->directory->enter(s->directory->closure, id, &shared)
				 : err_new(ERR_NOTFOUND, "nothing has IDs");
	if (e)
		return e;
	all->list[i] = make(shared, id);
	all->list[i].entered = entered && attached;
	all->list[i].attached = attached;
	return NULL;
}

struct err *process_attach(struct rsp *s, uint64_t id)
{
	struct rsp_shared *shared;
	size_t place = 0;
	if (s->multiprocess && process_find(s, id, &place))
		return err_new(ERR_INVALID, "you are attached to %" PRIu64 " already", id);
	struct err *e = s->directory->enter(s->directory->closure, id, &shared);
	if (e)
		return e;
	e = find_place(s, &place);
	if (e) {
		s->directory->leave(s->directory->closure, shared);
		return e;
	}
	struct process *p = &s->processes.list[place];
	s->processes.list[s->processes.current].view = s->view;
	give_back(s, p);
	*p = make(shared, id);
	p->entered = true;
	buf_reset(&s->threads);
	s->named.tid = 0;
	process_make_current(s, place);
	give_back_detached(s);
	return NULL;
}

void process_detach(struct rsp *s, size_t i)
{
	s->processes.list[i].attached = false;
	s->named.tid = 0;
	for (size_t next = 0; i == s->processes.current && next < s->processes.count; next++)
		if (s->processes.list[next].attached)
			process_select(s, next);
	give_back_detached(s);
}
