// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/session.h"

#include <errno.h>
#include <ev.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "proto/saved.h"
#include "server/net/dialogue.h"
#include "server/net/kept.h"
#include "server/net/loop_time.h"
#include "server/net/slow_reads.h"

enum {
	READ_BYTES = 64 << 10,
	/* No packet is begun while this much waits to be written: a client that does not read costs
	 * this and one reply. */
	OUTPUT_HIGH = 64 << 10,
	/* Packets handled before others get their turn. */
	STEPS_AT_ONCE = 8,
	/* What is read while a long operation is under way, in search of a Ctrl-C. */
	READ_AHEAD_MAX = 64 << 10,
	/* Milliseconds between the last look at what a client has sent and the end of writing its
	 * answer, above which we were stopped in between. */
	STOPPED_MS = 1000,
};

/* Seconds for a client to say what it is. */
#define FIRST_PACKET 10.

struct session {
	struct ev_loop *loop;
	const struct loop_time *time; /* borrowed, as is the next */
	struct slow_reads *slow;
	ev_io readable, writable;
	ev_timer later;	 /* of 0 seconds: the next turn of the loop */
	ev_timer silent; /* until the first packet was answered */
	struct dialogue dialogue;
	struct buf out;
	size_t written; /* of out */
	bool more;	/* there are packets left to handle */
	bool working;	/* on a stack of its own, which may wait: nobody else touches this */
	/* The loop was not told to look at the socket since then, by clock_ms(), and sees what came
	 * meanwhile in the look of that number at the latest. */
	uint64_t unseen_since;
	unsigned unseen_look;
	size_t read_ahead; /* bytes read since the long operation under way began */
	int in_fd, out_fd;
	char *name;
	struct kept *kept; /* borrowed; NULL: none */
	struct session_peer peer;
	struct rsp_saved *from; /* owned; as peer's */
	/* For the dialogue, until it is open. The second is owned; NULL: there is none. */
	const struct target *target;
	char *refusal;
	struct rsp_shared *shared;
	const struct rsp_directory *directory; /* borrowed */
	struct err *failed; /* owned: why it could not be opened, before others know of this */
	bool known;	    /* to others */
	void (*ended)(void *closure, struct session *s);
	void *closure;
	void (*hand_over)(void *closure, int fd, uint64_t id, const struct rsp_saved *saved);
	void *hand_over_closure;
};

static void end(struct session *s, const char *why)
{
	log_debug(LOG_SESSION, "%s: %s", s->name, why);
	s->ended(s->closure, s);
}

static size_t unwritten(const struct session *s)
{
	return s->out.len - s->written;
}

/* Writes down what another process would go on from, with what is about to go out. */
static void settle(struct session *s)
{
	dialogue_save(&s->dialogue, s->kept);
	kept_set_output(s->kept, s->out.data + s->written, unwritten(s));
	s->kept->answering = dialogue_is_busy(&s->dialogue) && !dialogue_is_waiting(&s->dialogue);
}

/* As write(2), of what waits to go out. */
static ssize_t write_some(struct session *s)
{
	if (s->kept)
		kept_writes(s->kept);
	ssize_t n = write(s->out_fd, s->out.data + s->written, unwritten(s));
	int why = errno;
	if (s->kept)
		kept_written(s->kept, n > 0 ? (size_t)n : 0);
	errno = why;
	return n;
}

/* Writes what can be written; false when the client is gone. */
static bool flush(struct session *s)
{
	if (s->kept)
		settle(s);
	while (unwritten(s)) {
		ssize_t n = write_some(s);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			ev_io_start(s->loop, &s->writable);
			return true;
		}
		if (n <= 0)
			return false;
		s->written += (size_t)n;
	}
	buf_reset(&s->out);
	s->written = 0;
	ev_io_stop(s->loop, &s->writable);
	return true;
}

/*
 * Nothing is read while packets or replies wait: that bounds what a client can queue. But a long
 * operation must notice that its client says Ctrl-C, or has gone.
 */
static bool wants_input(const struct session *s)
{
	if (dialogue_can_be_interrupted(&s->dialogue))
		return s->read_ahead < READ_AHEAD_MAX;
	return !unwritten(s) && !s->more;
}

/* Asks the loop for what there is to wait for. */
static void wait_for_next(struct session *s)
{
	if (!dialogue_is_busy(&s->dialogue))
		s->read_ahead = 0;
	if (wants_input(s))
		ev_io_start(s->loop, &s->readable);
	else
		ev_io_stop(s->loop, &s->readable);
	if (s->more && unwritten(s) < OUTPUT_HIGH)
		ev_timer_start(s->loop, &s->later);
}

/* Ends the session by @e, which is freed; true if there is none. */
static bool good(struct session *s, struct err *e)
{
	if (!e)
		return true;
	end(s, err_msg(e));
	err_free(e);
	return false;
}

/* When what is read now came at the earliest. */
static uint64_t arrived(const struct session *s)
{
	uint64_t t = loop_time_arrived(s->time);
	bool unseen = s->working || ev_iteration(s->loop) <= s->unseen_look;
	return unseen && s->unseen_since < t ? s->unseen_since : t;
}

/* Puts in what has come; false when the session is gone. That the client has hung up ends it
 * @at_end: not while an answer is to leave. */
static bool take_input(struct session *s, bool at_end, size_t *ret_len)
{
	char bytes[READ_BYTES];
	*ret_len = 0;
	ssize_t n = read(s->in_fd, bytes, sizeof(bytes));
	if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
		return true;
	if (!n && !at_end)
		return true;
	if (n <= 0) {
		end(s, n ? "the connection broke" : "the client hung up");
		return false;
	}
	*ret_len = (size_t)n;
	if (s->kept)
		kept_add_input(s->kept, bytes, (size_t)n);
	return good(s, dialogue_input(&s->dialogue, arrived(s), bytes, (size_t)n));
}

/* Takes a reply that nobody waits for back, before it leaves; false when the session is gone. */
static bool recheck(struct session *s, size_t begin)
{
	size_t len;
	if (!take_input(s, false, &len))
		return false;
	s->more |= len > 0;
	dialogue_recheck(&s->dialogue, &s->out, begin);
	return true;
}

/* To who serves what it has attached to. */
static void hand_over(struct session *s)
{
	struct rsp_saved *saved = calloc(1, sizeof(*saved));
	if (saved) {
		dialogue_hand_over(&s->dialogue, saved);
		s->hand_over(s->hand_over_closure, s->in_fd, dialogue_goes_to(&s->dialogue), saved);
	}
	free(saved);
	end(s, "the client is handed over");
}

/* One step, and its reply written; false when the session is gone. */
static bool step(struct session *s)
{
	size_t begin = s->out.len;
	if (s->kept)
		s->kept->answering = true;
	struct err *e = dialogue_step(&s->dialogue, &s->out, &s->more);
	if (!e)
		e = buf_error(&s->out);
	if (!good(s, e))
		return false;
	/* One look at the clock a reply, as long as there is no more to be looked at. */
	uint64_t looked = clock_ms();
	if (s->out.len > begin && dialogue_took_long(&s->dialogue, looked)) {
		if (!recheck(s, begin))
			return false;
		looked = clock_ms();
	}
	/* A reply leaves whole and at once: one write a reply. */
	if (!flush(s)) {
		end(s, "the connection broke");
		return false;
	}
	if (dialogue_minds_late(&s->dialogue) && clock_ms() - looked > STOPPED_MS) {
		end(s, "the connection is closed: an answer may have come too late");
		return false;
	}
	if (ev_is_active(&s->silent) && dialogue_has_talked(&s->dialogue))
		ev_timer_stop(s->loop, &s->silent);
	if (dialogue_wants_close(&s->dialogue) && !unwritten(s)) {
		end(s, "the client left");
		return false;
	}
	if (s->hand_over && dialogue_goes_to(&s->dialogue) && !unwritten(s)) {
		hand_over(s);
		return false;
	}
	return true;
}

/* What is to be done next where others may touch it again. */
static void stop_working(struct session *s)
{
	s->working = false;
	s->unseen_look = ev_iteration(s->loop) + 1;
	if (unwritten(s))
		ev_io_start(s->loop, &s->writable);
	wait_for_next(s);
}

/* Handles packets, within what one turn may cost. The session may be gone afterwards. */
static void work_alone(void *closure)
{
	struct session *s = closure;
	for (int i = 0; i < STEPS_AT_ONCE && s->more && unwritten(s) < OUTPUT_HIGH; i++) {
		if (!step(s))
			return;
		/* A slice of a long operation is a turn by itself. */
		if (dialogue_is_busy(&s->dialogue))
			break;
	}
	stop_working(s);
}

/* Begins @work on a stack of its own, where it may wait. The session may be gone afterwards, also
 * if there is an error. */
static struct err *begin_work(struct session *s, void (*work)(void *closure))
{
	bool waits = false;
	s->working = true;
	s->unseen_since = loop_time_arrived(s->time);
	struct err *e = slow_reads_serve(s->slow, work, s, &waits);
	if (e)
		s->working = false;
	if (waits) {
		ev_io_stop(s->loop, &s->readable);
		ev_io_stop(s->loop, &s->writable);
	}
	return e;
}

static void work(struct session *s)
{
	struct err *e = begin_work(s, work_alone);
	if (e)
		good(s, e);
}

static void on_readable(struct ev_loop *loop, ev_io *w, int events)
{
	struct session *s = w->data;
	size_t n;
	(void)loop;
	(void)events;
	if (!take_input(s, true, &n) || !n)
		return;
	s->more = true;
	if (!dialogue_is_busy(&s->dialogue)) {
		work(s);
		return;
	}
	/* The operation goes on when its turn comes. */
	s->read_ahead += n;
	wait_for_next(s);
}

static void on_writable(struct ev_loop *loop, ev_io *w, int events)
{
	struct session *s = w->data;
	(void)loop;
	(void)events;
	/* Its output is being made. */
	if (s->working)
		ev_io_stop(loop, w);
	else if (!flush(s))
		end(s, "the connection broke");
	else if (dialogue_wants_close(&s->dialogue) && !unwritten(s))
		end(s, "the client left");
	else
		work(s);
}

static void on_later(struct ev_loop *loop, ev_timer *w, int events)
{
	struct session *s = w->data;
	(void)loop;
	(void)events;
	if (!s->working)
		work(s);
}

/* By another client, in the middle of its turn. */
static void wake(void *closure)
{
	struct session *s = closure;
	s->more = true;
	ev_timer_start(s->loop, &s->later);
}

static void on_silent(struct ev_loop *loop, ev_timer *w, int events)
{
	struct session *s = w->data;
	(void)events;
	/* Its first packet waits for a disk. */
	if (s->working) {
		ev_timer_set(w, FIRST_PACKET, 0.);
		ev_timer_start(loop, w);
	} else {
		end(s, "nothing that a debugger says has come for 10 s");
	}
}

/* Opens the dialogue: which thread is the current one may be a question to a disk. */
static void open_alone(void *closure)
{
	struct session *s = closure;
	const struct target_visitor visitor = {
		.has_uid = s->peer.has_uid, .uid = s->peer.uid, .wake = wake, .closure = s
	};
	struct err *e = dialogue_open(s->target, s->shared, s->directory, &visitor,
				      s->time->patience, s->refusal, &s->dialogue);
	if (e && s->known) {
		good(s, e);
		return;
	}
	if (!e && s->from) {
		e = dialogue_take_over(&s->dialogue, s->from);
		s->more = true;
	}
	s->failed = e;
	stop_working(s);
}

struct err *session_new(struct ev_loop *loop, const struct loop_time *time, struct slow_reads *slow,
			const struct target *target, struct rsp_shared *shared,
			const struct rsp_directory *directory, int in, int out,
			const struct session_peer *peer, const char *name, const char *refusal,
			struct kept *kept, void (*ended)(void *closure, struct session *s),
			void *closure, struct session **ret)
{
	struct session *s = calloc(1, sizeof(*s));
	if (!s) {
		close(in);
		if (out != in)
			close(out);
		return err_nomem();
	}
	s->loop = loop;
	s->time = time;
	s->slow = slow;
	s->target = target;
	s->shared = shared;
	s->directory = directory;
	s->in_fd = in;
	s->out_fd = out;
	s->kept = kept;
	s->peer = *peer;
	s->peer.from = NULL;
	if (peer->from)
		s->from = malloc(sizeof(*s->from));
	if (s->from)
		memcpy(s->from, peer->from, sizeof(*s->from));
	s->ended = ended;
	s->closure = closure;
	buf_init(&s->out);
	ev_io_init(&s->readable, on_readable, in, EV_READ);
	ev_io_init(&s->writable, on_writable, out, EV_WRITE);
	ev_timer_init(&s->later, on_later, 0., 0.);
	ev_timer_init(&s->silent, on_silent, FIRST_PACKET, 0.);
	s->readable.data = s->writable.data = s->later.data = s->silent.data = s;
	s->name = strdup(name);
	s->refusal = refusal ? strdup(refusal) : NULL;
	struct err *e = s->name && (s->refusal || !refusal) && (s->from || !peer->from)
				? begin_work(s, open_alone)
				: err_nomem();
	if (!e)
		e = s->failed;
	s->failed = NULL;
	if (e) {
		session_free(s);
		return e;
	}
	s->known = true;
	log_debug(LOG_SESSION, "%s: connected", name);
	if (in == out && !s->from)
		ev_timer_start(loop, &s->silent);
	*ret = s;
	return NULL;
}

struct err *session_go_on(struct session *s, const char *note)
{
	struct buf in = BUF_INIT;
	buf_add(&s->out, s->kept->out + s->kept->out_at, s->kept->out_len);
	buf_add(&in, s->kept->in, s->kept->in_len);
	struct err *e = buf_error(&s->out);
	if (!e)
		e = buf_error(&in);
	if (!e)
		e = dialogue_go_on(&s->dialogue, s->kept, note);
	if (!e && in.len)
		e = dialogue_input(&s->dialogue, loop_time_arrived(s->time), in.data, in.len);
	s->more = in.len > 0;
	buf_free(&in);
	if (e)
		return e;
	if (dialogue_has_talked(&s->dialogue))
		ev_timer_stop(s->loop, &s->silent);
	if (unwritten(s))
		ev_io_start(s->loop, &s->writable);
	wait_for_next(s);
	return NULL;
}

void session_set_hand_over(struct session *s,
			   void (*hand)(void *closure, int fd, uint64_t id,
					const struct rsp_saved *saved),
			   void *closure)
{
	s->hand_over = hand;
	s->hand_over_closure = closure;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	ev_io_stop(s->loop, &s->readable);
	ev_io_stop(s->loop, &s->writable);
	ev_timer_stop(s->loop, &s->later);
	ev_timer_stop(s->loop, &s->silent);
	close(s->in_fd);
	if (s->out_fd != s->in_fd)
		close(s->out_fd);
	dialogue_close(&s->dialogue);
	buf_free(&s->out);
	free(s->name);
	free(s->from);
	free(s->refusal);
	free(s);
}
