// SPDX-License-Identifier: GPL-2.0-or-later
/* Who waits goes on where it was, in the order in which it was woken, and turns are taken in order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/fiber.h"

enum { MANY = 100, DEEP = 200 };

struct world {
	struct fibers *all;
	struct fiber_turn turn;
	struct fiber *who[MANY];
	unsigned began, count;
	unsigned order[MANY];
};

struct one {
	struct world *world;
	unsigned number;
};

/* Uses some stack, and waits at the bottom of it; what lies there is whole afterwards. */
static unsigned deep(struct world *w, unsigned left, unsigned seed)
{
	volatile unsigned char own[64];
	for (unsigned i = 0; i < sizeof(own); i++)
		own[i] = (unsigned char)(seed + left + i);
	unsigned below = left ? deep(w, left - 1, seed) : 0;
	if (!left)
		fiber_wait(w->all);
	for (unsigned i = 0; i < sizeof(own); i++)
		assert_int_equal(own[i], (unsigned char)(seed + left + i));
	return below + 1;
}

static void waits(void *closure)
{
	struct one *o = closure;
	struct world *w = o->world;
	w->who[o->number] = fibers_current(w->all);
	w->began++;
	assert_int_equal(deep(w, DEEP, o->number), DEEP + 1);
	w->order[w->count++] = o->number;
}

static void takes_turn(void *closure)
{
	struct one *o = closure;
	struct world *w = o->world;
	w->who[o->number] = fibers_current(w->all);
	fiber_turn_take(w->all, &w->turn);
	assert_ptr_equal(w->turn.holder, fibers_current(w->all));
	fiber_wait(w->all);
	w->order[w->count++] = o->number;
	fiber_turn_leave(w->all, &w->turn);
}

static void start_all(struct world *w, struct one *list, void (*run)(void *closure))
{
	for (unsigned i = 0; i < MANY; i++) {
		bool waiting = false;
		list[i] = (struct one){ w, i };
		assert_null(fiber_start(w->all, run, &list[i], &waiting));
		assert_true(waiting);
	}
	assert_null(fibers_current(w->all));
	assert_int_equal(fibers_alive(w->all), MANY);
	assert_false(fibers_run(w->all));
}

static void test_waiting(void **state)
{
	(void)state;
	struct world w = { 0 };
	struct one list[MANY];
	assert_null(fibers_new(&w.all));
	for (unsigned round = 0; round < 3; round++) {
		w.count = 0;
		start_all(&w, list, waits);
		for (unsigned i = 0; i < MANY; i++)
			fiber_wake(w.all, w.who[i * 37 % MANY]);
		assert_true(fibers_have_woken(w.all));
		while (fibers_run(w.all))
			;
		for (unsigned i = 0; i < MANY; i++)
			assert_int_equal(w.order[i], i * 37 % MANY);
		assert_int_equal(fibers_alive(w.all), 0);
	}
	fibers_free(w.all);
}

static void test_turns(void **state)
{
	(void)state;
	struct world w = { 0 };
	struct one list[MANY];
	assert_null(fibers_new(&w.all));
	start_all(&w, list, takes_turn);
	for (unsigned i = 0; i < MANY; i++) {
		/* It has the turn, and waits for something else. */
		assert_ptr_equal(w.turn.holder, w.who[i]);
		fiber_wake(w.all, w.who[i]);
		while (fibers_run(w.all))
			;
		assert_int_equal(w.count, i + 1);
		assert_int_equal(w.order[i], i);
	}
	assert_null(w.turn.holder);
	assert_int_equal(fibers_alive(w.all), 0);
	fibers_free(w.all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_turns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
