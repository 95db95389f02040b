/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One client: its socket, its protocol state, what is still to be written to it. */
#ifndef SERVER_NET_SESSION_H
#define SERVER_NET_SESSION_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct ev_loop;
struct kept;
struct loop_time;
struct rsp_directory;
struct rsp_saved;
struct rsp_shared;
struct session;
struct slow_reads;
struct target;

/* Who is at the other end, as the system says: @uid, or it does not know (has_uid). */
struct session_peer {
	bool has_uid;
	uint32_t uid;
	/* Another process has let it in, and it has attached to this target: what that one knows of
	 * it, without files. Borrowed during session_new(); NULL: it has just connected. */
	const struct rsp_saved *from;
};

/*
 * Serves @target, whose @shared is, and what @directory (borrowed, NULL for nothing) has beside it,
 * to the client at @in and @out (the same descriptor for a socket), which the session owns and
 * closes, until it leaves. Then @ended is called, which must call session_free() and may end the
 * loop. One that says nothing which a debugger would say is ended after some seconds, but for one
 * at two descriptors, which is somebody's own. @refusal: as dialogue_open() takes it.
 * @name is for debug messages, copied; @time and @slow are borrowed, and @time runs for as long as
 * there are sessions. @kept (borrowed; NULL: none) is where it writes what another process needs to
 * go on.
 */
__attribute__((warn_unused_result)) struct err *
session_new(struct ev_loop *loop, const struct loop_time *time, struct slow_reads *slow,
	    const struct target *target, struct rsp_shared *shared,
	    const struct rsp_directory *directory, int in, int out, const struct session_peer *peer,
	    const char *name, const char *refusal, struct kept *kept,
	    void (*ended)(void *closure, struct session *s), void *closure, struct session **ret);
/* From now on a client that attaches to what another process serves (rsp_goes_to()) is given to
 * @hand_over, with what struct rsp_saved has of it, and ends here. */
void session_set_hand_over(struct session *s,
			   void (*hand_over)(void *closure, int fd, uint64_t id,
					     const struct rsp_saved *saved),
			   void *closure);
/* Goes on with a new session where another process has left @kept; @note: as rsp_set_note(). To be
 * called where no read waits. An error ends the client, not the session. */
__attribute__((warn_unused_result)) struct err *session_go_on(struct session *s, const char *note);
/* None that waits for a read: slow_reads_end() comes first. */
void session_free(struct session *s);

#endif
