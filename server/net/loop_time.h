/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When what a client sent may have come. A process that is stopped, waits for a disk or serves
 * somebody else cannot see it: all it knows is when it last looked at its sockets. While there are
 * clients it does so every second.
 */
#ifndef SERVER_NET_LOOP_TIME_H
#define SERVER_NET_LOOP_TIME_H

#include <ev.h>
#include <stdint.h>

struct loop_time {
	ev_check looked_at; /* after each look */
	ev_timer beat;
	uint64_t last, before; /* the last look, and one before which sockets were seen empty */
	unsigned doubtful;     /* so many looks more may have seen nothing */
	uint64_t patience;     /* of clients, in milliseconds; 0: for ever */
};

/* From now on, and until loop_time_stop(). What is in @t but its patience is set here. */
void loop_time_start(struct loop_time *t, struct ev_loop *loop);
void loop_time_stop(struct loop_time *t, struct ev_loop *loop);

/* What is read in this turn of the loop came no earlier. */
static inline uint64_t loop_time_arrived(const struct loop_time *t)
{
	return t->before;
}

#endif
