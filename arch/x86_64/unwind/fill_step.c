// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Code that fills the CPU's return stack buffer (FILL_RETURN_BUFFER,
 * arch/x86/include/asm/nospec-branch.h): calls of the next instruction but one, whose return
 * addresses are dropped soon. The kernel puts one of several such fills into its code when it
 * starts, and its tables know at most another one. But each call has left on the stack where it is.
 */
#include "arch/x86_64/unwind/decode.h"
#include "arch/x86_64/unwind/steps.h"

enum {
	TRAP_BYTES = 12, /* between a call and where it leads */
	FILL_BYTES = 64, /* of a round, or of all, if it is no loop */
	CALLS_MAX = 64,
	INSNS_MAX = 32,
};

/* Whether @back is where a call of a fill that @pc is in would return; it may have come round. */
static bool is_of_fill(struct walk *w, uint64_t back, uint64_t pc)
{
	enum { CALL = 5 /* bytes */ };
	unsigned char code[DECODE_MAX];
	struct decoded d;
	uint64_t away = back < pc ? pc - back : back - pc;
	return back >= CALL && away <= FILL_BYTES && walk_decode(w, back - CALL, code, &d) &&
	       d.flow == FLOW_CALL && d.len == CALL && d.target > back &&
	       d.target - back <= TRAP_BYTES;
}

/* Whether @pc is at a call of a fill, with no word on the stack yet, or with all of a round
 * dropped. */
static bool is_at_call(struct walk *w, uint64_t pc)
{
	enum { INT3 = 0xcc, PAUSE = 0xf3 };
	unsigned char code[DECODE_MAX];
	struct decoded d;
	if (!walk_decode(w, pc, code, &d) || d.flow != FLOW_CALL)
		return false;
	uint64_t back = pc + d.len;
	return (code[d.len] == INT3 || code[d.len] == PAUSE) && d.target > back &&
	       d.target - back <= TRAP_BYTES;
}

static uint64_t count_calls(struct walk *w)
{
	uint64_t count = 0, word, at = walk_reg(w, REG_RSP);
	while (count < CALLS_MAX && walk_on_stack(w, at, 8) && walk_word(w, at, &word) &&
	       is_of_fill(w, word, w->pc)) {
		count++;
		at += 8;
	}
	return count;
}

static bool is_lfence(const unsigned char *code)
{
	return code[0] == 0x0f && code[1] == 0xae && code[2] == 0xe8;
}

/* Goes on to the next instruction; *pc is 0 where that is not part of a fill. */
static void follow(const struct decoded *d, uint64_t *pc)
{
	bool leads_on = d->flow == FLOW_CALL && d->target > *pc && d->target - *pc <= FILL_BYTES;
	bool loops = d->flow == FLOW_BRANCH && d->target < *pc;
	if (leads_on)
		*pc = d->target;
	else if (d->flow == FLOW_NEXT || loops)
		*pc += d->len;
	else
		*pc = 0;
}

/* Where the fill ends: behind the instruction that drops the words, what counts rounds, and lfence.
 * *ret_writes: registers that it changes. */
static bool find_end(struct walk *w, uint64_t *ret_end, uint16_t *ret_writes)
{
	const uint16_t rsp = 1U << REG_RSP;
	unsigned char code[DECODE_MAX];
	struct decoded d;
	uint64_t pc = w->pc;
	bool dropped = false;
	*ret_writes = 0;
	for (unsigned i = 0; i < INSNS_MAX && pc && walk_decode(w, pc, code, &d); i++) {
		bool drops = d.act == ACT_ADD && d.dst == REG_RSP && d.number > 0;
		bool counts = d.act == ACT_ADD && d.dst != REG_RSP && d.number == -1;
		bool part = drops || counts || d.flow != FLOW_NEXT || is_lfence(code);
		if (dropped && !part) {
			*ret_end = pc;
			return true;
		}
		bool moves = d.stored || d.act == ACT_PUSH || d.act == ACT_POP || d.writes & rsp;
		if (moves && !drops && d.flow == FLOW_NEXT)
			return false;
		dropped |= drops;
		*ret_writes |= d.writes & (uint16_t)~rsp;
		follow(&d, &pc);
	}
	return false;
}

bool fill_undo(struct walk *w, struct frame *ret)
{
	uint64_t end, calls = w->exact ? count_calls(w) : 0;
	uint16_t writes;
	if (!w->exact || (!calls && !is_at_call(w, w->pc)) || !find_end(w, &end, &writes))
		return false;
	*ret = *w->frame;
	for (unsigned n = 0; n < GPR_COUNT; n++) {
		if (!(writes >> n & 1))
			continue;
		walk_forget(ret, (enum reg)n);
	}
	regs_set(&ret->regs, REG_RSP, walk_reg(w, REG_RSP) + 8 * calls);
	regs_set(&ret->regs, REG_RIP, end);
	return true;
}
