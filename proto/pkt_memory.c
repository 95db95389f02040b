// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * m and x (gdb manual, "Packets"; lldb docs, "x"). A part of what was asked for is a good reply to
 * all clients. Nothing at all is an error, and never a text: gdb before 16 takes "E.text" for hex
 * digits.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "proto/packet.h"
#include "proto/session.h"

/* What fits in any reply: two digits a byte for m; for x, perhaps every byte escaped. */
#define READ_MAX (FRAME_PACKET_MAX / 2)

enum {
	/* A read goes in pieces: from a slow disk the client gets what a second brought, which is
	 * as good as all, and asks for the rest. */
	PIECE_SLOW = 4 << 10,
	PIECE = 64 << 10,
	LONG_MS = 1000,
	QUICK_MS = 10, /* for a piece, above which the next ones are small */
};

/* What can be read from @addr on, as target_read_memory() has it, in about a second. */
static struct err *read_pieces(const struct rsp *s, uint64_t addr, char *out, size_t len,
			       size_t *ret_done)
{
	/* Of one piece nobody asks how long it takes. */
	uint64_t start = len > PIECE_SLOW ? clock_ms() : 0, now = start;
	size_t done = 0, piece = PIECE_SLOW;
	while (done < len && now - start < LONG_MS) {
		size_t want = len - done < piece ? len - done : piece, got = 0;
		struct err *e = target_read_memory(s->target, &s->view, addr + done, out + done,
						   want, &got);
		if (e && !done)
			return e;
		err_free(e);
		done += got;
		if (e || got < want || done == len)
			break;
		uint64_t before = now;
		now = clock_ms();
		piece = now - before > QUICK_MS ? PIECE_SLOW : PIECE;
	}
	*ret_done = done;
	return NULL;
}

/* Reads memory into s->scratch; returns how many bytes, or 0 with an error in the reply. */
static size_t read_memory(struct rsp *s, uint64_t addr, uint64_t len, struct reply *r)
{
	const struct target *t = s->target;
	size_t done = 0;
	if (len > READ_MAX)
		len = READ_MAX;
	/*
	 * lldb does not say whose memory it reads: m carries no thread, and none is selected for
	 * it. Another task's user memory under the same address would be wrong silently.
	 */
	if (session_is_lldb(s) && !s->view.physical && !target_memory_is_shared(t, addr)) {
		reply_error(r, REPLY_E_FAULT,
			    "the memory differs from thread to thread, and lldb names none");
		return 0;
	}
	buf_reset(&s->scratch);
	if (!buf_reserve(&s->scratch, (size_t)len)) {
		reply_error(r, REPLY_E_NOMEM, "out of memory");
		return 0;
	}
	struct err *e = read_pieces(s, addr, s->scratch.data, (size_t)len, &done);
	if (e) {
		/* Nobody but the log is told where: it is not worth its while otherwise. */
		if (log_on(LOG_REFUSED))
			e = err_wrap(e, "%s0x%" PRIx64 " as thread %" PRIu64 " sees it",
				     s->view.physical ? "physical " : "", addr, s->view.tid);
		reply_err(r, REPLY_E_FAULT, e);
		err_free(e);
		return 0;
	}
	return done;
}

/* "ADDR,LEN", both hexadecimal, and nothing else. */
static bool parse_range(struct cursor *args, uint64_t *ret_addr, uint64_t *ret_len)
{
	*ret_addr = cursor_hex(args);
	cursor_expect(args, ',');
	*ret_len = cursor_hex(args);
	return cursor_done(args);
}

/* mADDR,LEN. Nothing asked for would be an empty reply, which says something else. */
enum packet_result packet_memory_hex(struct rsp *s, struct cursor *args, struct reply *r)
{
	uint64_t addr, len;
	if (!parse_range(args, &addr, &len) || !len) {
		reply_error(r, REPLY_E_REFUSED, "it names no range of memory");
		return PACKET_REPLY;
	}
	size_t done = read_memory(s, addr, len, r);
	reply_hex(r, s->scratch.data, done);
	return PACKET_REPLY;
}

/*
 * xADDR,LEN. gdb 16 and lldb 21 know by binary-upload+ that there is a "b" before the data. Older
 * lldb asks with x0,0, wants OK, and then the data alone.
 */
enum packet_result packet_memory_binary(struct rsp *s, struct cursor *args, struct reply *r)
{
	uint64_t addr, len;
	if (!parse_range(args, &addr, &len)) {
		reply_error(r, REPLY_E_REFUSED, "it names no range of memory");
		return PACKET_REPLY;
	}
	if (!len) {
		s->bare_x |= session_is_lldb(s) && !addr;
		buf_addstr(r->out, s->bare_x ? "OK" : "b");
		return PACKET_REPLY;
	}
	size_t done = read_memory(s, addr, len, r);
	if (!done)
		return PACKET_REPLY;
	if (!s->bare_x)
		buf_addch(r->out, 'b');
	reply_binary(r, s->scratch.data, done);
	return PACKET_REPLY;
}
