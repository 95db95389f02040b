// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/rsp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "proto/packet.h"
#include "proto/patience.h"
#include "proto/session.h"
#include "proto/shared.h"

/* Room for a packet of the largest size behind one that is being answered. */
#define INPUT_MAX (2 * (size_t)FRAME_PACKET_MAX)
/* How much of a packet goes into a debug message. */
#define LOG_MAX 240

struct rsp *rsp_new(struct rsp_shared *shared)
{
	struct rsp *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->number = ++shared->sessions;
	s->frame = (struct frame)FRAME_INIT;
	buf_init(&s->in);
	buf_init(&s->last);
	buf_init(&s->scratch);
	buf_init(&s->console);
	buf_init(&s->threads);
	buf_init(&s->wait.words);
	buf_init(&s->copied.text);
	s->client = TARGET_GDB;
	s->acks = true;
	s->base = shared->target;
	struct err *e = processes_begin(s, shared);
	if (!e)
		return s;
	err_free(e);
	rsp_free(s);
	return NULL;
}

void rsp_set_directory(struct rsp *s, const struct rsp_directory *directory)
{
	s->directory = directory;
}

struct err *rsp_join(struct rsp *s, const struct target_visitor *visitor)
{
	struct target_visitor v = *visitor;
	v.view = &s->view;
	return target_join(s->target, &v, &s->view.member);
}

void rsp_free(struct rsp *s)
{
	if (!s)
		return;
	session_cancel(s);
	target_leave(s->target, s->view.member);
	session_close_files(s);
	frame_free(&s->frame);
	buf_free(&s->in);
	buf_free(&s->last);
	buf_free(&s->scratch);
	buf_free(&s->console);
	buf_free(&s->threads);
	free(s->note);
	buf_free(&s->copied.text);
	processes_end(s);
	free(s);
}

bool rsp_is_busy(const struct rsp *s)
{
	return s->busy || s->held;
}

bool rsp_is_waiting(const struct rsp *s)
{
	return s->wait.on;
}

bool rsp_can_be_interrupted(const struct rsp *s)
{
	return s->busy;
}

bool rsp_has_talked(const struct rsp *s)
{
	return s->talked;
}

uint64_t rsp_goes_to(const struct rsp *s)
{
	return s->goes_to;
}

bool rsp_wants_close(const struct rsp *s)
{
	return s->closing;
}

struct err *rsp_input(struct rsp *s, const void *bytes, size_t len)
{
	if (s->closing)
		return NULL;
	buf_drop(&s->in, s->in_used);
	s->in_used = 0;
	if (len > INPUT_MAX - s->in.len)
		return err_new(ERR_INVALID,
			       "the client sent more than %zu bytes without waiting for a reply",
			       INPUT_MAX);
	buf_add(&s->in, bytes, len);
	if (s->arrived && len && memchr(bytes, '$', len))
		s->read_at = clock_ms();
	return buf_error(&s->in);
}

struct err *rsp_stop(struct rsp *s)
{
	static const char why[] = "$?#3f";
	s->acked = true;
	return rsp_input(s, why, sizeof(why) - 1);
}

/* The beginning of a packet, printable. */
struct shown {
	char text[LOG_MAX + sizeof("...")];
};

static struct shown show(const char *text, size_t len)
{
	struct shown shown;
	size_t n = 0;
	for (; n < len && n < LOG_MAX; n++)
		shown.text[n] = text[n] < ' ' || text[n] > '~' ? '.' : text[n];
	strcpy(shown.text + n, len > LOG_MAX ? "..." : "");
	return shown;
}

/* A packet as a debug message. */
static void log_packet(const struct rsp *s, const char *direction, const char *text, size_t len)
{
	if (log_on(LOG_PACKET))
		log_write(LOG_PACKET, "[%u] %s %s", s->number, direction, show(text, len).text);
}

/* A packet whose reply is an error as a debug message: which, what was sent, and why. Ahead of
 * reply_close(). */
static void log_refused(const struct rsp *s, const struct reply *r)
{
	const struct buf *packet = &s->frame.payload;
	const char *reply = r->out->data + r->start;
	size_t len = r->out->len - r->start;
	if (log_on(LOG_REFUSED) && r->failed)
		log_write(LOG_REFUSED, "[%u] %s: %s: %s: %s", s->number, target_name(s->target),
			  show(packet->data, packet->len).text, show(reply, len).text, r->why);
	else if (log_on(LOG_REFUSED) && !len)
		log_write(LOG_REFUSED, "[%u] %s: %s: it is not supported", s->number,
			  target_name(s->target), show(packet->data, packet->len).text);
}

/* What came is no packet as it should be. */
static void log_odd(const struct rsp *s, const char *what)
{
	log_debug(LOG_REFUSED, "[%u] %s: %s", s->number, target_name(s->target), what);
}

static bool input_left(const struct rsp *s)
{
	return s->in_used < s->in.len;
}

static bool packet_left(const struct rsp *s)
{
	return input_left(s) && memchr(s->in.data + s->in_used, '$', s->in.len - s->in_used);
}

static enum frame_event next_event(struct rsp *s)
{
	size_t used;
	enum frame_event event =
		frame_parse(&s->frame, s->in.data + s->in_used, s->in.len - s->in_used, &used);
	s->in_used += used;
	return event;
}

/*
 * Looks for Ctrl-C in what came during a long operation, up to the next packet: the parser still
 * holds the packet that is being answered.
 */
static bool interrupted(struct rsp *s)
{
	for (; input_left(s) && s->in.data[s->in_used] != '$'; s->in_used++) {
		if (s->in.data[s->in_used] == 0x03)
			return true;
	}
	return false;
}

/* Keeps this step's output, from @begin on, for a client that asks for it again. */
static void keep(struct rsp *s, const struct buf *out, size_t begin)
{
	buf_reset(&s->last);
	if (s->acks)
		buf_add(&s->last, out->data + begin, out->len - begin);
}

/* The one place that ends a reply. @begin is where this step's output begins. */
static void send_reply(struct rsp *s, struct reply *r, size_t begin)
{
	log_packet(s, "<-", r->out->data + r->start, r->out->len - r->start);
	log_refused(s, r);
	reply_close(r);
	keep(s, r->out, begin);
	s->answered = true;
	s->talked = true;
	s->pipelined = packet_left(s);
}

/* Calls the handler of the packet, if there is one, for the first time or again, and sends its
 * reply. */
static void handle(struct rsp *s, const struct packet *packet, struct cursor *args, struct buf *out)
{
	size_t begin = out->len;
	struct reply r;
	enum packet_result result = PACKET_REPLY;
	reply_open(&r, out);
	if (packet)
		result = packet->handle(s, args, &r);
	s->busy = result == PACKET_AGAIN ? packet : NULL;
	if (result != PACKET_REPLY) {
		reply_drop(&r);
		if (out->len > begin) {
			s->answered = true;
			s->console_sent++;
			keep(s, out, begin);
		}
		return;
	}
	send_reply(s, &r, begin);
}

static bool turn_is_taken(const struct rsp *s)
{
	return s->shared->turns.taken && s->shared->turns.taken(s->shared->turns.self);
}

/* Whether the packet, whose arguments those are, can be answered while another one is being
 * answered. */
static bool goes_beside(const struct rsp *s, const struct packet *packet, struct cursor args)
{
	const struct target *t = s->target;
	if (s->busy || !packet || !(packet->traits & READS_MEMORY) || !t->memory->beside)
		return false;
	uint64_t first = cursor_hex(&args);
	return s->view.physical || target_memory_is_shared(t, first);
}

/* Answers the packet in s->frame, whose handler is called for the first time or again. */
static void answer(struct rsp *s, struct buf *out)
{
	const struct buf *text = &s->frame.payload;
	struct cursor args;
	const struct packet *packet = packet_find(s, text->data, text->len, &args);
	s->of = packet;
	s->held = NULL;
	if (s->shared->turns.take && goes_beside(s, packet, args)) {
		if (!turn_is_taken(s))
			target_begin(s->target);
		handle(s, packet, &args, out);
		return;
	}
	/* The packet may change what is current. */
	const struct rsp_shared *shared = s->shared;
	rsp_take_turn(shared);
	target_begin(s->target);
	s->held = s->busy || patience_prepare(s) ? NULL : packet;
	if (!s->held)
		handle(s, packet, &args, out);
	rsp_leave_turn(shared);
}

/* An error reply to a packet that no handler saw, or whose handler will not end. */
static void answer_error(struct rsp *s, struct buf *out, enum reply_error code, const char *why)
{
	struct reply r;
	size_t begin = out->len;
	reply_open(&r, out);
	reply_error(&r, code, why);
	send_reply(s, &r, begin);
}

/* An error in the place of an answer that would come too late. gdb before 16 takes no text. */
static void answer_late(struct rsp *s, struct buf *out)
{
	char why[100];
	struct reply r;
	size_t begin = out->len;
	snprintf(why, sizeof(why), "it takes longer than %llu s, after which clients give up",
		 (unsigned long long)s->patience / 1000);
	reply_open(&r, out);
	session_error(s, &r, REPLY_E_LATE, why);
	send_reply(s, &r, begin);
}

void rsp_recheck(struct rsp *s, struct buf *out, size_t begin)
{
	bool moved_on = patience_moved_on(s);
	if (!s->answered || (!moved_on && (session_is_lldb(s) || !patience_is_over(s))))
		return;
	if (s->busy)
		s->console_sent--;
	log_odd(s,
		moved_on ? "an answer is not sent: another packet has come since"
			 : "an answer is not sent: it comes so late that the client has given up");
	buf_cut(out, begin);
	buf_reset(&s->last);
	s->pipelined = false;
	s->closing |= s->console_sent > 0;
}

/* A packet came whole: acknowledged before its reply, and in the same write. */
static void acknowledge(struct rsp *s, struct buf *out)
{
	if (s->acks && !s->acked)
		buf_addch(out, '+');
	s->acked = false;
}

/* The client no longer waits for the answer to the packet in s->frame. */
static void pass_over(struct rsp *s)
{
	struct buf unsent = BUF_INIT;
	struct cursor args;
	struct reply r;
	const struct buf *text = &s->frame.payload;
	const struct packet *packet = packet_find(s, text->data, text->len, &args);
	log_packet(s, "->", text->data, text->len);
	log_odd(s, "a packet is not answered: another one has come since");
	/* To another process goes who waits for its answer alone. */
	if (!packet || !(packet->traits & CHANGES_SESSION) || s->target->shelf)
		return;
	const struct rsp_shared *shared = s->shared;
	reply_open(&r, &unsent);
	rsp_take_turn(shared);
	packet->handle(s, &args, &r);
	rsp_leave_turn(shared);
	buf_free(&unsent);
}

/* The same for the packet whose answer is being made. Of what a command prints the client may have
 * taken a part, and what it has not taken would be the answer to its new packet. */
static void give_up(struct rsp *s)
{
	log_odd(s, "a packet is given up: another one has come since");
	if (s->console_sent) {
		log_odd(s, "the connection is closed: its answer was sent in part");
		s->closing = true;
	}
	session_cancel(s);
}

/* Returns whether the event was one that uses up the step. */
static bool handle_event(struct rsp *s, enum frame_event event, struct buf *out)
{
	/* Who sends several packets at once does not count the time that the first one takes. */
	s->asked = s->arrived && s->pipelined ? clock_ms() : s->arrived;
	switch (event) {
	case FRAME_PACKET:
		if (patience_moved_on(s)) {
			pass_over(s);
			return false;
		}
		log_packet(s, "->", s->frame.payload.data, s->frame.payload.len);
		s->console_sent = 0;
		acknowledge(s, out);
		answer(s, out);
		return true;
	case FRAME_UNUSABLE:
		if (patience_moved_on(s))
			return false;
		acknowledge(s, out);
		answer_error(s, out, REPLY_E_REFUSED,
			     "the packet is longer than any may be, or its escapes are damaged");
		return true;
	case FRAME_BAD_CHECKSUM:
		/* Without acknowledgements nobody sends anything again, but all wait for replies.
		 */
		if (patience_moved_on(s))
			return false;
		if (s->acks) {
			log_odd(s, "a packet has a bad checksum: it is asked for again");
			buf_addch(out, '-');
		} else {
			answer_error(s, out, REPLY_E_REFUSED, "its checksum is bad");
		}
		return true;
	case FRAME_NAK:
		log_odd(s, s->acks ? "the client asks for the last reply again"
				   : "the client asks for the last reply, which is not kept");
		if (s->acks && !patience_moved_on(s))
			buf_add(out, s->last.data, s->last.len);
		return true;
	case FRAME_ACK:
	case FRAME_INTERRUPT: /* nothing runs that it could stop */
	case FRAME_NONE:
		break;
	}
	return false;
}

struct err *rsp_step(struct rsp *s, struct buf *out, bool *ret_more)
{
	s->answered = false;
	if (s->wait.on && interrupted(s)) {
		/* It is told by a stop, which it waits for. */
		s->wait.interrupted = true;
		answer(s, out);
	} else if (rsp_is_busy(s) && interrupted(s)) {
		session_cancel(s);
		answer_error(s, out, REPLY_E_INTERRUPTED, "the client interrupted it");
	} else if (rsp_is_busy(s) && patience_moved_on(s)) {
		give_up(s);
	} else if (s->busy && patience_is_short(s)) {
		session_cancel(s);
		answer_late(s, out);
	} else if (rsp_is_busy(s)) {
		answer(s, out);
	} else {
		bool done = false;
		while (!done && !s->closing && input_left(s))
			done = handle_event(s, next_event(s), out);
	}
	*ret_more = !s->closing && !s->wait.on && (rsp_is_busy(s) || input_left(s));
	return out->failed || s->last.failed ? err_nomem() : NULL;
}
