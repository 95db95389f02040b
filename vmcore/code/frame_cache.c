// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/frame_cache.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/err.h"
#include "vmcore/code/unwind_source.h"

/* A task's frames take some 10 KiB, and 300 KiB at most: as many as sessions look at at once. */
enum { KEPT = 16 };

struct kept {
	const struct task *task; /* NULL: free */
	struct frames frames;
	unsigned long used; /* when, by the cache's clock */
};

struct frame_cache {
	struct unwinder *u; /* borrowed */
	struct kept kept[KEPT];
	unsigned long clock; /* requests so far */
};

struct err *frame_cache_new(struct unwinder *u, struct frame_cache **ret)
{
	struct frame_cache *c = calloc(1, sizeof(*c));
	if (!c)
		return err_nomem();
	c->u = u;
	*ret = c;
	return NULL;
}

void frame_cache_forget(struct frame_cache *c)
{
	for (size_t i = 0; i < KEPT; i++) {
		frames_free(&c->kept[i].frames);
		c->kept[i] = (struct kept){ 0 };
	}
}

void frame_cache_free(struct frame_cache *c)
{
	if (!c)
		return;
	frame_cache_forget(c);
	free(c);
}

/* The place of @task; if it has none, the one that was used the longest time ago. */
static struct kept *find(struct frame_cache *c, const struct task *task)
{
	struct kept *oldest = c->kept;
	for (size_t i = 0; i < KEPT; i++) {
		if (c->kept[i].task == task)
			return &c->kept[i];
		if (c->kept[i].used < oldest->used)
			oldest = &c->kept[i];
	}
	return oldest;
}

struct err *frame_cache_get(struct frame_cache *c, const struct task *task,
			    const struct frames **ret)
{
	struct kept *k = find(c, task);
	if (k->task != task) {
		struct frames frames;
		struct err *e = unwinder_frames(c->u, task, &frames);
		if (e)
			return e;
		frames_free(&k->frames);
		k->frames = frames;
		k->task = task;
	}
	k->used = ++c->clock;
	*ret = &k->frames;
	return NULL;
}
