// SPDX-License-Identifier: GPL-2.0-or-later
/* lldb's own ways to ask about threads (lldb docs, "jThreadsInfo", "qThreadStopInfo"). */
#include "base/err.h"
#include "proto/packet.h"
#include "proto/session.h"
#include "proto/shared.h"
#include "proto/stop.h"
#include "proto/thread_id.h"

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
	reply_json(r, json);
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
