// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * On x86-64 a stack is left and entered by some instructions: each packet does, and the C library's
 * swapcontext(), which others take, asks the kernel for the signal mask each time. So does a build
 * for shadow stacks (__CET__, bit 1): a shadow stack has to be switched, too.
 */
#include "base/fiber.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__
#endif
#if __has_feature(thread_sanitizer) && !defined(__SANITIZE_THREAD__)
#define __SANITIZE_THREAD__
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
enum { STACK_BYTES = 8 << 20 }; /* frames have fences there */
#else
enum { STACK_BYTES = 1 << 20 }; /* what is not used takes no memory */
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

#if defined(__x86_64__) && !(defined(__CET__) && (__CET__ & 2))
#define OWN_SWITCH
#else
#include <ucontext.h>
#endif

/* Stacks that are kept for the next to begin. */
enum { SPARE_MAX = 8 };

/* Where something has stopped. */
struct place {
#ifdef OWN_SWITCH
	void *sp; /* registers that functions keep are pushed there */
#else
	ucontext_t at;
#endif
	/* What sanitizers want to know of its stack. */
	void *fake, *tsan;
	const void *stack;
	size_t stack_bytes;
};

struct fiber {
	struct place place;
	void (*run)(void *closure);
	void *closure;
	struct fibers *all;
	struct fiber *next; /* spare, woken, or in a turn's queue */
	char *stack;	    /* owned; a page that is not there, then STACK_BYTES */
	bool ended;
};

struct fibers {
	struct place outside;
	struct fiber *current;
	struct fiber *spare;
	struct fiber *first, *last; /* woken */
	unsigned spares, alive;
};

/* ---- from one stack to another ---- */

static void say_leave(struct place *from, const struct place *to, bool for_good)
{
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_start_switch_fiber(for_good ? NULL : &from->fake, to->stack, to->stack_bytes);
#endif
#ifdef __SANITIZE_THREAD__
	__tsan_switch_to_fiber(to->tsan, 0);
#endif
	(void)from;
	(void)to;
	(void)for_good;
}

/* On the stack of @at, which was left for it from @from. */
static void say_arrive(struct place *at, struct place *from)
{
#ifdef __SANITIZE_ADDRESS__
	const void *bottom;
	size_t bytes;
	__sanitizer_finish_switch_fiber(at->fake, &bottom, &bytes);
	/* Only here is it told where the thread's own stack is. */
	if (!from->stack) {
		from->stack = bottom;
		from->stack_bytes = bytes;
	}
#endif
	(void)at;
	(void)from;
}

#ifdef OWN_SWITCH

/* System V ABI for x86-64, 3.2.1: these and rsp are all that a called function keeps. */
__attribute__((naked, noinline)) static void switch_stack(void **from, void *to)
{
	(void)from;
	(void)to;
	__asm__("pushq %rbp\n\t"
		"pushq %rbx\n\t"
		"pushq %r12\n\t"
		"pushq %r13\n\t"
		"pushq %r14\n\t"
		"pushq %r15\n\t"
		"movq %rsp, (%rdi)\n\t"
		"movq %rsi, %rsp\n\t"
		"popq %r15\n\t"
		"popq %r14\n\t"
		"popq %r13\n\t"
		"popq %r12\n\t"
		"popq %rbx\n\t"
		"popq %rbp\n\t"
		"ret");
}

/* Leaves @from for @to; returns when somebody comes back. */
static void go(struct place *from, struct place *to)
{
	switch_stack(&from->sp, to->sp);
}

#else

static void go(struct place *from, struct place *to)
{
	swapcontext(&from->at, &to->at);
}

#endif

static void go_outside(struct fiber *f)
{
	say_leave(&f->place, &f->all->outside, false);
	go(&f->place, &f->all->outside);
	say_arrive(&f->place, &f->all->outside);
}

static void go_inside(struct fiber *f)
{
	struct fibers *all = f->all;
	all->current = f;
	say_leave(&all->outside, &f->place, false);
	go(&all->outside, &f->place);
	say_arrive(&all->outside, &f->place);
	all->current = NULL;
}

/* ---- stacks ---- */

/* One function after the other, on one stack. */
static void serve(struct fiber *f)
{
	say_arrive(&f->place, &f->all->outside);
	for (;;) {
		f->run(f->closure);
		f->ended = true;
		go_outside(f);
	}
}

#ifdef OWN_SWITCH

/* The first instructions on a stack: who is where switch_stack() restored rbx from. */
__attribute__((naked, noinline)) static void begin_serving(void)
{
	__asm__("movq %rbx, %rdi\n\t"
		"callq *%r12");
}

static bool make_place(struct fiber *f)
{
	void **top = (void **)(f->stack + STACK_BYTES + (size_t)sysconf(_SC_PAGESIZE));
	void **sp = top - 9; /* 16 bytes and a return address below it, a function begins */
	sp[3] = (void *)(uintptr_t)serve; /* r12 */
	sp[4] = f;			  /* rbx */
	sp[6] = (void *)(uintptr_t)begin_serving;
	f->place.sp = sp;
	return true;
}

#else

static void begin_serving(unsigned high, unsigned low)
{
	serve((struct fiber *)((uintptr_t)high << 32 | low));
}

static bool make_place(struct fiber *f)
{
	uintptr_t self = (uintptr_t)f;
	if (getcontext(&f->place.at))
		return false;
	f->place.at.uc_link = NULL;
	f->place.at.uc_stack.ss_sp = (void *)(uintptr_t)f->place.stack;
	f->place.at.uc_stack.ss_size = STACK_BYTES;
	makecontext(&f->place.at, (void (*)(void))begin_serving, 2, (unsigned)(self >> 32),
		    (unsigned)self);
	return true;
}

#endif

static void free_fiber(struct fiber *f)
{
#ifdef __SANITIZE_THREAD__
	if (f->place.tsan)
		__tsan_destroy_fiber(f->place.tsan);
#endif
	if (f->stack)
		munmap(f->stack, (size_t)STACK_BYTES + (size_t)sysconf(_SC_PAGESIZE));
	free(f);
}

static struct err *new_fiber(struct fibers *all, struct fiber **ret)
{
	size_t fence = (size_t)sysconf(_SC_PAGESIZE);
	struct fiber *f = calloc(1, sizeof(*f));
	if (!f)
		return err_nomem();
	f->all = all;
	void *stack = mmap(NULL, STACK_BYTES + fence, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	f->stack = stack == MAP_FAILED ? NULL : stack;
	if (!f->stack || mprotect(f->stack, fence, PROT_NONE)) {
		free_fiber(f);
		return err_nomem();
	}
	f->place.stack = f->stack + fence;
	f->place.stack_bytes = STACK_BYTES;
	if (!make_place(f)) {
		free_fiber(f);
		return err_nomem();
	}
#ifdef __SANITIZE_THREAD__
	f->place.tsan = __tsan_create_fiber(0);
#endif
	*ret = f;
	return NULL;
}

static struct err *take_fiber(struct fibers *all, struct fiber **ret)
{
	struct fiber *f = all->spare;
	if (!f)
		return new_fiber(all, ret);
	all->spare = f->next;
	all->spares--;
	*ret = f;
	return NULL;
}

static void give_back(struct fiber *f)
{
	struct fibers *all = f->all;
	all->alive--;
	if (all->spares == SPARE_MAX) {
		free_fiber(f);
		return;
	}
	f->next = all->spare;
	all->spare = f;
	all->spares++;
}

/* ---- for all ---- */

struct err *fibers_new(struct fibers **ret)
{
	struct fibers *all = calloc(1, sizeof(*all));
	if (!all)
		return err_nomem();
#ifdef __SANITIZE_THREAD__
	all->outside.tsan = __tsan_get_current_fiber();
#endif
	*ret = all;
	return NULL;
}

void fibers_free(struct fibers *all)
{
	if (!all)
		return;
	while (all->spare) {
		struct fiber *f = all->spare;
		all->spare = f->next;
		free_fiber(f);
	}
	free(all);
}

struct fiber *fibers_current(const struct fibers *all)
{
	return all->current;
}

unsigned fibers_alive(const struct fibers *all)
{
	return all->alive;
}

/* False if it has ended, and is not to be touched any more. */
static bool let_run(struct fiber *f)
{
	go_inside(f);
	if (!f->ended)
		return true;
	give_back(f);
	return false;
}

struct err *fiber_start(struct fibers *all, void (*run)(void *closure), void *closure,
			bool *ret_waits)
{
	struct fiber *f = NULL;
	struct err *e = take_fiber(all, &f);
	if (e)
		return e;
	f->run = run;
	f->closure = closure;
	f->ended = false;
	all->alive++;
	*ret_waits = let_run(f);
	return NULL;
}

void fiber_wait(struct fibers *all)
{
	go_outside(all->current);
}

static void append(struct fiber **first, struct fiber **last, struct fiber *f)
{
	f->next = NULL;
	if (*first)
		(*last)->next = f;
	else
		*first = f;
	*last = f;
}

static struct fiber *take_first(struct fiber **first)
{
	struct fiber *f = *first;
	if (f)
		*first = f->next;
	return f;
}

void fiber_wake(struct fibers *all, struct fiber *f)
{
	append(&all->first, &all->last, f);
}

bool fibers_run(struct fibers *all)
{
	struct fiber *f = take_first(&all->first);
	if (f)
		let_run(f);
	return f;
}

bool fibers_have_woken(const struct fibers *all)
{
	return all->first;
}

void fiber_turn_take(struct fibers *all, struct fiber_turn *turn)
{
	struct fiber *self = all->current;
	if (!turn->holder) {
		turn->holder = self;
		return;
	}
	append(&turn->first, &turn->last, self);
	fiber_wait(all);
}

void fiber_turn_leave(struct fibers *all, struct fiber_turn *turn)
{
	/* It is the next one's from now on, though that runs later. */
	turn->holder = take_first(&turn->first);
	if (turn->holder)
		fiber_wake(all, turn->holder);
}
