// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/stop.h"

#include <inttypes.h>
#include <string.h>

#include "proto/session.h"
#include "proto/shared.h"
#include "proto/thread_id.h"

/* Keys of registers are two digits. */
#define REGISTER_KEY_MAX 0xff

static void add_registers(const struct rsp_shared *shared, const struct register_values *values,
			  struct reply *r)
{
	const struct register_layout *layout = &shared->layout;
	for (size_t i = 0; i < layout->ops->expedited_count; i++) {
		size_t row = layout->ops->expedited[i];
		if (row > REGISTER_KEY_MAX || !values->known[row])
			continue;
		buf_addf(r->out, "%02zx:", row);
		registers_add_hex(layout, values, row, 1, r->out);
		buf_addch(r->out, ';');
	}
}

void stop_add_gdb(const struct rsp *s, struct reply *r, uint64_t tid, unsigned signal)
{
	const struct register_layout *layout = &s->shared->layout;
	struct target_view view = session_view(s, tid);
	struct register_values values;
	struct target_thread thread;
	registers_read(layout, &view, layout->stop_first, layout->stop_count, &values);
	shared_describe(s->shared, tid, &thread);
	buf_addf(r->out, "T%02xthread:", signal);
	thread_id_add(s, tid, r->out);
	buf_addch(r->out, ';');
	if (thread.cpu >= 0)
		buf_addf(r->out, "core:%x;", (unsigned)thread.cpu);
	add_registers(s->shared, &values, r);
}

/*
 * jstopinfo: the threads that have a reason to be stopped, which is one. With it lldb need not ask
 * qThreadStopInfo for each of the others.
 */
static void add_jstopinfo(const struct rsp *s, uint64_t tid, const char *reason,
			  const struct register_values *values, struct reply *r)
{
	struct buf text = BUF_INIT;
	struct json j = JSON_INIT(&text);
	json_array(&j, NULL);
	shared_add_thread_json(s->shared, tid, reason, values, &j);
	json_end(&j);
	buf_addstr(r->out, "jstopinfo:");
	buf_addhex(r->out, text.data, text.len);
	buf_addch(r->out, ';');
	r->out->failed |= text.failed;
	buf_free(&text);
}

void stop_add_lldb(const struct rsp *s, struct reply *r, uint64_t tid, unsigned signal,
		   const char *reason, const struct buf *stop_threads)
{
	const struct register_layout *layout = &s->shared->layout;
	struct target_view view = session_view(s, tid);
	struct register_values values;
	struct target_thread thread;
	registers_read(layout, &view, layout->stop_first, layout->stop_count, &values);
	shared_describe(s->shared, tid, &thread);
	buf_addf(r->out, "T%02xthread:%" PRIx64 ";hexname:", signal, tid);
	buf_addhex(r->out, thread.name, strlen(thread.name));
	buf_addch(r->out, ';');
	if (stop_threads)
		buf_add(r->out, stop_threads->data, stop_threads->len);
	add_registers(s->shared, &values, r);
	if (stop_threads && reason)
		add_jstopinfo(s, tid, reason, &values, r);
	if (reason) {
		buf_addstr(r->out, "reason:exception;description:");
		buf_addhex(r->out, reason, strlen(reason));
		buf_addch(r->out, ';');
	}
}
