// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/fuzz/unknown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/unwind/orc.h"
#include "arch/x86_64/unwind/steps.h"
#include "base/bytes.h"
#include "base/err.h"

/* How many frames the strategies are asked of one by one. */
enum { FRAMES_MAX = 4 };

void put_garbage(struct regs *r, enum garbage kind)
{
	uint64_t near = regs_known(r, REG_RSP) ? r->value[REG_RSP] : r->value[REG_RIP];
	for (unsigned n = 0; n < REG_COUNT; n++)
		if (!regs_known(r, (enum reg)n))
			r->value[n] = kind == GARBAGE_ZERO ? 0 : near + 8 * (uint64_t)(n % 8);
}

/* ---- the same answer ---- */

static void require_same_frame(const struct frame *a, const struct frame *b)
{
	REQUIRE(a->how == b->how && a->interrupted == b->interrupted);
	REQUIRE(a->regs.known == b->regs.known && a->saved_known == b->saved_known);
	for (unsigned n = 0; n < REG_COUNT; n++) {
		if (regs_known(&a->regs, (enum reg)n))
			REQUIRE(a->regs.value[n] == b->regs.value[n]);
		if (a->saved_known >> n & 1)
			REQUIRE(a->saved[n] == b->saved[n]);
	}
}

static void require_same_frames(const struct frames *a, const struct frames *b)
{
	REQUIRE(a->count == b->count && a->end == b->end);
	REQUIRE(!a->why == !b->why && (!a->why || !strcmp(a->why, b->why)));
	for (size_t i = 0; i < a->count; i++) {
		require_same_frame(&a->list[i], &b->list[i]);
		REQUIRE(a->list[i].cfa == b->list[i].cfa);
	}
}

/* ---- one strategy ---- */

struct answer {
	enum step step;
	struct frame frame;
	uint64_t cfa;
	char *why; /* owned; may be NULL */
};

enum strategy {
	ASK_CFI,
	ASK_CFI_AND_ORC,
	ASK_ORC,
	ASK_FP,
	ASK_FOUND,
	ASK_CODE,
	ASK_ENTRY,
	ASK_INLINE,
	ASK_INTERRUPT,
	ASK_EXCEPTION,
	ASK_SYSCALL,
	ASK_TOP,
	STRATEGIES
};

static enum step ask_orc(struct walk *w, enum strategy strategy, struct frame *ret)
{
	const struct unwind_source *s = w->source;
	struct orc_entry orc;
	if (!s->orc || !s->orc(s->self, w->pc, &orc))
		return STEP_NONE;
	if (strategy == ASK_ORC)
		return orc_step(w, &orc, ret);
	/* What the driver asks first. */
	return orc.type == ORC_CALL ? cfi_step(w, &orc, ret) : STEP_NONE;
}

static enum step ask_entry(struct walk *w, struct frame *ret)
{
	const struct unwind_source *s = w->source;
	struct guest_entry entry;
	if (!walk_asks(w)->enters_guest || !walk_asks(w)->enters_guest(s->self, w->pc, &entry) ||
	    entry.code == GUEST_INLINE)
		return STEP_NONE;
	return entry_step(w, &entry, ret);
}

static enum step ask_syscall(struct walk *w, struct frame *ret)
{
	const struct unwind_source *s = w->source;
	uint64_t kept_at;
	if (!walk_asks(w)->drops_user_rsp ||
	    !walk_asks(w)->drops_user_rsp(s->self, w->pc, &kept_at))
		return STEP_NONE;
	return syscall_step(w, kept_at, ret);
}

static enum step ask(struct walk *w, enum strategy strategy, struct frame *ret)
{
	switch (strategy) {
	case ASK_CFI:
		return cfi_step(w, NULL, ret);
	case ASK_CFI_AND_ORC:
	case ASK_ORC:
		return ask_orc(w, strategy, ret);
	case ASK_FP:
		return fp_step(w, ret);
	case ASK_FOUND:
		return found_step(w, ret);
	case ASK_CODE:
		return code_step(w, ret);
	case ASK_ENTRY:
		return ask_entry(w, ret);
	case ASK_INLINE:
		return entry_undo_inline(w, ret) ? STEP_CALLER : STEP_NONE;
	case ASK_INTERRUPT:
		return interrupt_step(w, HANDLER_INTERRUPT, ret);
	case ASK_EXCEPTION:
		return interrupt_step(w, HANDLER_EXCEPTION, ret);
	case ASK_SYSCALL:
		return ask_syscall(w, ret);
	case ASK_TOP:
		return stack_top_step(w, ret);
	case STRATEGIES:
		break;
	}
	return STEP_NONE;
}

static void ask_with(const struct unwind_source *source, const struct frame *frame, bool exact,
		     enum strategy strategy, struct answer *ret)
{
	struct walk w = { .source = source, .frame = frame, .exact = exact, .why = BUF_INIT };
	uint64_t rsp = frame->regs.value[REG_RSP];
	*ret = (struct answer){ .step = STEP_NONE };
	if (!source->stack(source->self, rsp, &w.stack) &&
	    !source->stack(source->self, rsp - 8, &w.stack))
		return;
	w.pc = frame->regs.value[REG_RIP] - !exact;
	ret->step = ask(&w, strategy, &ret->frame);
	if (ret->step == STEP_CALLER && strategy != ASK_INLINE)
		ret->cfa = w.cfa;
	if (w.why.len)
		ret->why = strdup(w.why.data);
	buf_free(&w.why);
}

static void ask_twice(const struct unwind_source *source, const struct frame *frame, bool exact,
		      enum strategy strategy)
{
	struct frame twins[2] = { *frame, *frame };
	struct answer a, b;
	put_garbage(&twins[0].regs, GARBAGE_ZERO);
	put_garbage(&twins[1].regs, GARBAGE_PLAUSIBLE);
	ask_with(source, &twins[0], exact, strategy, &a);
	ask_with(source, &twins[1], exact, strategy, &b);
	REQUIRE(a.step == b.step && !a.why == !b.why && (!a.why || !strcmp(a.why, b.why)));
	if (a.step == STEP_CALLER) {
		REQUIRE(a.cfa == b.cfa);
		require_same_frame(&a.frame, &b.frame);
		REQUIRE(regs_known(&a.frame.regs, REG_RIP));
	}
	free(a.why);
	free(b.why);
}

static void ask_everything_twice(const struct unwind_source *source, const struct frame *frame)
{
	if (!regs_known(&frame->regs, REG_RIP) || !regs_known(&frame->regs, REG_RSP))
		return;
	for (unsigned strategy = 0; strategy < STRATEGIES; strategy++) {
		ask_twice(source, frame, true, (enum strategy)strategy);
		ask_twice(source, frame, false, (enum strategy)strategy);
	}
}

/* ---- what holds of every unwind ---- */

/* A register that was saved holds what lies there, or 16 bits of it. */
static void require_saved(const struct unwind_source *source, const struct frame *frame)
{
	REQUIRE(!(frame->saved_known & ~frame->regs.known));
	for (unsigned n = 0; n < REG_COUNT; n++) {
		unsigned char word[8];
		if (!(frame->saved_known >> n & 1))
			continue;
		struct err *e = source->read(source->self, frame->saved[n], word, sizeof(word));
		REQUIRE(!e && pt_regs_value((enum reg)n, get_u64(word)) == frame->regs.value[n]);
	}
}

static bool same_register(const struct frame *a, const struct frame *b, enum reg n)
{
	return regs_known(&a->regs, n) && regs_known(&b->regs, n) &&
	       a->regs.value[n] == b->regs.value[n];
}

/*
 * Without CFI: rsp follows from where the frame lies; any other register was read from memory, or
 * is what it was in the frame before, which a call or its absence must allow.
 */
static void require_origin(const struct frame *before, const struct frame *frame)
{
	const uint32_t kept = UINT32_C(1) << REG_RBX | UINT32_C(1) << REG_RBP |
			      UINT32_C(1) << REG_R12 | UINT32_C(1) << REG_R13 |
			      UINT32_C(1) << REG_R14 | UINT32_C(1) << REG_R15;
	for (unsigned n = 0; n < REG_COUNT; n++) {
		if (n == REG_RSP || !regs_known(&frame->regs, (enum reg)n) ||
		    frame->saved_known >> n & 1)
			continue;
		REQUIRE(same_register(before, frame, (enum reg)n));
		REQUIRE(kept >> n & 1 || frame->how == HOW_CALL);
	}
}

static void require_sound(const struct unwind_source *source, const struct frames *f)
{
	REQUIRE(f->count && f->count <= UNWIND_DEPTH_MAX);
	REQUIRE((f->end == END_LOST) == (f->why != NULL));
	REQUIRE(!f->list[f->count - 1].cfa);
	for (size_t i = 0; i < f->count; i++) {
		const struct frame *frame = &f->list[i];
		bool user = f->end == END_USER && i == f->count - 1;
		require_saved(source, frame);
		if (!i)
			continue;
		REQUIRE(regs_known(&frame->regs, REG_RIP));
		REQUIRE(user || regs_known(&frame->regs, REG_RSP));
		if (!source->cfi)
			require_origin(&f->list[i - 1], frame);
	}
}

bool unwind_checked(const struct unwind_source *source, const struct regs *first,
		    enum frame_how how, bool interrupted, struct frames *ret)
{
	struct regs twins[2] = { *first, *first };
	struct frames frames, other;
	put_garbage(&twins[0], GARBAGE_ZERO);
	put_garbage(&twins[1], GARBAGE_PLAUSIBLE);
	struct err *e = unwind(source, &twins[0], how, interrupted, &frames);
	if (e) {
		err_free(e);
		return false;
	}
	e = unwind(source, &twins[1], how, interrupted, &other);
	if (!e) {
		require_same_frames(&frames, &other);
		frames_free(&other);
	}
	err_free(e);
	require_sound(source, &frames);
	for (size_t i = 0; i < frames.count && i < FRAMES_MAX; i++)
		ask_everything_twice(source, &frames.list[i]);
	*ret = frames;
	return true;
}
