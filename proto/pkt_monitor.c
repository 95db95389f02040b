// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * qRcmd,HEX (gdb manual, "General Query Packets"): `monitor` and what follows it. Output goes as
 * console packets, which gdb and lldb both print as it is; lldb would not decode a hex reply.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "proto/packet.h"
#include "proto/session.h"
#include "proto/target.h"

/* ",HEX" into the scratch buffer; NULL if it is no line of text. */
static const char *parse_line(struct rsp *s, struct cursor *args)
{
	size_t digits;
	cursor_expect(args, ',');
	const char *hex = cursor_rest(args, &digits);
	size_t len = digits / 2;
	buf_reset(&s->scratch);
	if (!cursor_done(args) || !buf_reserve(&s->scratch, len) ||
	    !hex_decode(s->scratch.data, hex, digits) || memchr(s->scratch.data, 0, len))
		return NULL;
	s->scratch.len = len;
	s->scratch.data[len] = 0;
	return s->scratch.data;
}

/* gdb says nothing when its user goes to another inferior of which it has read all that it shows:
 * so the answer says whose it is. */
static void say_whose(struct rsp *s)
{
	size_t attached = 0;
	for (size_t i = 0; i < s->processes.count; i++)
		attached += s->processes.list[i].attached;
	if (attached > 1)
		buf_addf(&s->console, "[%s]\n", target_name(s->target));
}

/* Begins or continues; *ret_done says whether the command is done, which it is after an error. */
static struct err *run(struct rsp *s, const char *line, bool *ret_done)
{
	struct target_job *job = s->job;
	struct err *e;
	if (!job)
		say_whose(s);
	if (job) {
		e = target_continue_command(s->target, &s->view, job, &s->console, ret_done);
	} else {
		e = target_run_command(s->target, &s->view, line, &s->console, &job);
		*ret_done = !job;
	}
	s->job = *ret_done ? NULL : job;
	s->job_of = s->target;
	return e;
}

/* The same for the thread that was named last, which need not be the one that is selected. */
static struct err *run_named(struct rsp *s, const char *line, bool *ret_done)
{
	size_t selected = s->processes.current;
	if (!s->named.tid)
		return run(s, line, ret_done);
	process_select(s, s->named_process);
	struct target_view view = s->view;
	s->view = s->named;
	struct err *e = run(s, line, ret_done);
	s->named = s->view;
	s->view = view;
	process_select(s, selected);
	return e;
}

/* Puts the output so far in front of the reply. */
static void pass_on(struct rsp *s, struct reply *r)
{
	r->out->failed |= s->console.failed;
	reply_console(r, s->console.data, s->console.len);
	buf_reset(&s->console);
}

/*
 * gdb 16 shows an error's text. To others it is printed like output, and the error that ends it
 * only says that there was one.
 */
static void finish(struct rsp *s, struct reply *r, struct err *e)
{
	bool shown = !e || s->error_text;
	if (!shown)
		buf_addf(&s->console, "%s\n", err_msg(e));
	pass_on(s, r);
	if (!e)
		reply_ok(r);
	else if (shown)
		session_error(s, r, REPLY_E_REFUSED, err_msg(e));
	else
		reply_err(r, REPLY_E_REFUSED, e);
	err_free(e);
	buf_free(&s->console);
}

enum packet_result packet_monitor(struct rsp *s, struct cursor *args, struct reply *r)
{
	bool done;
	const char *line = parse_line(s, args);
	if (line && s->note && !s->busy) {
		buf_addf(&s->console, "%s\n", s->note);
		free(s->note);
		s->note = NULL;
	}
	if (!line) {
		reply_error(r, REPLY_E_REFUSED, "it is no line of text in hex digits");
		return PACKET_REPLY;
	}
	struct err *e = run_named(s, line, &done);
	if (!done) {
		/* What fills a packet goes out now: a long list takes no memory. */
		if (s->console.len >= CONSOLE_CHUNK)
			pass_on(s, r);
		return PACKET_AGAIN;
	}
	finish(s, r, e);
	return PACKET_REPLY;
}
