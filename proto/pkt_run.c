// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Why it stands still, and that it will: ?, what resumes, and what would change something (gdb
 * manual, "Packets"). Each refusal is in the form that keeps the client's session.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "proto/packet.h"
#include "proto/session.h"
#include "proto/shared.h"
#include "proto/stop.h"
#include "proto/thread_id.h"

/* Refusals name what the target is; a longer name is cut. */
#define TEXT_MAX 160

/* A stop reply to lldb, with the threads if it asked for them: a list saves it a packet a thread.
 */
static enum packet_result reply_stop_lldb(struct rsp *s, struct reply *r, const char *reason)
{
	const struct buf *json, *stop_threads = NULL;
	if (s->list_in_stop) {
		if (!s->busy)
			shared_renew_threads(s->shared);
		struct err *e = shared_threads_lldb(s->shared, &json, &stop_threads);
		if (!e && !stop_threads)
			return PACKET_AGAIN;
		/* Without the list lldb asks for it, and is told what is wrong. */
		err_free(e);
	}
	stop_add_lldb(s, r, s->view.tid, reason, stop_threads);
	return PACKET_REPLY;
}

/* ? */
enum packet_result packet_why(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)args;
	s->stop_tid = s->view.tid;
	if (session_is_lldb(s))
		return reply_stop_lldb(s, r, shared_stop_reason(s->shared));
	stop_add_gdb(s, r, s->view.tid, STOP_SIGTRAP);
	return PACKET_REPLY;
}

/* What lldb shows as the reason: why it stands still is not forgotten by who tries to go on. */
static enum packet_result resume_lldb(struct rsp *s, struct reply *r)
{
	const char *reason = shared_stop_reason(s->shared);
	struct buf text = BUF_INIT;
	buf_addf(&text, "%s%sthis is %s: it cannot run%s", reason ? reason : "", reason ? " (" : "",
		 s->target->what, reason ? ")" : "");
	enum packet_result result = reply_stop_lldb(s, r, text.failed ? reason : text.data);
	buf_free(&text);
	return result;
}

/*
 * An empty reply makes gdb hang, an error makes lldb lose the session. gdb prints the O text and,
 * for T00, that the thread stopped; T05 would claim a SIGTRAP. lldb resumes for ever on T00, and
 * shows the description of an exception.
 */
static enum packet_result resume(struct rsp *s, struct reply *r)
{
	char text[TEXT_MAX];
	s->stop_tid = s->view.tid;
	if (session_is_lldb(s))
		return resume_lldb(s, r);
	/* What gdb prints comes with its own line end. */
	snprintf(text, sizeof(text), "this is %s: it cannot run\n", s->target->what);
	reply_console(r, text, strlen(text));
	buf_addf(r->out, "T00thread:%" PRIx64 ";", s->view.tid);
	return PACKET_REPLY;
}

/*
 * c, C. It stays with the thread that the last stop reply named. The selected one is whose
 * registers were read last, and front ends read those of all threads, and then continue by
 * themselves: their users would be taken to the last thread of the list. The thread of a stop reply
 * is selected for gdb, which sends no Hg for it.
 */
enum packet_result packet_continue(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)args;
	if (s->stop_tid && target_thread_alive(s->target, s->stop_tid))
		session_select(s, s->stop_tid);
	return resume(s, r);
}

/* s, S: of the thread that is selected. */
enum packet_result packet_step(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)args;
	return resume(s, r);
}

/* vCont: its first action, which is what it says of one thread. */
enum packet_result packet_vcont(struct rsp *s, struct cursor *args, struct reply *r)
{
	size_t len;
	uint64_t tid;
	cursor_expect(args, ';');
	bool step = cursor_skip(args, 's') || cursor_skip(args, 'S') || cursor_skip(args, 'r');
	if (!step)
		return packet_continue(s, args, r);
	/* A signal, or r's range. */
	cursor_until(args, ':', &len);
	if (cursor_skip(args, ':') && thread_id_read(s, args, &tid) == THREAD_ONE)
		session_select(s, tid);
	return packet_step(s, args, r);
}

/* G, P, M, X */
enum packet_result packet_write(struct rsp *s, struct cursor *args, struct reply *r)
{
	char text[TEXT_MAX];
	(void)args;
	snprintf(text, sizeof(text), "this is %s: it cannot be changed", s->target->what);
	session_refuse(s, r, text);
	return PACKET_REPLY;
}

/*
 * Z and z of all kinds. gdb inserts breakpoints when it resumes, and the resume is answered with a
 * stop: OK claims nothing, and an error would end a "finish" before that, which leaves front ends
 * waiting for a stop for ever. lldb inserts at once, and shows the breakpoint as unresolved after
 * an error, which is the truth.
 */
enum packet_result packet_breakpoint(struct rsp *s, struct cursor *args, struct reply *r)
{
	char text[TEXT_MAX];
	(void)args;
	if (!session_is_lldb(s)) {
		reply_ok(r);
		return PACKET_REPLY;
	}
	snprintf(text, sizeof(text), "this is %s: it cannot run into a breakpoint",
		 s->target->what);
	session_error(s, r, REPLY_E_REFUSED, text);
	return PACKET_REPLY;
}
