// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets by which client and server get to know each other, and part. */
#include <string.h>

#include "base/err.h"
#include "proto/packet.h"
#include "proto/rsp.h"
#include "proto/session.h"
#include "proto/stop.h"
#include "proto/target.h"

/* Whether the list of features at @c holds @feature; the list is separated by ";". */
static bool has_feature(struct cursor c, const char *feature)
{
	while (cursor_left(&c)) {
		size_t len;
		const char *text = cursor_until(&c, ';', &len);
		if (len == strlen(feature) && memcmp(text, feature, len) == 0)
			return true;
		cursor_skip(&c, ';');
	}
	return false;
}

/*
 * What gdb since 8.0 says first, and in this order (remote_query_supported() of gdb/remote.c).
 * Other programs that speak its protocol say less: what they are is not certain.
 */
static bool is_gdb(struct cursor c)
{
	return cursor_skip_text(&c, "multiprocess+;") && has_feature(c, "qRelocInsn+") &&
	       has_feature(c, "vContSupported+") && has_feature(c, "QThreadEvents+") &&
	       has_feature(c, "no-resumed+");
}

/* The documents that the target brings, as far as they are for this client. */
static void add_object_tokens(const struct rsp *s, struct buf *out)
{
	for (const struct target_object *o = s->target->objects; o && o->name; o++) {
		if (o->clients & s->client && !o->of_attached)
			buf_addf(out, ";qXfer:%s:read+", o->name);
	}
}

/*
 * The extension "multiprocess" changes how gdb names threads, and whether it will attach to
 * something is not known when it asks: only where the server was told to. lldb would mix up the
 * threads of several processes.
 */
static bool may_have_several(const struct rsp *s, struct cursor features)
{
	return s->directory && s->directory->multiprocess && s->directory->id &&
	       !session_is_lldb(s) && has_feature(features, "multiprocess+");
}

/* gdb manual, "General Query Packets", qSupported. */
enum packet_result packet_supported(struct rsp *s, struct cursor *args, struct reply *r)
{
	cursor_skip(args, ':');
	/* Every lldb since 3.8 says this first; gdb's list begins with multiprocess+. */
	struct cursor list = *args;
	if (cursor_skip_text(&list, "xmlRegisters="))
		s->client = TARGET_LLDB;
	s->is_gdb = !session_is_lldb(s) && is_gdb(*args);
	session_tell_program(s);
	s->error_text = has_feature(*args, "error-message+");
	s->greeted = true;

	buf_addf(r->out, "PacketSize=%x", FRAME_PACKET_MAX);
	packet_add_tokens(s, r->out);
	add_object_tokens(s, r->out);
	if (s->error_text)
		buf_addstr(r->out, ";error-message+");
	if (session_is_lldb(s))
		buf_addstr(r->out, ";qEcho");
	if (!may_have_several(s, *args))
		return PACKET_REPLY;
	s->multiprocess = true;
	s->processes.list[0].id = s->directory->id;
	buf_addstr(r->out, ";multiprocess+");
	return PACKET_REPLY;
}

/* gdb manual, "Packet Acknowledgment". This packet itself was acknowledged already. */
enum packet_result packet_no_ack(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)args;
	s->acks = false;
	reply_ok(r);
	return PACKET_REPLY;
}

/* gdb manual, "Packets", !: nothing here depends on the extended mode. */
enum packet_result packet_extended(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)s, (void)args;
	reply_ok(r);
	return PACKET_REPLY;
}

/* gdb manual, "General Query Packets", qAttached. 1, or gdb would want to kill it in the end. */
enum packet_result packet_attached(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)s, (void)args;
	buf_addch(r->out, '1');
	return PACKET_REPLY;
}

/* gdb manual, "General Query Packets", qSymbol: OK says that no symbol is wanted. */
enum packet_result packet_symbol(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)s, (void)args;
	reply_ok(r);
	return PACKET_REPLY;
}

/* lldb docs, QThreadSuffixSupported: g and p may end in ";thread:TID;". They always may. */
enum packet_result packet_thread_suffix(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)args;
	s->client = TARGET_LLDB;
	reply_ok(r);
	return PACKET_REPLY;
}

/* lldb docs, QListThreadsInStopReply. */
enum packet_result packet_list_in_stop(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)args;
	s->list_in_stop = true;
	reply_ok(r);
	return PACKET_REPLY;
}

/* lldb docs, QEnableErrorStrings. */
enum packet_result packet_error_strings(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)args;
	s->error_strings = true;
	reply_ok(r);
	return PACKET_REPLY;
}

/*
 * lldb's qEcho:NUMBER (GDBRemoteCommunication::WaitForPacketNoLock() of lldb 14): sent when an
 * answer did not come in time, and answered by itself, after that answer. So lldb knows which
 * answers are old. It looks for "qEcho" among the features, without a plus; who does not have it
 * is asked qC.
 */
enum packet_result packet_echo(struct rsp *s, struct cursor *args, struct reply *r)
{
	size_t len;
	const char *rest = cursor_rest(args, &len);
	(void)s;
	buf_addstr(r->out, "qEcho");
	reply_binary(r, rest, len);
	return PACKET_REPLY;
}

/* ";PID" behind D and vKill: the client no longer looks at that process, if there are several. */
static bool let_go(struct rsp *s, struct cursor *args, struct reply *r)
{
	size_t i;
	if (!s->multiprocess)
		return true;
	cursor_expect(args, ';');
	uint64_t id = cursor_hex(args);
	if (!cursor_done(args) || !process_find(s, id, &i)) {
		reply_error(r, REPLY_E_REFUSED, "you are not attached to that");
		return false;
	}
	process_detach(s, i);
	return true;
}

/* gdb manual, "Packets", D and D;pid. The client closes the connection, when it wants to. */
enum packet_result packet_detach(struct rsp *s, struct cursor *args, struct reply *r)
{
	if (let_go(s, args, r))
		reply_ok(r);
	return PACKET_REPLY;
}

/*
 * gdb manual, "Packets", k: there is no reply. lldb waits for one ("killed by signal 9"). Either
 * way it is the client that goes; a dump is not killed.
 */
enum packet_result packet_kill(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)args;
	s->closing = true;
	if (!session_is_lldb(s))
		return PACKET_SILENT;
	buf_addstr(r->out, "X09");
	return PACKET_REPLY;
}

/*
 * gdb manual, "Packets", vKill. Who says kill wants to end his session: so do the Stop buttons of
 * front ends, which stay with an error. The client closes the connection. Were it unsupported, gdb
 * would send k.
 */
enum packet_result packet_vkill(struct rsp *s, struct cursor *args, struct reply *r)
{
	if (let_go(s, args, r))
		reply_ok(r);
	return PACKET_REPLY;
}

/*
 * gdb manual, "Packets", vAttach;PID: gdb's `attach` after `target extended-remote`. PID is the ID
 * of a target, in hexadecimal. gdb reads its description behind this, and of a stop its registers.
 */
enum packet_result packet_attach(struct rsp *s, struct cursor *args, struct reply *r)
{
	if (s->target->shelf)
		return packet_attach_elsewhere(s, args, r);
	cursor_expect(args, ';');
	uint64_t id = cursor_hex(args);
	if (!cursor_done(args)) {
		reply_error(r, REPLY_E_REFUSED, "it names nothing to attach to");
		return PACKET_REPLY;
	}
	struct err *e = process_attach(s, id);
	if (e) {
		session_refuse(s, r, err_msg(e));
		err_free(e);
		return PACKET_REPLY;
	}
	session_note_stop(s);
	stop_add_gdb(s, r, s->view.tid, STOP_SIGTRAP);
	return PACKET_REPLY;
}
