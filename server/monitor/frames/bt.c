// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/slice.h"
#include "proto/target.h"
#include "server/monitor/commands.h"
#include "server/monitor/frames/frames.h"
#include "server/monitor/job.h"
#include "server/monitor/noted.h"
#include "server/service.h"
#include "vmcore/code/frame_cache.h"
#include "vmcore/code/unwind_source.h"
#include "vmcore/vmcore.h"

/* What the command line asks for. */
struct wanted {
	const struct task *task; /* NULL: all */
	struct frames_detail detail;
	bool json;
};

static void show(struct vmcore *h, const struct task *task, const struct frames *frames,
		 const struct wanted *w, struct buf *out)
{
	if (w->json)
		add_frames_json(h, task, frames, &w->detail, out);
	else
		add_frames_text(h, task, frames, &w->detail, out);
}

/* ---- all threads ---- */

struct all {
	struct target_job job;
	struct wanted wanted;
	uint64_t next; /* the lowest thread id that is left */
};

static struct err *show_slice(struct vmcore *h, struct target_job *job, struct buf *out,
			      bool *ret_done)
{
	struct all *a = (struct all *)job;
	struct err *e = NULL;
	const struct slice now = slice_begin();
	size_t n = tasks_from(&h->tasks, a->next);
	while (n < h->tasks.count) {
		const struct task *task = &h->tasks.list[n];
		struct frames frames;
		a->next = (uint64_t)task->tid + 1;
		e = unwinder_frames(h->unwinder, task, &frames);
		if (e)
			break;
		show(h, task, &frames, &a->wanted, out);
		if (!a->wanted.json)
			buf_addch(out, '\n');
		frames_free(&frames);
		n++;
		if (slice_is_over(&now))
			break;
	}
	*ret_done = n == h->tasks.count;
	return e;
}

static void free_all(struct target_job *job)
{
	free(job);
}

static struct err *show_all(const struct wanted *w, struct target_job **ret_job)
{
	struct all *a = calloc(1, sizeof(*a));
	if (!a)
		return err_nomem();
	a->job = (struct target_job){ .slice = show_slice,
				      .free = free_all,
				      .rests_on = JOB_ON_NOTHING };
	a->wanted = *w;
	*ret_job = &a->job;
	return NULL;
}

/* ---- the command line ---- */

static struct err *task_on_cpu(const struct vmcore *h, const char *text, const struct task **ret)
{
	uint64_t number;
	if (!text || !number_parse(text, false, &number) || number > UINT32_MAX)
		return err_new(ERR_INVALID, "--cpu takes the number of a CPU");
	const struct cpu *cpu = cpus_find(&h->cpus, (unsigned)number);
	if (!cpu)
		return err_new(ERR_NOTFOUND, "there is no CPU %" PRIu64, number);
	if (cpu->unstarted)
		return err_new(ERR_NOTFOUND, "CPU %" PRIu64 " was never started", number);
	*ret = tasks_on_cpu(&h->tasks, cpu);
	return *ret ? NULL
		    : err_new(ERR_NOTFOUND, "what runs on CPU %" PRIu64 " is unknown", number);
}

static struct err *task_by_id(const struct vmcore *h, const char *text, const struct task **ret)
{
	uint64_t tid;
	if (!number_parse(text, false, &tid))
		return err_new(ERR_INVALID, "'%s' is no thread id", text);
	*ret = tasks_find(&h->tasks, tid);
	return *ret ? NULL : err_new(ERR_NOTFOUND, "there is no thread %" PRIu64, tid);
}

static bool parse_detail(const char *word, struct frames_detail *detail)
{
	const struct {
		const char *name;
		bool *member;
	} options[] = {
		{ "--regs", &detail->regs },
		{ "--raw", &detail->raw },
		{ "--inline", &detail->inlined },
	};
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		if (strcmp(word, options[i].name) != 0)
			continue;
		*options[i].member = true;
		return true;
	}
	return false;
}

static struct err *parse(const struct vmcore *h, const struct target_view *view,
			 const struct monitor_arguments *args, struct wanted *ret)
{
	bool chosen = false;
	struct wanted w = { .task = tasks_find(&h->tasks, view->tid),
			    .json = args->printer == PRINT_JSON };
	for (size_t i = 0; i < args->count; i++) {
		const char *word = args->list[i];
		struct err *e = NULL;
		if (parse_detail(word, &w.detail))
			continue;
		if (word[0] == '-' && strcmp(word, "--all") != 0 && strcmp(word, "--cpu") != 0)
			return err_new(ERR_INVALID,
				       "there is no option '%s'; there are --all, --cpu N, --regs, "
				       "--raw, --inline and --json",
				       word);
		if (chosen)
			return err_new(ERR_INVALID, "one of TID, --all and --cpu will do");
		chosen = true;
		if (!strcmp(word, "--all"))
			w.task = NULL;
		else if (!strcmp(word, "--cpu"))
			e = task_on_cpu(h, ++i < args->count ? args->list[i] : NULL, &w.task);
		else
			e = task_by_id(h, word, &w.task);
		if (e)
			return e;
	}
	if (!chosen && !w.task)
		return err_new(ERR_NOTFOUND, "there is no thread %" PRIu64, view->tid);
	*ret = w;
	return NULL;
}

struct err *monitor_bt(struct service *service, struct target_view *view,
		       const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	struct wanted w = { 0 };
	const struct frames *frames;
	struct err *e = parse(h, view, args, &w);
	if (e)
		return e;
	noted_look(service, w.json, out);
	w.detail.notes = service->notes;
	if (!w.task)
		return show_all(&w, args->ret_job);
	e = frame_cache_get(h->frames, w.task, &frames);
	if (!e)
		show(h, w.task, frames, &w, out);
	return e;
}
