// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/loop_time.h"

#include <stdbool.h>

#include "base/clock.h"

#define BEAT 1.
/* Milliseconds between two looks, above which we were kept from looking. */
#define GAP 1500

enum { DOUBTFUL = 2 };

static void on_look(struct ev_loop *loop, ev_check *w, int events)
{
	struct loop_time *t = w->data;
	uint64_t now = clock_ms();
	(void)events;
	/* Who was stopped comes back from epoll_wait() with EINTR (signal(7)): that was no look at
	 * anything. What is there by then is seen by the next look, which is made at once. */
	bool gap = now - t->last > GAP;
	if (!t->doubtful)
		t->before = t->last;
	else
		t->doubtful--;
	if (gap)
		t->doubtful = DOUBTFUL;
	if (t->doubtful) {
		ev_timer_stop(loop, &t->beat);
		ev_timer_set(&t->beat, 0., BEAT);
		ev_timer_start(loop, &t->beat);
	}
	t->last = now;
}

/* That the loop turns is all that is wanted. */
static void on_beat(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)w;
	(void)events;
}

void loop_time_start(struct loop_time *t, struct ev_loop *loop)
{
	if (ev_is_active(&t->beat))
		return;
	t->last = t->before = clock_ms();
	t->doubtful = 0;
	ev_check_init(&t->looked_at, on_look);
	/* Ahead of what reads. */
	ev_set_priority(&t->looked_at, EV_MAXPRI);
	ev_timer_init(&t->beat, on_beat, BEAT, BEAT);
	t->looked_at.data = t;
	ev_check_start(loop, &t->looked_at);
	ev_timer_start(loop, &t->beat);
}

void loop_time_stop(struct loop_time *t, struct ev_loop *loop)
{
	ev_check_stop(loop, &t->looked_at);
	ev_timer_stop(loop, &t->beat);
}
