/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol as the server sees it: bytes in, bytes out. One rsp_shared a target, one rsp a
 * client. Neither is touched by two threads at once.
 *
 *	read() -> rsp_input() -> rsp_step() until nothing more -> write()
 *
 * A server calls rsp_step() only once the output before is written: one reply is the most that
 *waits for a client that does not read. It reads no further while rsp_step() says that there is
 *more, except while rsp_can_be_interrupted(): then a little, for a Ctrl-C or the client's end comes
 *that way.
 */
#ifndef PROTO_RSP_H
#define PROTO_RSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf;
struct target;
struct target_visitor;

/* What is made once for a target and served to all its clients: descriptions, thread lists. */
struct rsp_shared;

/*
 * @target is borrowed and must outlive the result. ERR_INVALID for a register table that cannot
 * be served. Thread lists are made when first asked for, and kept.
 */
ERR_MUST_CHECK struct err *rsp_shared_new(const struct target *target,
					  struct rsp_shared **ret_shared);

/* After the last session of it; NULL is allowed. */
void rsp_shared_free(struct rsp_shared *shared);

/*
 * For a server that answers several packets at a time, each on a stack of its own, where some wait
 * for a disk: what targets make on demand is for one at a time. A packet that reads what is the
 * same for all is answered without a turn, by targets that can (target_memory_ops.beside).
 */
struct rsp_turns {
	void *self;
	void (*take)(void *self); /* returns once the turn is the caller's */
	void (*leave)(void *self);
	bool (*taken)(void *self); /* by anybody */
};

/* Before the first session. */
void rsp_shared_set_turns(struct rsp_shared *shared, const struct rsp_turns *turns);

/* For what else asks the target, beside rsp_step(), which does it itself: rsp_new() too. */
void rsp_take_turn(const struct rsp_shared *shared);
void rsp_leave_turn(const struct rsp_shared *shared);

struct rsp;

/* A target at another address; both borrowed until the next call. */
struct rsp_beside {
	const char *name; /* "vm-103" */
	const char *url;  /* as lldb's `process connect` takes it */
};

/* Where a client finds other targets than the one it has connected to, by the IDs that it attaches
 * to (vAttach). */
struct rsp_directory {
	void *closure;
	uint64_t id; /* of the target that it has connected to */
	/* gdb may hold several at once (the extension "multiprocess"): then it says the ids of all
	 * threads in another way, to its users, too. Else another takes the place of the one. */
	bool multiprocess;
	/* The target with the ID @id; borrowed until it is given back. The message of ERR_NOTFOUND
	 * is for the user. */
	struct err *(*enter)(void *closure, uint64_t id, struct rsp_shared **ret);
	void (*leave)(void *closure, struct rsp_shared *shared);
	/* The targets that have addresses of their own beside that of this one, for clients that
	 * connect to all at once: false when there are no more than @i. NULL: none. */
	bool (*beside)(void *closure, size_t i, struct rsp_beside *ret);
};

/* A session for a client that has just connected. NULL when memory is out. */
struct rsp *rsp_new(struct rsp_shared *shared);

/*
 * Makes the client a member of its target's team, if that has one. What @visitor has for `view` is
 * not looked at. Its `wake` is called when a client that waits (rsp_is_waiting()) has something to
 * do: rsp_step() is to be called again, later.
 */
ERR_MUST_CHECK struct err *rsp_join(struct rsp *rsp, const struct target_visitor *visitor);

/* There are other targets. @directory is borrowed, and must outlive @rsp; before the first input.
 */
void rsp_set_directory(struct rsp *rsp, const struct rsp_directory *directory);

/* Ends a long operation if one is under way; NULL is allowed. */
void rsp_free(struct rsp *rsp);

/*
 * Queues what a client sent. ERR_INVALID when it keeps sending without waiting for replies: more
 * than two packets of the largest size are queued. The session is of no use after an error.
 */
ERR_MUST_CHECK struct err *rsp_input(struct rsp *rsp, const void *bytes, size_t len);

/* The client waits for a stop reply, whose packet another process has acknowledged: it is the
 * answer of the next rsp_step(). For a session that begins where that one's has ended. */
ERR_MUST_CHECK struct err *rsp_stop(struct rsp *rsp);

/*
 * Handles at most one packet, or one slice of a long operation, and appends what there is to send
 * to @out (perhaps nothing). *ret_more: call again, after other clients had their turn; not set,
 * there is nothing to do before the next input. The only error is ERR_NOMEM, and ends the session.
 */
ERR_MUST_CHECK struct err *rsp_step(struct rsp *rsp, struct buf *out, bool *ret_more);

/*
 * Time. Clients give a packet up after some seconds, take the answer that comes later for that of
 * the next packet, and so read another address's bytes for every address from then on. So
 *
 * - an answer that a client no longer waits for is not sent. gdb and lldb send a packet before they
 *   have the answer to the one before only if they have given that up. Where that may be so by the
 *   time between the two, of several packets the last is answered; else all are, in their order.
 * - what takes long ends with an error while the client still waits for it.
 * - what a client will ask for is made before it does: while it waits for other packets' answers,
 *   but for a part of its patience only.
 * - an answer later than all patience is not sent, though the client is silent. It may have given
 *   up, and its user may be reading the error. lldb's are sent: it asks what it has missed.
 *
 * Without rsp_set_patience() only the first of these holds, without rsp_arrived() none.
 */

/* How long the client waits for an answer, in milliseconds. */
void rsp_set_patience(struct rsp *rsp, uint64_t ms);

/* Says, ahead of rsp_input(), that its bytes came no earlier than @ms, as clock_ms() counts. */
void rsp_arrived(struct rsp *rsp, uint64_t ms);

/* Whether a client may, @now by clock_ms(), have given up the answer that the last rsp_step() made:
 * what it has sent since must be read and put in, and then rsp_recheck() called, before the answer
 * goes out. */
bool rsp_took_long(const struct rsp *rsp, uint64_t now);

/* Takes what the client does not wait for back from @out, where the last step's output begins at
 * @begin. */
void rsp_recheck(struct rsp *rsp, struct buf *out, size_t begin);

/* Whether an answer that is sent now, after all, would be taken for that of another packet. */
bool rsp_minds_late(const struct rsp *rsp);

/* Whether a packet of the client was answered. */
bool rsp_has_talked(const struct rsp *rsp);

/* Whether a long operation is under way, of which the last rsp_step() did a slice. */
bool rsp_is_busy(const struct rsp *rsp);

/* Whether it is one that waits for other clients. */
bool rsp_is_waiting(const struct rsp *rsp);

/* Whether that is one which a Ctrl-C ends, or the client's end: not what is made before it is asked
 * for, behind which the client's packets wait. */
bool rsp_can_be_interrupted(const struct rsp *rsp);

/* What the client has attached to that another process serves, to which it is to be handed over
 * once the output is written; 0: nothing. */
uint64_t rsp_goes_to(const struct rsp *rsp);

/* Whether to close the connection once the output is written: the client has said goodbye. */
bool rsp_wants_close(const struct rsp *rsp);

#endif
