// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/context_threads.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "vmcore/code/code_place.h"
#include "vmcore/code/context_places.h"
#include "vmcore/code/unwind_source.h"
#include "vmcore/vmcore.h"

struct context_threads {
	struct context_thread *list; /* owned */
	size_t count;
};

void context_threads_free(struct context_threads *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++)
		free(c->list[i].by);
	free(c->list);
	free(c);
}

const struct context_thread *context_threads_find(const struct context_threads *c, uint64_t tid)
{
	bool found = tid >= CONTEXT_TID_FIRST && tid - CONTEXT_TID_FIRST < c->count;
	return found ? &c->list[tid - CONTEXT_TID_FIRST] : NULL;
}

const struct context_thread *context_threads_list(const struct context_threads *c,
						  size_t *ret_count)
{
	*ret_count = c->count;
	return c->list;
}

void context_thread_name(const struct context_thread *c, struct buf *out)
{
	buf_addf(out, "%s ↳ %s %s", c->task->comm, c->called ? "called" : "interrupted by",
		 c->by ? c->by : "an unknown function");
}

/* ---- finding them ---- */

static struct err *add(struct context_threads *c, const struct task *task, const struct frames *f,
		       size_t n, bool called, char *by)
{
	struct context_thread *list = reallocarray(c->list, c->count + 1, sizeof(*list));
	if (!list) {
		free(by);
		return err_nomem();
	}
	c->list = list;
	list[c->count] = (struct context_thread){
		.tid = CONTEXT_TID_FIRST + c->count,
		.task = task,
		.frame = (unsigned)n,
		.regs = f->list[n].regs,
		.called = called,
		.by = by,
	};
	c->count++;
	return NULL;
}

static struct err *add_contexts(struct vmcore *h, const struct task *task, const struct frames *f,
				struct context_threads *c)
{
	struct context_place places[CONTEXT_PLACES_MAX];
	struct err *e = NULL;
	size_t count = context_places_find(f, places);
	for (size_t i = 0; !e && i < count; i++) {
		const struct context_place *p = &places[i];
		struct code_place by = code_place_of_frame(h->code, &f->list[p->by]);
		bool named = by.kind == PLACE_NAMED;
		e = add(c, task, f, p->frame, p->called, named ? strdup(by.symbol.name) : NULL);
	}
	return e;
}

struct err *context_threads_new(struct vmcore *h, struct context_threads **ret)
{
	struct err *e = NULL;
	struct context_threads *c = calloc(1, sizeof(*c));
	if (!c)
		return err_nomem();
	for (size_t i = 0; !e && i < h->tasks.count; i++) {
		struct frames frames;
		if (!h->tasks.list[i].on_cpu)
			continue;
		e = unwinder_frames(h->unwinder, &h->tasks.list[i], &frames);
		if (e)
			break;
		e = add_contexts(h, &h->tasks.list[i], &frames, c);
		frames_free(&frames);
	}
	if (e) {
		context_threads_free(c);
		return e;
	}
	*ret = c;
	return NULL;
}
