// SPDX-License-Identifier: GPL-2.0-or-later
/* Attaching to what another process serves. */
#include "base/err.h"
#include "proto/packet.h"
#include "proto/session.h"
#include "proto/target.h"

/*
 * gdb manual, "Packets", vAttach;PID: gdb's `attach` after `target extended-remote`. The answer, a
 * stop reply, comes from who serves it: the client is handed over.
 */
enum packet_result packet_attach_elsewhere(struct rsp *s, struct cursor *args, struct reply *r)
{
	bool ready;
	cursor_expect(args, ';');
	uint64_t id = cursor_hex(args);
	if (!cursor_done(args) || !id) {
		reply_error(r, REPLY_E_REFUSED, "it names nothing to attach to");
		return PACKET_REPLY;
	}
	struct err *e = target_open(s->target, id, &ready);
	if (e) {
		session_refuse(s, r, err_msg(e));
		err_free(e);
		return PACKET_REPLY;
	}
	if (!ready)
		return PACKET_AGAIN;
	s->goes_to = id;
	return PACKET_SILENT;
}
