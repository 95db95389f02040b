// SPDX-License-Identifier: GPL-2.0-or-later
/* lldb's own ways to ask about threads (lldb docs, "jThreadsInfo", "qThreadStopInfo"). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "proto/packet.h"
#include "proto/rsp.h"
#include "proto/session.h"
#include "proto/shared.h"
#include "proto/stop.h"
#include "proto/target.h"
#include "proto/thread_id.h"

/*
 * The list for all sessions has the registers of innermost frames. One that shows another frame of
 * its thread has that one's in it, for lldb believes this list more than what it asks then. No name
 * looks like the beginning of an object, as its quotes are escaped.
 */
static void add_shown_frame(const struct rsp *s, const struct buf *json, struct buf *out)
{
	const struct register_layout *layout = &s->shared->layout;
	struct register_values values;
	char begin[40];
	snprintf(begin, sizeof(begin), "{\"tid\":%" PRIu64 ",", s->view.tid);
	const char *at = strstr(json->data, begin);
	const char *end = at ? strstr(at + 1, ",{\"tid\":") : NULL;
	if (at && !end)
		end = json->data + json->len - 1;
	buf_add(out, json->data, at ? (size_t)(at - json->data) : json->len);
	if (!at)
		return;
	struct json j = JSON_INIT(out);
	registers_read(layout, &s->view, layout->stop_first, layout->stop_count, &values);
	shared_add_thread_json(s->shared, s->view.tid,
			       s->view.tid == target_current_thread(s->target)
				       ? shared_stop_reason(s->shared)
				       : NULL,
			       &values, &j);
	buf_add(out, end, json->len - (size_t)(end - json->data));
}

/* jThreadsInfo: all threads in one reply, with names and the registers that unwinding begins at. */
enum packet_result packet_threads_json(struct rsp *s, struct cursor *args, struct reply *r)
{
	const struct buf *json, *stop_threads;
	(void)args;
	if (!s->busy)
		shared_renew_threads(s->shared);
	struct err *e = shared_threads_lldb(s->shared, &json, &stop_threads);
	if (e) {
		session_error(s, r, REPLY_E_REFUSED, err_msg(e));
		err_free(e);
		return PACKET_REPLY;
	}
	if (!json)
		return PACKET_AGAIN;
	if (!s->view.frame) {
		reply_json(r, json);
		return PACKET_REPLY;
	}
	struct buf own = BUF_INIT;
	add_shown_frame(s, json, &own);
	r->out->failed |= own.failed;
	reply_json(r, &own);
	buf_free(&own);
	return PACKET_REPLY;
}

/* qThreadStopInfoTID */
enum packet_result packet_thread_stop(struct rsp *s, struct cursor *args, struct reply *r)
{
	struct thread_id id;
	if (thread_id_read(s, args, &id) != THREAD_ONE || !cursor_done(args)) {
		reply_error(r, REPLY_E_REFUSED, "there is no such thread");
		return PACKET_REPLY;
	}
	bool current = id.tid == target_current_thread(s->target);
	stop_add_lldb(s, r, id.tid, current ? STOP_SIGTRAP : STOP_NOTHING,
		      current ? shared_stop_reason(s->shared) : NULL, NULL);
	return PACKET_REPLY;
}

/* What one more target is to lldb: a connection that is there from the beginning. */
static void add_beside(const struct rsp *s, const struct rsp_beside *beside, size_t i,
		       struct json *j)
{
	json_object(j, NULL);
	json_str(j, "plugin_name", beside->name);
	json_str(j, "session_name", beside->name);
	json_u64(j, "identifier", i);
	json_array(j, "breakpoints");
	json_end(j);
	json_object(j, "connect_info");
	json_str(j, "connect_url", beside->url);
	json_str(j, "platform_name", "remote-linux");
	json_str(j, "triple", s->target->image ? s->target->image->triple : "x86_64");
	json_bool(j, "synchronous", true);
	json_end(j);
	json_end(j);
}

/*
 * jAcceleratorPluginInitialize (lldb docs; lldb 23): meant for processors beside the one that a
 * process runs on. lldb makes a target for each, and connects to it by itself.
 */
enum packet_result packet_accelerators(struct rsp *s, struct cursor *args, struct reply *r)
{
	struct buf text = BUF_INIT;
	struct json j = JSON_INIT(&text);
	struct rsp_beside beside;
	(void)args;
	json_array(&j, NULL);
	for (size_t i = 0; s->directory->beside(s->directory->closure, i, &beside); i++)
		add_beside(s, &beside, i, &j);
	json_end(&j);
	reply_json(r, &text);
	buf_free(&text);
	return PACKET_REPLY;
}
