// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/unwind/code_state.h"

#include <string.h>

enum { WORD = 8 };

/* System V ABI for x86-64, 3.2.1. */
static const uint8_t callee_saved[] = { REG_RBX, REG_RBP, REG_R12, REG_R13, REG_R14, REG_R15 };
static const uint8_t scratch[] = { REG_RAX, REG_RDX, REG_RCX, REG_RSI, REG_RDI,
				   REG_R8,  REG_R9,  REG_R10, REG_R11 };

static struct value unknown(void)
{
	return (struct value){ VALUE_UNKNOWN, 0 };
}

/* A sum that does not fit is not known. */
static struct value make(uint32_t kind, int64_t n)
{
	if (n < INT32_MIN || n > INT32_MAX)
		return unknown();
	return (struct value){ kind, (int32_t)n };
}

static struct value add(struct value v, int64_t by)
{
	bool sums = value_is_place(v) || v.kind == VALUE_NUMBER;
	if (!sums || by < INT32_MIN || by > INT32_MAX)
		return unknown();
	return make(v.kind, v.n + by);
}

/* ---- the stack ---- */

static void remove_slot(struct code_state *s, unsigned i)
{
	s->slots[i] = s->slots[--s->slot_count];
}

static void forget_kind(struct code_state *s, uint32_t kind)
{
	for (unsigned i = s->slot_count; i-- > 0;)
		if (s->slots[i].at.kind == kind)
			remove_slot(s, i);
}

/* What changes in @bytes bytes at @at. */
static void overwrite(struct code_state *s, struct value at, unsigned bytes)
{
	for (unsigned i = s->slot_count; i-- > 0;) {
		const struct value have = s->slots[i].at;
		int64_t distance = (int64_t)have.n - at.n;
		if (have.kind == at.kind && distance > -WORD && distance < (int64_t)bytes)
			remove_slot(s, i);
	}
}

/*
 * What lies below rsp is anybody's: interrupts push there. Where rsp is back in the function's own
 * frame, what was rounded down for, or lay on another stack, is below.
 */
static void trim(struct code_state *s)
{
	const struct value rsp = s->regs[REG_RSP];
	if (!value_is_place(rsp))
		return;
	for (unsigned i = s->slot_count; i-- > 0;) {
		const struct value at = s->slots[i].at;
		if (at.kind == rsp.kind ? at.n < rsp.n : at.kind > rsp.kind)
			remove_slot(s, i);
	}
}

static void store(struct code_state *s, struct value at, struct value v)
{
	const struct value rsp = s->regs[REG_RSP];
	overwrite(s, at, WORD);
	if (v.kind != VALUE_UNKNOWN && s->slot_count < SLOTS_MAX &&
	    !(rsp.kind == at.kind && at.n < rsp.n))
		s->slots[s->slot_count++] = (struct slot){ at, v };
}

struct value code_state_load(const struct code_state *s, struct value place, int64_t by)
{
	const struct value at = add(place, by);
	if (!value_is_place(at))
		return unknown();
	for (unsigned i = 0; i < s->slot_count; i++)
		if (value_equal(s->slots[i].at, at))
			return s->slots[i].value;
	return unknown();
}

bool code_state_find(const struct code_state *s, struct value value, struct value *ret_at)
{
	bool found = false;
	for (unsigned i = 0; i < s->slot_count; i++) {
		const struct slot *slot = &s->slots[i];
		if (!value_equal(slot->value, value))
			continue;
		if (!found || slot->at.kind < ret_at->kind ||
		    (slot->at.kind == ret_at->kind && slot->at.n > ret_at->n))
			*ret_at = slot->at;
		found = true;
	}
	return found;
}

/* ---- registers ---- */

static void set_reg(struct code_state *s, unsigned n, struct value v)
{
	s->regs[n] = v;
	if (n == REG_RSP)
		trim(s);
}

static void push(struct code_state *s, struct value v)
{
	const struct value rsp = add(s->regs[REG_RSP], -WORD);
	set_reg(s, REG_RSP, rsp);
	if (value_is_place(rsp))
		store(s, rsp, v);
}

static struct value pop(struct code_state *s)
{
	const struct value v = code_state_load(s, s->regs[REG_RSP], 0);
	set_reg(s, REG_RSP, add(s->regs[REG_RSP], WORD));
	return v;
}

static void forget_scratch(struct code_state *s)
{
	for (size_t i = 0; i < sizeof(scratch); i++)
		s->regs[scratch[i]] = unknown();
}

/* What is rounded down a second time is not followed. */
static struct value align(struct code_state *s, const struct decoded *d)
{
	const struct value v = s->regs[d->dst];
	if (d->dst != REG_RSP || v.kind != VALUE_CFA)
		return unknown();
	for (unsigned i = 0; i < GPR_COUNT; i++)
		if (s->regs[i].kind == VALUE_ALIGNED)
			s->regs[i] = unknown();
	forget_kind(s, VALUE_ALIGNED);
	return (struct value){ VALUE_ALIGNED, 0 };
}

/*
 * The kernel changes to another stack by storing rsp in its first word, and then taking that word's
 * address for rsp (call_on_stack(), arch/x86/include/asm/irq_stack.h).
 */
static void store_apart(struct code_state *s, const struct decoded *d, struct value rsp)
{
	for (unsigned i = 0; i < GPR_COUNT; i++)
		if (s->regs[i].kind == VALUE_APART)
			s->regs[i] = unknown();
	forget_kind(s, VALUE_APART);
	s->apart_by = (int32_t)d->number;
	s->regs[d->base] = make(VALUE_APART, 0 - d->number);
	if (s->regs[d->base].kind == VALUE_APART)
		store(s, (struct value){ VALUE_APART, 0 }, rsp);
}

static void apply_store(struct code_state *s, const struct decoded *d)
{
	const struct value v = d->src == DECODE_NO_REG ? unknown() : s->regs[d->src];
	const struct value at = add(s->regs[d->base], d->number);
	/* Only pushes put away addresses of the stack as compilers need them; others are variables,
	 * which may change by ways that are not seen. */
	bool kept = v.kind == VALUE_CALLERS || v.kind == VALUE_RETURN;
	if (value_is_place(at))
		store(s, at, kept ? v : unknown());
	else if (d->src == REG_RSP && (v.kind == VALUE_CFA || v.kind == VALUE_ALIGNED) &&
		 d->number >= INT32_MIN / 2 && d->number <= INT32_MAX / 2)
		store_apart(s, d, v);
}

/* One of the words of a table that lies at a known place. */
static struct value table_entry(const struct code_state *s, const struct decoded *d)
{
	const struct value none = { VALUE_NUMBER, 0 };
	const struct value v = add(d->base == DECODE_NO_REG ? none : s->regs[d->base], d->number);
	return v.kind == VALUE_NUMBER ? make(VALUE_TABLE, v.n) : unknown();
}

/*
 * A task is switched out by storing rsp in its task_struct, and goes on where the next one's is
 * taken from there (switch_to(), __switch_to_asm): in this function's frame of its own, with
 * nothing in registers.
 */
static bool is_switch(const struct code_state *s, const struct decoded *d)
{
	const struct value apart = { VALUE_APART, 0 };
	return d->dst == REG_RSP && d->number && d->number == s->apart_by &&
	       s->regs[d->base].kind == VALUE_UNKNOWN &&
	       value_equal(code_state_load(s, apart, 0), s->regs[REG_RSP]);
}

static void switch_task(struct code_state *s)
{
	for (unsigned i = 0; i < GPR_COUNT; i++)
		if (i != REG_RSP)
			s->regs[i] = unknown();
	forget_kind(s, VALUE_APART);
	s->apart_by = 0;
}

static struct value result(struct code_state *s, const struct decoded *d)
{
	switch ((enum act)d->act) {
	case ACT_MOVE:
		return s->regs[d->src];
	case ACT_ADD:
		return add(s->regs[d->dst], d->number);
	case ACT_ADDRESS:
		return add(s->regs[d->base], d->number);
	case ACT_ALIGN:
		return align(s, d);
	case ACT_LOAD:
		return code_state_load(s, s->regs[d->base], d->number);
	case ACT_CONSTANT:
		return make(VALUE_NUMBER, d->number);
	case ACT_TABLE:
		return table_entry(s, d);
	default:
		return unknown();
	}
}

/* What @d stores, which nothing is known of. */
static void overwrite_stored(struct code_state *s, const struct decoded *d)
{
	if (!d->stored || d->base == DECODE_NO_REG || d->index != DECODE_NO_REG)
		return;
	const struct value at = add(s->regs[d->base], d->number);
	if (value_is_place(at))
		overwrite(s, at, d->stored);
}

static void apply_other(struct code_state *s, const struct decoded *d)
{
	overwrite_stored(s, d);
	for (unsigned i = 0; i < GPR_COUNT; i++)
		if (d->writes >> i & 1)
			set_reg(s, i, unknown());
}

static void apply_pop(struct code_state *s, const struct decoded *d)
{
	const struct value v = pop(s);
	if (d->dst != DECODE_NO_REG)
		set_reg(s, d->dst, v);
	else
		overwrite_stored(s, d);
}

void code_state_apply(struct code_state *s, const struct decoded *d)
{
	if (d->flow == FLOW_CALL || d->flow == FLOW_CALL_INDIRECT) {
		/* What is below rsp is not kept, and of other stacks only the one that rsp is on.
		 */
		forget_scratch(s);
		if (s->regs[REG_RSP].kind != VALUE_APART)
			forget_kind(s, VALUE_APART);
		return;
	}
	if (d->flow != FLOW_NEXT) {
		apply_other(s, d);
		return;
	}
	switch ((enum act)d->act) {
	case ACT_OTHER:
		apply_other(s, d);
		break;
	case ACT_PUSH:
		push(s, d->src == DECODE_NO_REG ? unknown() : s->regs[d->src]);
		break;
	case ACT_POP:
		apply_pop(s, d);
		break;
	case ACT_STORE:
		apply_store(s, d);
		break;
	case ACT_LOAD:
		if (is_switch(s, d))
			switch_task(s);
		else
			set_reg(s, d->dst, result(s, d));
		break;
	case ACT_LEAVE:
		set_reg(s, REG_RSP, s->regs[REG_RBP]);
		s->regs[REG_RBP] = pop(s);
		break;
	default:
		set_reg(s, d->dst, result(s, d));
		break;
	}
}

void code_state_push(struct code_state *s)
{
	push(s, unknown());
}

void code_state_pushed(struct code_state *s, int words)
{
	set_reg(s, REG_RSP, words < 0 ? unknown() : add(s->regs[REG_RSP], -WORD * (int64_t)words));
}

/* ---- whole states ---- */

void code_state_forget(struct code_state *s)
{
	memset(s, 0, sizeof(*s));
}

void code_state_begin(struct code_state *s)
{
	code_state_forget(s);
	for (size_t i = 0; i < sizeof(callee_saved); i++)
		s->regs[callee_saved[i]] = (struct value){ VALUE_CALLERS, callee_saved[i] };
	s->regs[REG_RSP] = (struct value){ VALUE_CFA, -WORD };
	store(s, s->regs[REG_RSP], (struct value){ VALUE_RETURN, 0 });
}

bool code_state_join(struct code_state *into, const struct code_state *from)
{
	bool changed = false;
	if (from->weak && !into->weak && !value_equal(into->regs[REG_RSP], from->regs[REG_RSP]))
		return false;
	for (unsigned i = 0; i < GPR_COUNT; i++) {
		if (into->regs[i].kind == VALUE_UNKNOWN ||
		    value_equal(into->regs[i], from->regs[i]))
			continue;
		into->regs[i] = unknown();
		changed = true;
	}
	if (into->apart_by && into->apart_by != from->apart_by) {
		into->apart_by = 0;
		changed = true;
	}
	for (unsigned i = into->slot_count; i-- > 0;) {
		const struct slot *slot = &into->slots[i];
		if (value_equal(code_state_load(from, slot->at, 0), slot->value))
			continue;
		remove_slot(into, i);
		changed = true;
	}
	if (into->weak && !from->weak) {
		into->weak = false;
		changed = true;
	}
	return changed;
}
