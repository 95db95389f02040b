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
	if (session_is_lldb(s))
		return reply_stop_lldb(s, r, shared_stop_reason(s->shared));
	stop_add_gdb(s, r, s->view.tid, STOP_SIGTRAP);
	return PACKET_REPLY;
}

/*
 * c, C, s, S, vCont. An empty reply makes gdb hang, an error makes lldb lose the session. gdb
 * prints the O text and, for T00, that the thread stopped; T05 would claim a SIGTRAP. lldb resumes
 * for ever on T00, and shows the description of an exception.
 */
enum packet_result packet_resume(struct rsp *s, struct cursor *args, struct reply *r)
{
	char text[TEXT_MAX];
	(void)args;
	/* What gdb prints comes with its own line end. */
	snprintf(text, sizeof(text), "this is %s: it cannot run%s", s->target->what,
		 session_is_lldb(s) ? "" : "\n");
	if (session_is_lldb(s))
		return reply_stop_lldb(s, r, text);
	reply_console(r, text, strlen(text));
	buf_addf(r->out, "T00thread:%" PRIx64 ";", s->view.tid);
	return PACKET_REPLY;
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

/* Z and z of all kinds. */
enum packet_result packet_breakpoint(struct rsp *s, struct cursor *args, struct reply *r)
{
	char text[TEXT_MAX];
	(void)args;
	snprintf(text, sizeof(text), "this is %s: it cannot run into a breakpoint",
		 s->target->what);
	session_error(s, r, REPLY_E_REFUSED, text);
	return PACKET_REPLY;
}
