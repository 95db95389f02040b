// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/context_threads.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/host.h"
#include "server/kernel/code_map.h"
#include "server/kernel/unwind_source.h"

/* THREAD_SIZE with KASAN, the largest stack that x86-64 has: two frames further apart than that
 * are on two stacks. */
enum { STACK_MAX = 1 << 15 };
/* Between the function that changes stacks and the pt_regs lies the entry's assembly at most. */
enum { ENTRY_FRAMES = 2 };
/* Interrupts nest no deeper than NMI in machine check in interrupt in exception. */
enum { CONTEXTS_A_TASK_MAX = 16 };

struct context_threads {
	struct context_thread *list; /* owned */
	size_t count;
};

void context_threads_free(struct context_threads *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++)
		free(c->list[i].by);
	free(c->list);
	free(c);
}

const struct context_thread *context_threads_find(const struct context_threads *c, uint64_t tid)
{
	bool found = tid >= CONTEXT_TID_FIRST && tid - CONTEXT_TID_FIRST < c->count;
	return found ? &c->list[tid - CONTEXT_TID_FIRST] : NULL;
}

const struct context_thread *context_threads_list(const struct context_threads *c,
						  size_t *ret_count)
{
	*ret_count = c->count;
	return c->list;
}

void context_thread_name(const struct context_thread *c, struct buf *out)
{
	buf_addf(out, "%s ↳ %s %s", c->task->comm, c->called ? "called" : "interrupted by",
		 c->by ? c->by : "an unknown function");
}

/* ---- finding them ---- */

static bool is_kernel(const struct frame *f)
{
	if (regs_known(&f->regs, REG_CS))
		return !(f->regs.value[REG_CS] & 3);
	return f->regs.value[REG_RIP] >= HOST_KERNEL_HALF;
}

/* Whether frames n - 1 and n of @f are on two stacks of the kernel. */
static bool changes_stack(const struct frames *f, size_t n)
{
	const struct regs *inner = &f->list[n - 1].regs, *outer = &f->list[n].regs;
	if (!regs_known(inner, REG_RSP) || !regs_known(outer, REG_RSP) ||
	    outer->value[REG_RSP] < HOST_KERNEL_HALF)
		return false;
	/* The caller's end of a stack is the higher one. */
	return outer->value[REG_RSP] - inner->value[REG_RSP] > STACK_MAX;
}

/* Whether a pt_regs comes so soon behind frame @n that this is how an entry begins. */
static bool is_entry(const struct frames *f, size_t n)
{
	for (size_t i = n + 1; i < f->count && i <= n + ENTRY_FRAMES; i++) {
		if (f->list[i].how == HOW_REGS)
			return true;
	}
	return false;
}

/*
 * The function that interrupted frame @n: the C function that the entry's assembly called, which is
 * named as the kernel's own traces name it; without one, the assembly. @begin is the first frame
 * of the context that it belongs to.
 */
static char *function_above(struct host *h, const struct frames *f, size_t begin, size_t n)
{
	struct symbol symbol;
	size_t above = n >= begin + ENTRY_FRAMES ? n - ENTRY_FRAMES : begin;
	if (!code_map_symbol(h->code, f->list[above].regs.value[REG_RIP], &symbol))
		return NULL;
	return strdup(symbol.name);
}

static struct err *add(struct context_threads *c, const struct task *task, const struct frames *f,
		       size_t n, bool called, char *by)
{
	struct context_thread *list = reallocarray(c->list, c->count + 1, sizeof(*list));
	if (!list) {
		free(by);
		return err_nomem();
	}
	c->list = list;
	list[c->count] = (struct context_thread){
		.tid = CONTEXT_TID_FIRST + c->count,
		.task = task,
		.frame = (unsigned)n,
		.regs = f->list[n].regs,
		.called = called,
		.by = by,
	};
	c->count++;
	return NULL;
}

/*
 * The contexts among @f: what a pt_regs holds of the kernel, of user mode only below a change of
 * stacks (every system call has some, and debuggers get there by themselves); and what called
 * something that runs on another stack, as for softirqs.
 */
static struct err *add_contexts(struct host *h, const struct task *task, const struct frames *f,
				struct context_threads *c)
{
	size_t begin = 0, first = c->count;
	bool changed = false;
	struct err *e = NULL;
	for (size_t n = 1; !e && n < f->count && c->count - first < CONTEXTS_A_TASK_MAX; n++) {
		if (f->list[n].how == HOW_REGS) {
			if (is_kernel(&f->list[n]) || changed)
				e = add(c, task, f, n, false, function_above(h, f, begin, n));
			begin = n;
			changed = false;
		} else if (changes_stack(f, n)) {
			changed = true;
			struct symbol symbol;
			uint64_t callee = f->list[n - 1].regs.value[REG_RIP];
			if (!is_entry(f, n))
				e = add(c, task, f, n, true,
					code_map_symbol(h->code, callee, &symbol)
						? strdup(symbol.name)
						: NULL);
		}
	}
	return e;
}

struct err *context_threads_new(struct host *h, struct context_threads **ret)
{
	struct err *e = NULL;
	struct context_threads *c = calloc(1, sizeof(*c));
	if (!c)
		return err_nomem();
	for (size_t i = 0; !e && i < h->tasks.count; i++) {
		struct frames frames;
		if (!h->context_threads || !h->tasks.list[i].on_cpu)
			continue;
		e = unwinder_frames(h->unwinder, &h->tasks.list[i], &frames);
		if (e)
			break;
		e = add_contexts(h, &h->tasks.list[i], &frames, c);
		frames_free(&frames);
	}
	if (e) {
		context_threads_free(c);
		return e;
	}
	*ret = c;
	return NULL;
}
