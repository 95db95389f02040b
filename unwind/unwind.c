// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The driver: asks the strategies in order for the caller of each frame, and believes an answer
 * only if it leads up the stack, or to another stack that was not there before.
 */
#include "unwind/unwind.h"

#include <inttypes.h>
#include <stdlib.h>

#include "arch/x86_64/unwind/orc.h"
#include "arch/x86_64/unwind/pt_regs.h"
#include "base/address.h"
#include "base/err.h"
#include "unwind/walk.h"

/*
 * A CPU has a task, an IRQ and an entry stack and, since 5.1, six exception stacks (struct
 * exception_stacks, arch/x86/include/asm/cpu_entry_area.h); before, IST stacks that are fewer.
 */
enum { STACKS_MAX = 16, PAGE = 4096 };

/* What the code of an NMI that came during another one has on its stack at most. */
enum { NESTED_NMI_BYTES = 128 };

struct driver {
	struct walk walk;
	struct frames *frames;
	size_t capacity;
	uint64_t entered[STACKS_MAX]; /* beginnings of stacks */
	size_t stacks;
	bool nested; /* an NMI came during another one */
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
	/* The privilege level (Intel SDM vol. 3, 3.4.2); Linux has nothing at 1 and 2. */
	static const enum frame_mode by_level[] = { FRAME_KERNEL, FRAME_UNKNOWN, FRAME_UNKNOWN,
						    FRAME_USER };
	uint64_t rip = f->regs.value[REG_RIP];
	if (regs_known(&f->regs, REG_CS))
		return by_level[f->regs.value[REG_CS] & 3];
	if (!regs_known(&f->regs, REG_RIP))
		return FRAME_UNKNOWN;
	if (is_kernel_address(rip))
		return FRAME_KERNEL;
	return f->how == HOW_CFI && f->interrupted && rip && is_user_address(rip) ? FRAME_USER
										  : FRAME_UNKNOWN;
}

static bool is_code(const struct walk *w, uint64_t pc)
{
	uint64_t function;
	return w->source->is_text(w->source->self, pc, &function);
}

/* Code that no symbol covers (BPF programs, trampolines) is at least there. */
static bool may_be_code(const struct walk *w, uint64_t pc)
{
	unsigned char byte;
	if (!is_kernel_address(pc))
		return false;
	struct err *e = w->source->read(w->source->self, pc, &byte, sizeof(byte));
	err_free(e);
	return !e;
}

/*
 * A call of a function that is not there has done one thing only: push the return address. All
 * other registers are still the caller's.
 */
static enum step undo_call(struct walk *w, struct frame *ret)
{
	struct frame caller = *w->frame;
	uint64_t rsp = walk_reg(w, REG_RSP);
	caller.how = HOW_CALL;
	caller.interrupted = false;
	if (!walk_on_stack(w, rsp, 8) || !walk_restore(w, &caller, REG_RIP, rsp))
		return STEP_NONE;
	if (!is_code(w, caller.regs.value[REG_RIP] - 1)) {
		walk_note(w, "0x%" PRIx64 " is no code, and was not called", walk_reg(w, REG_RIP));
		return STEP_NONE;
	}
	/* Where rsp was saved held what it was before the call. */
	regs_set(&caller.regs, REG_RSP, rsp + 8);
	caller.saved_known &= ~(UINT32_C(1) << REG_RSP);
	w->cfa = rsp + 8;
	*ret = caller;
	return STEP_CALLER;
}

/* No table can cover this pc. */
static enum step leave_unknown_code(struct walk *w, struct frame *ret)
{
	enum step step = STEP_NONE;
	if (may_be_code(w, walk_reg(w, REG_RIP)))
		step = fp_step(w, ret);
	if (step == STEP_NONE && w->exact)
		step = undo_call(w, ret);
	return step;
}

/* Entry code, of which only ORC knows that a pt_regs is there, and code that nothing called. */
static bool orc_goes_first(const struct orc_entry *entry)
{
	return entry->type != ORC_CALL;
}

/* Registers that a strategy does not speak of. */
static enum step by_code_too(struct walk *w, enum step step, struct frame *ret)
{
	if (step == STEP_CALLER)
		code_add(w, ret);
	return step;
}

/*
 * Without ORC. What entry assembly has pushed before it calls a handler can be recognised, and is
 * believed before its CFI, which people wrote: where it changes to the IRQ stack el7's is a word
 * off.
 */
static enum step leave_without_orc(struct walk *w, struct frame *ret)
{
	const struct unwind_source *s = w->source;
	enum step step = STEP_NONE;
	if (s->calls_handler)
		step = interrupt_step(w, s->calls_handler(s->self, w->pc), ret);
	if (step == STEP_NONE)
		step = cfi_step(w, NULL, ret);
	if (step == STEP_NONE)
		step = by_code_too(w, fp_step(w, ret), ret);
	return step == STEP_NONE ? code_step(w, ret) : step;
}

static enum step leave_by_tables(struct walk *w, struct frame *ret)
{
	const struct unwind_source *s = w->source;
	struct orc_entry entry;
	uint64_t kept_at;
	bool covered = s->orc && s->orc(s->self, w->pc, &entry);
	/* Its rbp is the user's, and CFI takes the end of the stack for the user's rsp. */
	if (!covered && s->drops_user_rsp && s->drops_user_rsp(s->self, w->pc, &kept_at))
		return syscall_step(w, kept_at, ret);
	if (!covered)
		return leave_without_orc(w, ret);
	bool has_orc = entry.type != ORC_NOTHING;
	if (has_orc && orc_goes_first(&entry))
		return orc_step(w, &entry, ret);
	enum step step = cfi_step(w, has_orc ? &entry : NULL, ret);
	if (step != STEP_NONE)
		return step;
	if (has_orc)
		step = by_code_too(w, orc_step(w, &entry, ret), ret);
	if (step == STEP_NONE)
		step = code_step(w, ret);
	/* A kernel with ORC has no frame pointers: rbp may lead anywhere, also past frames. */
	return step == STEP_NONE ? by_code_too(w, found_step(w, ret), ret) : step;
}

static enum step leave_code(struct walk *w, struct frame *ret)
{
	const struct frame *frame = w->frame;
	const uint64_t pc = w->pc;
	struct frame behind;
	if (!fill_undo(w, &behind))
		return leave_by_tables(w, ret);
	w->frame = &behind;
	w->pc = behind.regs.value[REG_RIP];
	enum step step = leave_by_tables(w, ret);
	w->frame = frame;
	w->pc = pc;
	return step;
}

/* A CPU that runs a guest comes back into the middle of assembly, of whose pushes tables that are
 * about the compiled code around it say nothing. */
static enum step leave_inline_entry(struct walk *w, struct frame *ret)
{
	if (w->frame->how == HOW_FOUND && w->frame->interrupted) {
		walk_note(w, "what lies on the stack at this entry of a guest is not known");
		return STEP_NONE;
	}
	return leave_by_tables(w, ret);
}

static bool has_cfi(const struct walk *w)
{
	struct Dwarf_CFI_s *cfi;
	uint64_t bias;
	return w->source->cfi && w->source->cfi(w->source->self, w->pc, &cfi, &bias);
}

/* Assembly whose pushes did not tell: tables that go by rsp are right there, and rbp is no frame
 * pointer. */
static enum step leave_assembly(struct walk *w, const struct guest_entry *entry, struct frame *ret)
{
	const struct unwind_source *s = w->source;
	struct orc_entry orc;
	enum step step = entry_step(w, entry, ret);
	if (step != STEP_NONE || !s->orc || !s->orc(s->self, w->pc, &orc))
		return step;
	if (orc.type != ORC_CALL || orc.sp != ORC_SP ||
	    (entry->code == GUEST_CALLED && walk_knows(w, REG_RBP)))
		return STEP_NONE;
	return orc_step(w, &orc, ret);
}

static enum step leave_known_code(struct walk *w, struct frame *ret)
{
	const struct unwind_source *s = w->source;
	const struct frame *frame = w->frame;
	struct guest_entry entry;
	struct frame compiled;
	if (edge_moving_step(w, ret) == STEP_CALLER)
		return STEP_CALLER;
	if (!s->enters_guest || !s->enters_guest(s->self, w->pc, &entry))
		return leave_code(w, ret);
	/* Code knows of the assembly's pushes, and of what the guest leaves in registers. */
	if (entry.code == GUEST_INLINE && !has_cfi(w)) {
		enum step step = code_step(w, ret);
		if (step != STEP_NONE)
			return step;
	}
	if (entry.code != GUEST_CALLED && entry_undo_inline(w, &compiled)) {
		w->frame = &compiled;
		w->no_code = true;
		enum step step = leave_by_tables(w, ret);
		w->frame = frame;
		w->no_code = false;
		return step;
	}
	return entry.code == GUEST_INLINE ? leave_inline_entry(w, ret)
					  : leave_assembly(w, &entry, ret);
}

/* rsp is on no stack: the user's, or what an entry has in it for a moment. */
static enum step leave_off_stack(struct walk *w, struct frame *ret)
{
	enum step step = edge_step(w, ret);
	if (step == STEP_NONE)
		walk_note(w,
			  "in entry code, where rsp 0x%" PRIx64
			  " is on no stack: what ran in user mode is not known",
			  walk_reg(w, REG_RSP));
	return step;
}

static enum step leave_frame(struct walk *w, struct frame *ret)
{
	if (!w->stack.name)
		return leave_off_stack(w, ret);
	enum step step = is_code(w, w->pc) ? leave_known_code(w, ret) : leave_unknown_code(w, ret);
	if (step == STEP_CALLER || edge_step(w, ret) == STEP_CALLER)
		return STEP_CALLER;
	/*
	 * A thread that has never run goes to user mode from where nothing called it. One that is
	 * beyond may have registers of user mode there that it will never use: io_uring's workers
	 * have copies of their creator's.
	 */
	if (step == STEP_BOTTOM && edge_is_entry(w)) {
		walk_note(w, "in a system call's entry, which was not understood");
		return STEP_NONE;
	}
	if (step == STEP_BOTTOM && w->frame->how != HOW_SWITCH)
		return step;
	enum step top = stack_top_step(w, ret);
	return top == STEP_CALLER || step == STEP_NONE ? top : step;
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

/* An rsp just above a stack's end belongs to that stack: it is empty. */
static bool find_stack(const struct walk *w, uint64_t rsp, struct unwind_stack *ret)
{
	const struct unwind_source *s = w->source;
	struct unwind_stack stack;
	if (!s->stack(s->self, rsp, &stack) && !s->stack(s->self, rsp - 8, &stack))
		return false;
	if (rsp < stack.low || rsp > stack.high)
		return false;
	*ret = stack;
	return true;
}

static bool no_stack(struct walk *w, uint64_t rsp)
{
	walk_note(w, "rsp 0x%" PRIx64 " is on no stack of this task or its CPU", rsp);
	return false;
}

/* Whether @f is in entry code. There rsp may be on no stack, and w->stack is none then. */
static bool is_at_edge(struct walk *w, const struct frame *f)
{
	struct entry_edge edge;
	const struct unwind_source *s = w->source;
	return f->interrupted && s->edge && s->edge(s->self, f->regs.value[REG_RIP], &edge);
}

/*
 * Enters the stack on which @stopped was: it may have run over the stack's end into the guard page
 * below (a double fault tells of that, arch/x86/kernel/traps.c). Then only rsp lies there: all that
 * callers have saved is on the stack.
 */
static bool enter_stopped_stack(struct driver *d, const struct frame *stopped)
{
	struct walk *w = &d->walk;
	struct unwind_stack stack;
	uint64_t rsp = stopped->regs.value[REG_RSP];
	if (!find_stack(w, rsp, &stack)) {
		uint64_t above = (rsp | (PAGE - 1)) + 1;
		bool below = w->source->stack(w->source->self, above, &stack) && stack.low == above;
		if (!below && is_at_edge(w, stopped)) {
			w->stack = (struct unwind_stack){ 0 };
			return true;
		}
		if (!below)
			return no_stack(w, rsp);
		stack.low = rsp;
	}
	return enter_stack(d, &stack);
}

/*
 * An NMI that comes while the code of another one runs, which some exception there has let in,
 * begins at the top of the stack that the other one is on (asm_exc_nmi, arch/x86/entry/entry_64.S).
 * It goes back soon, after having seen to it that the other one will do all again.
 */
static bool is_nested_nmi(const struct driver *d, const struct frame *next)
{
	const struct walk *w = &d->walk;
	struct entry_edge edge;
	return !d->nested && next->interrupted && edge_is_at(w, &edge) &&
	       w->stack.high - walk_reg(w, REG_RSP) <= NESTED_NMI_BYTES;
}

static bool follow_stack(struct driver *d, const struct frame *next)
{
	struct walk *w = &d->walk;
	uint64_t from = walk_reg(w, REG_RSP), to = next->regs.value[REG_RSP];
	struct unwind_stack stack;
	if (to > from && to <= w->stack.high)
		return true;
	if (to >= w->stack.low && to <= from) {
		if (is_nested_nmi(d, next)) {
			d->nested = true;
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

/*
 * Return address 0: what boot code pushes for the idle tasks, and the registers of a kernel thread,
 * which are zeros (copy_thread(), arch/x86/kernel/process.c); until 4.8 but for rsp, which is their
 * own address. Elsewhere than above everything that was on the stack it is damage.
 */
static bool is_bottom(const struct walk *w, const struct frame *next)
{
	uint64_t rsp = next->regs.value[REG_RSP];
	if (next->regs.value[REG_RIP])
		return false;
	return !rsp || (rsp >= walk_reg(w, REG_RSP) && rsp <= w->stack.high &&
			w->stack.high - rsp <= PT_REGS_BYTES + 88);
}

static bool is_plausible(struct driver *d, const struct frame *next)
{
	struct walk *w = &d->walk;
	uint64_t rip = next->regs.value[REG_RIP];
	if (!next->interrupted && !is_code(w, rip - 1) && !may_be_code(w, rip)) {
		walk_note(w, "return address 0x%" PRIx64 " is no code", rip);
		return false;
	}
	return follow_stack(d, next);
}

/* A tracer may have put its own return address onto the stack. */
static void see_through_tracers(const struct walk *w, struct frame *next)
{
	const struct unwind_source *s = w->source;
	uint64_t address;
	if (next->interrupted || !s->traced || !(next->saved_known >> REG_RIP & 1))
		return;
	switch (s->traced(s->self, next->saved[REG_RIP], next->regs.value[REG_RIP], &address)) {
	case RETURN_PLAIN:
		break;
	case RETURN_TRACED:
		next->traced = true;
		regs_set(&next->regs, REG_RIP, address);
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
	w->pc = from->regs.value[REG_RIP] - (w->exact ? 0 : 1);
	w->cfa = 0;
	buf_reset(&w->why);
	enum step step = leave_frame(w, &next);
	f->end = step == STEP_BOTTOM ? END_KTHREAD : END_LOST;
	if (step != STEP_CALLER)
		return false;
	see_through_tracers(w, &next);
	bool user = frame_mode(&next) == FRAME_USER;
	if (user)
		edge_forget_lost(w, &next);
	if (!user && is_bottom(w, &next)) {
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
	if (regs_known(last, REG_RIP))
		buf_addf(&sentence, "at 0x%" PRIx64 ": ", last->value[REG_RIP]);
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
	if (!regs_known(&first->regs, REG_RIP) || !regs_known(&first->regs, REG_RSP))
		walk_note(&d->walk, "rip or rsp is not known");
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
