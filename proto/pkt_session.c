// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets by which client and server get to know each other, and part. */
#include <string.h>

#include "proto/packet.h"
#include "proto/session.h"
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
		if (o->clients & s->client)
			buf_addf(out, ";qXfer:%s:read+", o->name);
	}
}

/*
 * gdb manual, "General Query Packets", qSupported. multiprocess is declined: there is one process,
 * and lldb would mix up the threads of several.
 */
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
	packet_add_tokens(s->target, r->out);
	add_object_tokens(s, r->out);
	if (s->error_text)
		buf_addstr(r->out, ";error-message+");
	if (session_is_lldb(s))
		buf_addstr(r->out, ";qEcho");
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

/* gdb manual, "Packets", D and D;pid. The client closes the connection, when it wants to. */
enum packet_result packet_detach(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)s, (void)args;
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
	(void)s, (void)args;
	reply_ok(r);
	return PACKET_REPLY;
}
