// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets that select, list and describe threads (gdb manual, "Packets", "General Query Packets")
 */
#include <string.h>

#include "base/err.h"
#include "proto/packet.h"
#include "proto/session.h"
#include "proto/shared.h"
#include "proto/thread_id.h"

/* The longest entry of a thread list: a separator and two numbers of 16 digits. */
#define ENTRY_MAX 35

/*
 * Hg, Hc and a thread. "Any" and "all" keep the selection, which always is some thread. Hc says
 * what to resume, and nothing ever is.
 */
enum packet_result packet_select(struct rsp *s, struct cursor *args, struct reply *r)
{
	struct thread_id id;
	bool for_registers = cursor_skip(args, 'g');
	if (!for_registers)
		cursor_expect(args, 'c');
	enum thread_id_kind kind = thread_id_read(s, args, &id);
	if (kind == THREAD_NONE || !cursor_done(args)) {
		reply_error(r, REPLY_E_REFUSED, "there is no such thread");
		return PACKET_REPLY;
	}
	if (for_registers && id.process != s->processes.current) {
		process_select(s, id.process);
		s->named.tid = kind == THREAD_ONE ? s->named.tid : 0;
	}
	if (for_registers && kind == THREAD_ONE)
		session_select(s, id.tid);
	reply_ok(r);
	return PACKET_REPLY;
}

/* T and a thread: whether there is one. */
enum packet_result packet_alive(struct rsp *s, struct cursor *args, struct reply *r)
{
	struct thread_id id;
	if (thread_id_read(s, args, &id) != THREAD_ONE || !cursor_done(args)) {
		reply_error(r, REPLY_E_REFUSED, "there is no such thread");
		return PACKET_REPLY;
	}
	if (s->named.tid != id.tid || s->named_process != id.process) {
		s->named =
			id.process == s->processes.current
				? session_view(s, id.tid)
				: (struct target_view){ .tid = id.tid, .member = s->view.member };
		s->named_process = id.process;
	}
	reply_ok(r);
	return PACKET_REPLY;
}

/* qC */
enum packet_result packet_current(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)args;
	buf_addstr(r->out, "QC");
	thread_id_add(s, s->view.tid, r->out);
	return PACKET_REPLY;
}

/* The next process that there are threads of to list; false if there is none. */
static bool find_listed(struct rsp *s)
{
	while (s->next_process < s->processes.count && !s->processes.list[s->next_process].attached)
		s->next_process++;
	return s->next_process < s->processes.count;
}

/* The current process's ids from s->next_listed on, as many as a packet holds. */
static void list_process(struct rsp *s, struct reply *r)
{
	const uint64_t *tids;
	size_t count;
	struct err *e = target_threads(s->target, &tids, &count);
	if (e) {
		session_error(s, r, REPLY_E_REFUSED, err_msg(e));
		err_free(e);
		return;
	}
	for (; s->next_listed < count && reply_room(r) >= ENTRY_MAX; s->next_listed++) {
		buf_addch(r->out, reply_is_empty(r) ? 'm' : ',');
		thread_id_add(s, tids[s->next_listed], r->out);
	}
	if (s->next_listed < count)
		return;
	s->next_listed = 0;
	s->next_process++;
}

/* What is left to list; a reply has ids of one process. */
static void list_threads(struct rsp *s, struct reply *r)
{
	size_t selected = s->processes.current;
	while (reply_is_empty(r) && find_listed(s)) {
		process_select(s, s->next_process);
		list_process(s, r);
	}
	process_select(s, selected);
	if (reply_is_empty(r))
		buf_addch(r->out, 'l');
}

/* qfThreadInfo */
enum packet_result packet_first_threads(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)args;
	s->next_process = s->next_listed = 0;
	for (size_t i = 0; i < s->processes.count; i++)
		if (s->processes.list[i].attached)
			shared_renew_threads(s->processes.list[i].shared);
	list_threads(s, r);
	return PACKET_REPLY;
}

/* qsThreadInfo */
enum packet_result packet_next_threads(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)args;
	list_threads(s, r);
	return PACKET_REPLY;
}

/* qThreadExtraInfo,TID: what gdb prints behind the thread when it has no qXfer:threads. */
enum packet_result packet_extra_info(struct rsp *s, struct cursor *args, struct reply *r)
{
	struct thread_id id;
	cursor_expect(args, ',');
	if (thread_id_read(s, args, &id) != THREAD_ONE || !cursor_done(args)) {
		reply_error(r, REPLY_E_REFUSED, "there is no such thread");
		return PACKET_REPLY;
	}
	struct target_thread thread;
	shared_describe(s->processes.list[id.process].shared, id.tid, &thread);
	buf_addhex(r->out, thread.name, strlen(thread.name));
	return PACKET_REPLY;
}
