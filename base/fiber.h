/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions that wait in the middle of their work while others go on, each on a stack of its own,
 * all in one thread: nothing runs beside another but where one of them waits.
 */
#ifndef BASE_FIBER_H
#define BASE_FIBER_H

#include <stdbool.h>

struct err;
struct fiber;
struct fibers;

__attribute__((warn_unused_result)) struct err *fibers_new(struct fibers **ret);
/* All must have ended. NULL is allowed. */
void fibers_free(struct fibers *all);

/* The one that runs; NULL outside of any. */
struct fiber *fibers_current(const struct fibers *all);
/* How many have begun and not ended. */
unsigned fibers_alive(const struct fibers *all);

/*
 * Runs @run(@closure) on a stack of its own, and returns when it has ended, or waits, which
 * *ret_waits says. To be called outside of any. ERR_NOMEM: it has not run.
 */
__attribute__((warn_unused_result)) struct err *
fiber_start(struct fibers *all, void (*run)(void *closure), void *closure, bool *ret_waits);

/* Returns after somebody has called fiber_wake() for the current one, and its turn has come. */
void fiber_wait(struct fibers *all);
/* @f, which waits, goes on with the next fibers_run(). May be called by others. */
void fiber_wake(struct fibers *all, struct fiber *f);

/* Lets the one that was woken first go on, until it has ended or waits again; false if there is
 * none. To be called outside of any. */
bool fibers_run(struct fibers *all);
bool fibers_have_woken(const struct fibers *all);

/* What one at a time may do, in the order in which they came. */
struct fiber_turn {
	struct fiber *holder; /* NULL: it is nobody's */
	struct fiber *first, *last;
};

/* Waits until it is the current one's. */
void fiber_turn_take(struct fibers *all, struct fiber_turn *turn);
void fiber_turn_leave(struct fibers *all, struct fiber_turn *turn);

#endif
