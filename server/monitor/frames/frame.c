// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/json.h"
#include "proto/target.h"
#include "server/monitor/commands.h"
#include "server/monitor/frames/frames.h"
#include "server/service.h"
#include "unwind/unwind.h"
#include "vmcore/code/frame_cache.h"
#include "vmcore/vmcore.h"

static struct err *no_frames(const struct task *task, const struct frames *frames)
{
	return err_new(ERR_NOTFOUND, "thread %" PRIu32 " has no frames: %s", task->tid,
		       frames->why ? frames->why : "its registers are unknown");
}

/* Frame 0 is there even if nothing is known of it: it is where one returns to. */
static struct err *choose(const struct task *task, const struct frames *frames, const char *text,
			  struct target_view *view)
{
	uint64_t number;
	if (!number_parse(text, false, &number))
		return err_new(ERR_INVALID, "'%s' is no frame's number", text);
	if (number && !frames->count)
		return no_frames(task, frames);
	if (number && number >= frames->count)
		return err_new(ERR_NOTFOUND,
			       "there is no frame %" PRIu64 ": thread %" PRIu32
			       " has %zu, from 0 to %zu",
			       number, task->tid, frames->count, frames->count - 1);
	view->frame = (unsigned)number;
	return NULL;
}

static void frame_json(const struct vmcore *h, const struct task *task, const struct frames *frames,
		       unsigned number, struct buf *out)
{
	struct json j = JSON_INIT(out);
	json_object(&j, NULL);
	json_u64(&j, "tid", task->tid);
	json_u64(&j, "frame", number);
	json_u64(&j, "frames", frames->count);
	if (number < frames->count)
		add_frame_members(&j, h, &frames->list[number]);
	else if (frames->why)
		json_str(&j, "why", frames->why);
	json_end(&j);
	buf_addch(out, '\n');
}

static void frame_text(const struct vmcore *h, const struct task *task, const struct frames *frames,
		       unsigned number, struct buf *out)
{
	add_task_title(task, out);
	if (number >= frames->count) {
		buf_addf(out, ": no frames: %s\n", frames->why ? frames->why : "");
		return;
	}
	buf_addf(out, ": the registers are those of frame %u of %zu\n", number, frames->count);
	add_frame_line(h, number, &frames->list[number], out);
}

struct err *monitor_frame(struct service *service, struct target_view *view,
			  const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	const struct task *task = tasks_find(&h->tasks, view->tid);
	const struct frames *frames;
	if (!task)
		return err_new(ERR_NOTFOUND, "there is no thread %" PRIu64, view->tid);
	struct err *e = frame_cache_get(h->frames, task, &frames);
	if (!e && args->count)
		e = choose(task, frames, args->list[0], view);
	if (e)
		return e;
	if (args->printer == PRINT_JSON)
		frame_json(h, task, frames, view->frame, out);
	else
		frame_text(h, task, frames, view->frame, out);
	/* Debuggers ask once for a thread's registers, and believe them unchanged until it runs. */
	if (args->count && args->printer == PRINT_TEXT)
		buf_addstr(out,
			   "hint: to read them again: in gdb 'maintenance flush register-cache', "
			   "in lldb 'continue', which runs nothing\n");
	return NULL;
}
