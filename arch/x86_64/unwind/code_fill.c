// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/unwind/code_fill.h"

enum {
	CALLS_MAX = 4,	 /* of a round; kernels have 2 */
	TRAP_MAX = 8,	 /* instructions between two calls */
	ROUNDS_MAX = 64, /* kernels have 16 at most */
	WORD = 8,
};

/* Whether control stays between @from and @to for good, once it is there: where the CPU waits that
 * has only guessed a return. It changes nothing there. */
static bool is_trap(code_fill_decode *at, void *self, uint64_t from, uint64_t to)
{
	struct decoded d;
	uint64_t pc = from;
	bool stays = false;
	for (unsigned i = 0; i < TRAP_MAX && pc < to; i++) {
		if (!at(self, pc, &d) || d.writes || d.stored || d.act != ACT_OTHER)
			return false;
		bool jumps_back = d.flow == FLOW_JUMP && d.target >= from && d.target <= pc;
		if (d.flow != FLOW_NEXT && d.flow != FLOW_STOP && !jumps_back)
			return false;
		stays = d.flow != FLOW_NEXT;
		pc += d.len;
	}
	return stays && pc == to;
}

bool code_fill_at(code_fill_decode *at, void *self, uint64_t pc, struct code_fill *ret)
{
	struct decoded d, branch;
	uint64_t next = pc;
	uint8_t calls = 0;
	while (at(self, next, &d) && d.flow == FLOW_CALL) {
		if (calls == CALLS_MAX || d.target < next ||
		    !is_trap(at, self, next + d.len, d.target))
			return false;
		next = d.target;
		calls++;
	}
	/* Nothing may stand between what counts and the branch that asks for the result. */
	if (!calls || !at(self, next, &d) || d.act != ACT_ADD || d.number != -1 || d.dst == REG_RSP)
		return false;
	next += d.len;
	if (!at(self, next, &branch) || branch.flow != FLOW_BRANCH || !branch.if_not_zero ||
	    branch.target != pc)
		return false;
	*ret = (struct code_fill){ next + branch.len, calls, d.dst };
	return true;
}

void code_fill_apply(const struct code_fill *f, struct code_state *s)
{
	const struct value rounds = s->regs[f->counter];
	bool known = rounds.kind == VALUE_NUMBER && rounds.n > 0 && rounds.n <= ROUNDS_MAX;
	code_state_pushed(s, known ? rounds.n * f->calls : -1);
	s->regs[f->counter] = (struct value){ VALUE_NUMBER, 0 };
}
