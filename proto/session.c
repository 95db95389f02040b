// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/session.h"

#include <stdlib.h>
#include <string.h>

struct target_view session_view(const struct rsp *s, uint64_t tid)
{
	return tid == s->view.tid ? s->view
				  : (struct target_view){ .tid = tid,
							  .physical = s->view.physical,
							  .member = s->view.member };
}

void session_select(struct rsp *s, uint64_t tid)
{
	if (tid == s->named.tid && s->named_process == s->processes.current)
		s->view = s->named;
	else
		s->view = session_view(s, tid);
	s->named.tid = 0;
}

void session_note_stop(struct rsp *s)
{
	s->stop_tid = s->view.tid;
	s->stop_id = s->processes.list[s->processes.current].id;
}

void session_cancel(struct rsp *s)
{
	if (s->job)
		target_cancel_command(s->job_of, s->job);
	s->job = NULL;
	session_end_wait(s);
	s->busy = NULL;
	s->held = NULL;
	buf_free(&s->console);
}

void session_tell_program(const struct rsp *s)
{
	const char *program = session_is_lldb(s) ? "lldb" : s->is_gdb ? "gdb" : NULL;
	if (program)
		target_member_is(s->target, s->view.member, program);
}

void session_end_wait(struct rsp *s)
{
	if (s->wait.on)
		target_unwait(s->target, s->view.member);
	buf_free(&s->wait.words);
	s->wait = (struct wait){ .words = BUF_INIT };
}

void session_close_files(struct rsp *s)
{
	for (size_t i = 0; i < s->files.count; i++) {
		if (s->files.slots[i])
			target_close_file(s->base, s->files.slots[i]);
		free(s->files.readings[i].name);
	}
	free(s->files.slots);
	free(s->files.readings);
	s->files = (struct open_files){ 0 };
}

/* lldb docs, "QEnableErrorStrings". */
static void lldb_error(struct reply *r, enum reply_error code, const char *text)
{
	reply_error(r, code, text);
	buf_addch(r->out, ';');
	buf_addhex(r->out, text, strlen(text));
}

/* gdb manual, "Standard Replies": E.errtext. */
static void gdb_error(struct reply *r, const char *text)
{
	reply_clear(r);
	buf_addstr(r->out, "E.");
	reply_text(r, text);
	reply_failed(r, text);
}

void session_error(const struct rsp *s, struct reply *r, enum reply_error code, const char *text)
{
	if (session_is_lldb(s) && s->error_strings)
		lldb_error(r, code, text);
	else if (!session_is_lldb(s) && s->error_text)
		gdb_error(r, text);
	else
		reply_error(r, code, text);
}

void session_refuse(const struct rsp *s, struct reply *r, const char *text)
{
	if (session_is_lldb(s))
		session_error(s, r, REPLY_E_REFUSED, text);
	else
		gdb_error(r, text);
}
