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
static enum packet_result reply_stop_lldb(struct rsp *s, struct reply *r, unsigned signal,
					  const char *reason)
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
	stop_add_lldb(s, r, s->view.tid, signal, reason, stop_threads);
	return PACKET_REPLY;
}

/* ? */
enum packet_result packet_why(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)args;
	if (s->target->shelf) {
		/* There is no process yet. */
		buf_addstr(r->out, "W00");
		return PACKET_REPLY;
	}
	session_note_stop(s);
	if (session_is_lldb(s))
		return reply_stop_lldb(s, r, STOP_SIGTRAP, shared_stop_reason(s->shared));
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
	enum packet_result result =
		reply_stop_lldb(s, r, STOP_SIGTRAP, text.failed ? reason : text.data);
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
	session_note_stop(s);
	if (session_is_lldb(s))
		return resume_lldb(s, r);
	/* What gdb prints comes with its own line end. */
	snprintf(text, sizeof(text), "this is %s: it cannot run\n", s->target->what);
	reply_console(r, text, strlen(text));
	buf_addstr(r->out, "T00thread:");
	thread_id_add(s, s->view.tid, r->out);
	buf_addch(r->out, ';');
	return PACKET_REPLY;
}

/* ---- waiting to be shown something ---- */

/* Selects what the client is shown; a thread that has ended since is no place to go to. */
static void look_there(struct rsp *s, const struct target_shown *shown)
{
	bool there = shown->tid && target_thread_alive(s->target, shown->tid);
	buf_addstr(&s->wait.words, shown->words);
	if (shown->tid && !there)
		buf_addstr(&s->wait.words, " (that thread has ended)");
	if (!there)
		return;
	session_select(s, shown->tid);
	s->view.frame = shown->frame;
	session_note_stop(s);
}

/* What it was shown, or that the user does not want to wait. A frame is shown by its registers
 * being those of the thread's frame 0, as by `monitor frame`: no stop reply can name one. */
static enum packet_result reply_shown(struct rsp *s, struct reply *r)
{
	enum packet_result result = PACKET_REPLY;
	const char *words = s->wait.interrupted ? NULL : s->wait.words.data;
	if (session_is_lldb(s)) {
		result = reply_stop_lldb(s, r, words ? STOP_SIGTRAP : STOP_SIGINT, words);
	} else if (words) {
		reply_console(r, words, strlen(words));
		reply_console(r, "\n", 1);
		stop_add_gdb(s, r, s->view.tid, STOP_NOTHING);
	} else {
		stop_add_gdb(s, r, s->view.tid, STOP_SIGINT);
	}
	r->out->failed |= s->wait.words.failed;
	if (result == PACKET_REPLY)
		session_end_wait(s);
	return result;
}

/*
 * A client that follows (struct target_team_ops) waits here, idle, until somebody shows it
 * something, or it says Ctrl-C. What an earlier one has shown ends with its frame.
 */
static enum packet_result wait_to_be_shown(struct rsp *s, struct reply *r)
{
	struct target_shown shown;
	if (!s->busy)
		s->view.frame = 0;
	if (!s->wait.shown && !s->wait.interrupted) {
		s->wait.on = !target_next_shown(s->target, s->view.member, &shown);
		if (s->wait.on)
			return PACKET_AGAIN;
		look_there(s, &shown);
	} else if (s->wait.on) {
		target_unwait(s->target, s->view.member);
	}
	s->wait.on = false;
	s->wait.shown = true;
	return reply_shown(s, r);
}

/*
 * c, C. It stays with the thread that the last stop reply named. The selected one is whose
 * registers were read last, and front ends read those of all threads, and then continue by
 * themselves: their users would be taken to the last thread of the list. The thread of a stop reply
 * is selected for gdb, which sends no Hg for it.
 */
enum packet_result packet_continue(struct rsp *s, struct cursor *args, struct reply *r)
{
	size_t process;
	(void)args;
	if (!s->busy && s->stop_tid && process_find(s, s->stop_id, &process)) {
		process_select(s, process);
		if (target_thread_alive(s->target, s->stop_tid))
			session_select(s, s->stop_tid);
	}
	if (s->wait.on || s->wait.shown || (!s->busy && target_follows(s->target, s->view.member)))
		return wait_to_be_shown(s, r);
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
	struct thread_id id;
	cursor_expect(args, ';');
	bool step = cursor_skip(args, 's') || cursor_skip(args, 'S') || cursor_skip(args, 'r');
	if (!step)
		return packet_continue(s, args, r);
	/* A signal, or r's range. */
	cursor_until(args, ':', &len);
	if (cursor_skip(args, ':') && thread_id_read(s, args, &id) == THREAD_ONE) {
		process_select(s, id.process);
		session_select(s, id.tid);
	}
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
