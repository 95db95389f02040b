// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets that select, list and describe threads (gdb manual, "Packets", "General Query Packets")
 */
#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "proto/packet.h"
#include "proto/session.h"
#include "proto/shared.h"
#include "proto/thread_id.h"

/* The longest entry of a thread list: a separator and 16 digits. */
#define ENTRY_MAX 17

/*
 * Hg, Hc and a thread. "Any" and "all" keep the selection, which always is some thread. Hc says
 * what to resume, and nothing ever is.
 */
enum packet_result packet_select(struct rsp *s, struct cursor *args, struct reply *r)
{
	uint64_t tid;
	bool for_registers = cursor_skip(args, 'g');
	if (!for_registers)
		cursor_expect(args, 'c');
	enum thread_id_kind kind = thread_id_read(s, args, &tid);
	if (kind == THREAD_NONE || !cursor_done(args)) {
		reply_error(r, REPLY_E_REFUSED, "there is no such thread");
		return PACKET_REPLY;
	}
	if (for_registers && kind == THREAD_ONE)
		session_select(s, tid);
	reply_ok(r);
	return PACKET_REPLY;
}

/* T and a thread: whether there is one. */
enum packet_result packet_alive(struct rsp *s, struct cursor *args, struct reply *r)
{
	uint64_t tid;
	if (thread_id_read(s, args, &tid) == THREAD_ONE && cursor_done(args))
		reply_ok(r);
	else
		reply_error(r, REPLY_E_REFUSED, "there is no such thread");
	return PACKET_REPLY;
}

/* qC */
enum packet_result packet_current(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)args;
	buf_addf(r->out, "QC%" PRIx64, s->view.tid);
	return PACKET_REPLY;
}

/* The thread ids from s->next_listed on, as many as a packet holds. */
static void list_threads(struct rsp *s, struct reply *r)
{
	const uint64_t *tids;
	size_t count;
	struct err *e = target_threads(s->target, &tids, &count);
	if (e) {
		session_error(s, r, REPLY_E_REFUSED, err_msg(e));
		err_free(e);
		return;
	}
	if (s->next_listed >= count) {
		buf_addch(r->out, 'l');
		return;
	}
	char separator = 'm';
	for (; s->next_listed < count && reply_room(r) >= ENTRY_MAX; s->next_listed++) {
		buf_addf(r->out, "%c%" PRIx64, separator, tids[s->next_listed]);
		separator = ',';
	}
}

/* qfThreadInfo */
enum packet_result packet_first_threads(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)args;
	s->next_listed = 0;
	shared_renew_threads(s->shared);
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
	uint64_t tid;
	cursor_expect(args, ',');
	if (thread_id_read(s, args, &tid) != THREAD_ONE || !cursor_done(args)) {
		reply_error(r, REPLY_E_REFUSED, "there is no such thread");
		return PACKET_REPLY;
	}
	struct target_thread thread;
	shared_describe(s->shared, tid, &thread);
	buf_addhex(r->out, thread.name, strlen(thread.name));
	return PACKET_REPLY;
}
