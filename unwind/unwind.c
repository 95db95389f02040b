// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The driver: asks the strategies in order for the caller of each frame, and believes an answer
 * only if it leads up the stack, or to another stack that was not there before.
 */
#include "unwind/unwind.h"

#include <inttypes.h>
#include <stdlib.h>

#include "arch/address.h"
#include "base/err.h"
#include "unwind/walk.h"

/*
 * A CPU has a task, an IRQ and an entry stack and, since 5.1, six exception stacks (struct
 * exception_stacks, arch/x86/include/asm/cpu_entry_area.h); before, IST stacks that are fewer.
 */
enum { STACKS_MAX = 16 };

struct driver {
	struct walk walk;
	struct frames *frames;
	size_t capacity;
	uint64_t entered[STACKS_MAX]; /* beginnings of stacks */
	size_t stacks;
	bool went_back; /* as unwind_arch.may_go_back() says */
};

const char *frame_how_name(enum frame_how how)
{
	static const char *const names[] = {
		[HOW_NOTE] = "note",   [HOW_SWITCH] = "switch", [HOW_CFI] = "cfi",
		[HOW_ORC] = "orc",     [HOW_FP] = "fp",		[HOW_REGS] = "regs",
		[HOW_FOUND] = "found", [HOW_CALL] = "call",	[HOW_CODE] = "code",
	};
	return names[how];
}

void frames_free(struct frames *f)
{
	if (!f)
		return;
	free(f->list);
	free(f->why);
	*f = (struct frames){ 0 };
}

static bool add_frame(struct driver *d, const struct frame *frame)
{
	struct frames *f = d->frames;
	if (f->count == d->capacity) {
		size_t capacity = d->capacity ? 2 * d->capacity : 16;
		struct frame *list = realloc(f->list, capacity * sizeof(*list));
		if (!list)
			return false;
		f->list = list;
		d->capacity = capacity;
	}
	f->list[f->count++] = *frame;
	return true;
}

enum frame_mode frame_mode(const struct frame *f)
{
	const enum regs_mode mode = f->regs.arch ? f->regs.arch->mode(&f->regs) : REGS_MODE_UNKNOWN;
	const uint64_t pc = regs_pc(&f->regs);
	if (mode != REGS_MODE_UNKNOWN)
		return mode == REGS_MODE_USER	  ? FRAME_USER
		       : mode == REGS_MODE_KERNEL ? FRAME_KERNEL
						  : FRAME_UNKNOWN;
	if (!regs_pc_known(&f->regs))
		return FRAME_UNKNOWN;
	if (is_kernel_address(pc))
		return FRAME_KERNEL;
	return f->how == HOW_CFI && f->interrupted && pc && is_user_address(pc) ? FRAME_USER
										: FRAME_UNKNOWN;
}

/* False, with a note, if the stack was left before: frames would go round for ever. */
static bool enter_stack(struct driver *d, const struct unwind_stack *stack)
{
	struct walk *w = &d->walk;
	for (size_t i = 0; i < d->stacks; i++) {
		if (d->entered[i] == stack->low) {
			walk_note(w, "the %s stack is entered twice", stack->name);
			return false;
		}
	}
	if (d->stacks == STACKS_MAX) {
		walk_note(w, "there are more stacks than a CPU has");
		return false;
	}
	d->entered[d->stacks++] = stack->low;
	w->stack = *stack;
	return true;
}

/* A stack pointer just above a stack's end belongs to that stack: it is empty. */
static bool find_stack(const struct walk *w, uint64_t sp, struct unwind_stack *ret)
{
	const struct unwind_source *s = w->source;
	struct unwind_stack stack;
	if (!s->stack(s->self, sp, &stack) && !s->stack(s->self, sp - 8, &stack))
		return false;
	if (sp < stack.low || sp > stack.high)
		return false;
	*ret = stack;
	return true;
}

static bool no_stack(struct walk *w, uint64_t sp)
{
	const struct arch_regs *regs = w->source->arch->regs;
	walk_note(w, "%s 0x%" PRIx64 " is on no stack of this task or its CPU",
		  regs->names[regs->sp], sp);
	return false;
}

/*
 * Enters the stack on which @stopped was: it may have run over the stack's end into the guard page
 * below (a double fault tells of that, arch/x86/kernel/traps.c). Then only the stack
 * pointer lies there: all that callers have saved is on the stack.
 */
static bool enter_stopped_stack(struct driver *d, const struct frame *stopped)
{
	struct walk *w = &d->walk;
	struct unwind_stack stack;
	const struct unwind_arch *arch = w->source->arch;
	uint64_t sp = stopped->regs.value[arch->regs->sp];
	if (!find_stack(w, sp, &stack)) {
		uint64_t above = (sp | (w->source->page_size - 1)) + 1;
		bool below = w->source->stack(w->source->self, above, &stack) && stack.low == above;
		if (!below && arch->may_lack_stack && arch->may_lack_stack(w, stopped)) {
			w->stack = (struct unwind_stack){ 0 };
			return true;
		}
		if (!below)
			return no_stack(w, sp);
		stack.low = sp;
	}
	return enter_stack(d, &stack);
}

static bool follow_stack(struct driver *d, const struct frame *next)
{
	struct walk *w = &d->walk;
	const struct unwind_arch *arch = w->source->arch;
	uint64_t from = walk_sp(w), to = next->regs.value[arch->regs->sp];
	struct unwind_stack stack;
	if (to > from && to <= w->stack.high)
		return true;
	if (to >= w->stack.low && to <= from) {
		if (!d->went_back && arch->may_go_back && arch->may_go_back(w, next)) {
			d->went_back = true;
			return true;
		}
		walk_note(w, "the stack goes the wrong way, from 0x%" PRIx64 " to 0x%" PRIx64, from,
			  to);
		return false;
	}
	if (next->interrupted)
		return enter_stopped_stack(d, next);
	return find_stack(w, to, &stack) ? enter_stack(d, &stack) : no_stack(w, to);
}

static bool is_plausible(struct driver *d, const struct frame *next)
{
	struct walk *w = &d->walk;
	uint64_t pc = next->regs.value[w->source->arch->regs->pc];
	if (!next->interrupted && !walk_is_code(w, pc - 1) && !walk_may_be_code(w, pc)) {
		walk_note(w, "return address 0x%" PRIx64 " is no code", pc);
		return false;
	}
	return follow_stack(d, next);
}

/* A tracer may have put its own return address onto the stack. */
static void see_through_tracers(const struct walk *w, struct frame *next)
{
	const struct unwind_source *s = w->source;
	const unsigned pc = s->arch->regs->pc;
	uint64_t address;
	if (next->interrupted || !s->traced || !(next->saved_known >> pc & 1))
		return;
	switch (s->traced(s->self, next->saved[pc], next->regs.value[pc], &address)) {
	case RETURN_PLAIN:
		break;
	case RETURN_TRACED:
		next->traced = true;
		regs_set(&next->regs, pc, address);
		break;
	case RETURN_LOST:
		next->traced = next->is_trampoline = true;
		break;
	}
}

/* Adds the next frame. True if there may be more; else frames->end is set. */
static bool take_step(struct driver *d, struct err **ret_e)
{
	struct frames *f = d->frames;
	struct walk *w = &d->walk;
	struct frame *from = &f->list[f->count - 1], next = { 0 };
	w->frame = from;
	if (from->is_trampoline) {
		f->end = END_LOST;
		buf_reset(&w->why);
		walk_note(w, "a tracer has taken the place of the return address, and nothing says "
			     "what that was");
		return false;
	}
	w->callee = f->count > 1 ? from - 1 : NULL;
	w->exact = f->count == 1 || from->interrupted;
	w->pc = walk_pc(w) - (w->exact ? 0 : 1);
	w->cfa = 0;
	buf_reset(&w->why);
	enum step step = w->source->arch->leave(w, &next);
	f->end = step == STEP_BOTTOM ? END_KTHREAD : END_LOST;
	if (step != STEP_CALLER)
		return false;
	const struct unwind_arch *arch = w->source->arch;
	next.regs.arch = arch->regs;
	see_through_tracers(w, &next);
	bool user = frame_mode(&next) == FRAME_USER;
	if (user && arch->forget_lost)
		arch->forget_lost(w, &next);
	if (!user && arch->is_bottom(w, &next)) {
		f->end = END_KTHREAD;
		return false;
	}
	if (!user && !is_plausible(d, &next))
		return false;
	if (f->count == UNWIND_DEPTH_MAX) {
		walk_note(w, "more than %d frames", UNWIND_DEPTH_MAX);
		return false;
	}
	from->cfa = w->cfa;
	if (!add_frame(d, &next)) {
		*ret_e = err_nomem();
		return false;
	}
	if (user)
		f->end = END_USER;
	return !user;
}

/* The reason, as a sentence that says where. */
static struct err *explain(struct driver *d)
{
	struct frames *f = d->frames;
	struct buf *why = &d->walk.why;
	struct err *e;
	if (f->end != END_LOST)
		return NULL;
	struct buf sentence = BUF_INIT;
	const struct regs *last = &f->list[f->count - 1].regs;
	if (regs_pc_known(last))
		buf_addf(&sentence, "at 0x%" PRIx64 ": ", regs_pc(last));
	buf_addstr(&sentence, why->len ? why->data : "nothing says where its caller is");
	e = buf_error(&sentence);
	if (!e)
		e = buf_error(why);
	if (e) {
		buf_free(&sentence);
		return e;
	}
	f->why = sentence.data; /* owned: it is not empty */
	return NULL;
}

static struct err *run(struct driver *d, const struct frame *first)
{
	struct frames *f = d->frames;
	struct err *e = NULL;
	if (!add_frame(d, first))
		return err_nomem();
	if (frame_mode(first) == FRAME_USER) {
		f->end = END_USER;
		return NULL;
	}
	f->end = END_LOST;
	d->walk.frame = f->list;
	const struct arch_regs *regs = d->walk.source->arch->regs;
	if (!regs_pc_known(&first->regs) || !regs_sp_known(&first->regs))
		walk_note(&d->walk, "%s or %s is not known", regs->names[regs->pc],
			  regs->names[regs->sp]);
	else if (enter_stopped_stack(d, first))
		while (take_step(d, &e))
			;
	return e ? e : explain(d);
}

struct err *unwind(const struct unwind_source *source, const struct regs *first, enum frame_how how,
		   bool interrupted, struct frames *ret)
{
	struct frames frames = { 0 };
	struct frame frame = { .regs = *first, .how = how, .interrupted = interrupted };
	frame.regs.arch = source->arch->regs;
	struct driver d = { .walk = { .source = source, .why = BUF_INIT }, .frames = &frames };
	struct err *e = run(&d, &frame);
	buf_free(&d.walk.why);
	if (e) {
		frames_free(&frames);
		return e;
	}
	*ret = frames;
	return NULL;
}
