// SPDX-License-Identifier: GPL-2.0-or-later
/* `stacks`: threads whose frames are at the same places, counted. */
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/map.h"
#include "base/slice.h"
#include "server/monitor/commands.h"
#include "server/monitor/frames/frames.h"
#include "server/monitor/job.h"
#include "server/service.h"
#include "vmcore/code/unwind_source.h"
#include "vmcore/vmcore.h"

enum {
	TIDS_SHOWN = 16, /* of a stack, in words */
};

/* Threads with the same stack. */
struct group {
	struct frames frames; /* owned; the first thread's */
	uint32_t *tids;	      /* owned */
	size_t count, capacity;
	uint32_t next; /* of the group with the same hash, plus 1; 0: none */
};

struct stacks {
	struct target_job job;
	struct group *list; /* owned */
	size_t count, capacity;
	struct map by_hash; /* -> index in list of the first such group */
	bool json;
	uint64_t next_tid; /* the lowest thread id that is left to unwind */
	bool counted;	   /* all of them */
	size_t next_group; /* to print */
};

/* ---- grouping ---- */

static uint64_t hash_of(const struct frames *f)
{
	uint64_t hash = map_hash(f->count + 1);
	for (size_t i = 0; i < f->count; i++)
		hash = map_hash(hash ^ regs_pc(&f->list[i].regs));
	for (const char *c = f->why ? f->why : ""; !f->count && *c; c++)
		hash = map_hash(hash ^ (unsigned char)*c);
	return hash;
}

/* Whether the places are the same; of what has no frames, the reasons. */
static bool same_stack(const struct frames *a, const struct frames *b)
{
	if (a->count != b->count || a->end != b->end)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (regs_pc(&a->list[i].regs) != regs_pc(&b->list[i].regs))
			return false;
	return a->count || !strcmp(a->why ? a->why : "", b->why ? b->why : "");
}

static struct err *add_tid(struct group *g, uint32_t tid)
{
	if (g->count == g->capacity) {
		size_t capacity = g->capacity ? 2 * g->capacity : 4;
		uint32_t *tids = reallocarray(g->tids, capacity, sizeof(*tids));
		if (!tids)
			return err_nomem();
		g->tids = tids;
		g->capacity = capacity;
	}
	g->tids[g->count++] = tid;
	return NULL;
}

/* A group for @frames, which it takes. */
static struct err *add_group(struct stacks *s, uint64_t hash, struct frames *frames,
			     struct group **ret)
{
	uint64_t first = 0;
	if (s->count == s->capacity) {
		size_t capacity = s->capacity ? 2 * s->capacity : 64;
		struct group *list = reallocarray(s->list, capacity, sizeof(*list));
		if (!list)
			return err_nomem();
		s->list = list;
		s->capacity = capacity;
	}
	bool others = map_get(&s->by_hash, hash, &first);
	if (!map_put(&s->by_hash, hash, s->count))
		return err_nomem();
	struct group *g = &s->list[s->count++];
	*g = (struct group){ .frames = *frames, .next = others ? (uint32_t)first + 1 : 0 };
	*frames = (struct frames){ 0 };
	*ret = g;
	return NULL;
}

static struct group *find_group(struct stacks *s, uint64_t hash, const struct frames *frames)
{
	uint64_t first;
	if (!map_get(&s->by_hash, hash, &first))
		return NULL;
	for (uint32_t n = (uint32_t)first + 1; n; n = s->list[n - 1].next)
		if (same_stack(&s->list[n - 1].frames, frames))
			return &s->list[n - 1];
	return NULL;
}

static struct err *count_task(struct vmcore *h, struct stacks *s, const struct task *task)
{
	struct frames frames;
	struct err *e = unwinder_frames(h->unwinder, task, &frames);
	if (e)
		return e;
	uint64_t hash = hash_of(&frames);
	struct group *g = find_group(s, hash, &frames);
	if (!g)
		e = add_group(s, hash, &frames, &g);
	if (!e)
		e = add_tid(g, task->tid);
	frames_free(&frames);
	return e;
}

/* Most threads first; of the same number, the one with the lowest thread id. */
static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->tids[0] < y->tids[0] ? -1 : 1;
}

/* ---- printing ---- */

static void group_json(const struct vmcore *h, const struct group *g, struct buf *out)
{
	struct json j = JSON_INIT(out);
	json_object(&j, NULL);
	json_u64(&j, "threads", g->count);
	json_array(&j, "tids");
	for (size_t i = 0; i < g->count; i++)
		json_u64(&j, NULL, g->tids[i]);
	json_end(&j);
	json_array(&j, "frames");
	for (size_t i = 0; i < g->frames.count; i++) {
		json_object(&j, NULL);
		add_place_members(&j, h, &g->frames.list[i]);
		json_end(&j);
	}
	json_end(&j);
	add_end_members(&j, &g->frames);
	json_end(&j);
	buf_addch(out, '\n');
}

static void group_text(const struct vmcore *h, const struct group *g, struct buf *out)
{
	buf_addf(out, "%zu thread%s:", g->count, g->count == 1 ? "" : "s");
	for (size_t i = 0; i < g->count && i < TIDS_SHOWN; i++)
		buf_addf(out, " %" PRIu32, g->tids[i]);
	if (g->count > TIDS_SHOWN)
		buf_addf(out, " and %zu more", g->count - TIDS_SHOWN);
	buf_addch(out, '\n');
	for (size_t i = 0; i < g->frames.count; i++) {
		add_frame_line(h, i, &g->frames.list[i], out);
		i += add_repeats(&g->frames, i, out);
	}
	if (g->frames.why)
		buf_addf(out, "lost: %s\n", g->frames.why);
	buf_addch(out, '\n');
}

static void print_slice(const struct vmcore *h, struct stacks *s, struct buf *out)
{
	const struct slice now = slice_begin();
	while (s->next_group < s->count && !slice_is_over(&now)) {
		const struct group *g = &s->list[s->next_group++];
		if (s->json)
			group_json(h, g, out);
		else
			group_text(h, g, out);
	}
}

/* ---- the command ---- */

static struct err *stacks_slice(struct vmcore *h, struct target_job *job, struct buf *out,
				bool *ret_done)
{
	struct stacks *s = (struct stacks *)job;
	struct err *e = NULL;
	if (s->counted) {
		print_slice(h, s, out);
		*ret_done = s->next_group == s->count;
		return NULL;
	}
	size_t task = tasks_from(&h->tasks, s->next_tid);
	const struct slice now = slice_begin();
	for (; !e && task < h->tasks.count && !slice_is_over(&now); task++) {
		s->next_tid = (uint64_t)h->tasks.list[task].tid + 1;
		e = count_task(h, s, &h->tasks.list[task]);
	}
	s->counted = task == h->tasks.count;
	if (!e && s->counted)
		qsort(s->list, s->count, sizeof(*s->list), compare_groups);
	return e;
}

static void stacks_free(struct target_job *job)
{
	struct stacks *s = (struct stacks *)job;
	for (size_t i = 0; i < s->count; i++) {
		frames_free(&s->list[i].frames);
		free(s->list[i].tids);
	}
	free(s->list);
	map_free(&s->by_hash);
	free(s);
}

struct err *monitor_stacks(struct service *service, struct target_view *view,
			   const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	(void)h, (void)view, (void)out;
	struct stacks *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem();
	s->job = (struct target_job){ .slice = stacks_slice,
				      .free = stacks_free,
				      .rests_on = JOB_ON_NOTHING };
	s->json = args->printer == PRINT_JSON;
	*args->ret_job = &s->job;
	return NULL;
}
