// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/unwind/code_table.h"

#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/unwind/code_paths.h"
#include "base/err.h"

enum { WORD = 8 };

const enum reg code_kept[CODE_KEPT] = { REG_RBX, REG_RBP, REG_R12, REG_R13, REG_R14, REG_R15 };

struct row {
	int32_t offset; /* from the function's beginning */
	uint16_t rules;
	uint8_t len;
	bool call;
};

struct code_table {
	uint64_t function;
	struct row *rows; /* ascending */
	struct code_rules *rules;
	size_t row_count, rule_count;
};

/* ---- rules ---- */

/* Where @at is, by the CFA or by a register that is relative to the same thing. */
static struct code_place place_of(const struct code_state *s, struct value at)
{
	const struct value rsp = s->regs[REG_RSP], rbp = s->regs[REG_RBP];
	if (at.kind == VALUE_CFA)
		return (struct code_place){ CODE_AT_CFA, at.n };
	if (at.kind == rsp.kind)
		return (struct code_place){ CODE_AT_RSP, at.n - rsp.n };
	if (at.kind == rbp.kind)
		return (struct code_place){ CODE_AT_RBP, at.n - rbp.n };
	return (struct code_place){ CODE_NOWHERE, 0 };
}

static void find_cfa_in_memory(const struct code_state *s, struct code_rules *r)
{
	for (unsigned i = 0; i < s->slot_count; i++) {
		const struct slot *slot = &s->slots[i];
		if (slot->value.kind != VALUE_CFA || slot->at.kind == VALUE_CFA)
			continue;
		r->cfa_at = place_of(s, slot->at);
		r->cfa_add = -slot->value.n;
		if (r->cfa_at.base != CODE_NOWHERE)
			return;
	}
}

/* False if the CFA is not known, or the return address is no longer there. */
static bool make_rules(const struct code_state *s, struct code_rules *ret)
{
	const struct value cfa = { VALUE_CFA, 0 };
	const struct value rsp = s->regs[REG_RSP], rbp = s->regs[REG_RBP];
	struct code_rules r;
	memset(&r, 0, sizeof(r)); /* they are compared as bytes */
	if (code_state_load(s, cfa, -WORD).kind != VALUE_RETURN)
		return false;
	r.rbp_relative = value_is_place(rsp) && rsp.kind == rbp.kind;
	r.rbp_distance = r.rbp_relative ? rbp.n - rsp.n : 0;
	r.by_rsp = rsp.kind == VALUE_CFA;
	r.rsp_offset = r.by_rsp ? -rsp.n : 0;
	r.by_rbp = rbp.kind == VALUE_CFA;
	r.rbp_offset = r.by_rbp ? -rbp.n : 0;
	find_cfa_in_memory(s, &r);
	if (!r.by_rsp && !r.by_rbp && r.cfa_at.base == CODE_NOWHERE)
		return false;
	for (unsigned i = 0; i < CODE_KEPT; i++) {
		const struct value v = { VALUE_CALLERS, code_kept[i] };
		struct value at;
		if (value_equal(s->regs[code_kept[i]], v))
			r.in_register |= UINT32_C(1) << i;
		if (code_state_find(s, v, &at))
			r.saved[i] = place_of(s, at);
	}
	*ret = r;
	return true;
}

static void set_rules(struct code_paths *b, struct op *op, const struct code_state *s)
{
	struct code_rules r;
	if (!make_rules(s, &r))
		return;
	/* Most are those of the instruction before. */
	for (int i = b->rule_count; i-- > 0 && b->rule_count - i <= 8;) {
		if (!memcmp(&b->rules[i], &r, sizeof(r))) {
			op->rules = (uint16_t)i;
			return;
		}
	}
	struct code_rules *rules = code_paths_grow(b, b->rules, b->rule_count, &b->rule_capacity,
						   CODE_NO_RULES, sizeof(*b->rules));
	if (!rules)
		return;
	b->rules = rules;
	op->rules = (uint16_t)b->rule_count;
	b->rules[b->rule_count++] = r;
}

/* Whether rules before @d, in the state @s, may not be those behind it. */
static bool changes_rules(const struct code_state *s, const struct decoded *d)
{
	enum { TOLD = 1 << REG_RSP | 1 << REG_RBP | 1 << REG_RBX | 0xf << REG_R12 };
	if (d->flow == FLOW_CALL || d->flow == FLOW_CALL_INDIRECT)
		return s->apart_by;
	switch ((enum act)d->act) {
	case ACT_PUSH:
	case ACT_POP:
	case ACT_STORE:
	case ACT_LEAVE:
		return true;
	case ACT_OTHER:
		return d->stored || d->writes & TOLD;
	default:
		return TOLD >> d->dst & 1;
	}
}

/* Of all instructions from the leader @i to the next one. */
static void set_rules_from(struct code_paths *b, int i)
{
	struct code_state s;
	code_state_copy(&s, &b->states[b->ops[i].state]);
	bool changed = true;
	uint16_t rules = CODE_NO_RULES;
	do {
		struct op *op = &b->ops[i];
		/* Within a loop that is taken as one, rsp is elsewhere in each round. */
		if (op->fills)
			return;
		if (changed)
			set_rules(b, op, &s);
		else
			op->rules = rules;
		rules = op->rules;
		if (!code_goes_on(b, op))
			return;
		changed = changes_rules(&s, &op->d);
		code_state_apply(&s, &op->d);
		i = op->next;
	} while (i != CODE_NONE && !b->ops[i].leader);
}

/* What of @r holds as well where a jump to nobody knows where has left. */
static void agree(struct code_rules *r, const struct code_rules *jump)
{
	r->in_register &= jump->in_register;
	for (unsigned i = 0; i < CODE_KEPT; i++)
		if (memcmp(&r->saved[i], &jump->saved[i], sizeof(r->saved[i])) != 0)
			memset(&r->saved[i], 0, sizeof(r->saved[i]));
	r->rbp_relative &= jump->rbp_relative && r->rbp_distance == jump->rbp_distance;
	r->by_rsp &= jump->by_rsp && r->rsp_offset == jump->rsp_offset;
	r->by_rbp &= jump->by_rbp && r->rbp_offset == jump->rbp_offset;
	if (memcmp(&r->cfa_at, &jump->cfa_at, sizeof(r->cfa_at)) != 0 ||
	    r->cfa_add != jump->cfa_add)
		memset(&r->cfa_at, 0, sizeof(r->cfa_at));
}

static void mind_unresolved(struct code_paths *b)
{
	const struct code_rules nothing = { 0 };
	for (int i = 0; i < b->op_count; i++) {
		const struct op *op = &b->ops[i];
		if (!op->unresolved)
			continue;
		const struct code_rules jump =
			op->rules == CODE_NO_RULES ? nothing : b->rules[op->rules];
		for (int n = 0; n < b->rule_count; n++)
			agree(&b->rules[n], &jump);
	}
}

/* ---- behind a switch ---- */

bool code_rules_behind_switch(const struct code_rules *r, struct code_rules *ret)
{
	enum { POPPED = 2 * WORD };
	struct code_rules behind = {
		.by_rsp = r->by_rsp,
		.rsp_offset = r->by_rsp ? r->rsp_offset - POPPED : 0,
	};
	/* Nothing is in registers when a task goes on, nor is rbp its own before it is popped. */
	if (r->by_rbp || r->in_register)
		return false;
	if (r->cfa_at.base == CODE_AT_RSP && !r->cfa_at.offset) {
		behind.by_rbp = true;
		behind.rbp_offset = r->cfa_add;
	}
	for (unsigned i = 0; i < CODE_KEPT; i++) {
		const struct code_place at = r->saved[i];
		if (at.base == CODE_AT_CFA)
			behind.saved[i] = at;
		else if (at.base == CODE_AT_RSP && at.offset >= POPPED)
			behind.saved[i] = (struct code_place){ at.base, at.offset - POPPED };
	}
	*ret = behind;
	return behind.by_rsp || behind.by_rbp;
}

/* ---- the table ---- */

static int by_offset(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Adds what is known of @op, if there is something. */
static void add_op(struct code_table *t, const struct op *op)
{
	int64_t offset = (int64_t)(op->pc - t->function);
	if (op->rules == CODE_NO_RULES || offset < INT32_MIN || offset > INT32_MAX)
		return;
	bool call = op->d.flow == FLOW_CALL || op->d.flow == FLOW_CALL_INDIRECT;
	t->rows[t->row_count++] = (struct row){ (int32_t)offset, op->rules, op->d.len, call };
}

/* Rows of the function's own range come in order from its index. */
static bool make_table(struct code_paths *b, struct code_table *t)
{
	t->rows = malloc(((size_t)b->op_count + 1) * sizeof(*t->rows));
	if (!t->rows)
		return false;
	for (size_t i = 0; i < b->own_bytes; i++)
		if (b->own_ops[i])
			add_op(t, &b->ops[b->own_ops[i] - 1]);
	size_t own = t->row_count;
	for (int i = 0; i < b->op_count; i++)
		if (b->ops[i].pc - b->own.start >= b->own_bytes)
			add_op(t, &b->ops[i]);
	if (t->row_count > own)
		qsort(t->rows, t->row_count, sizeof(*t->rows), by_offset);
	t->rules = b->rules;
	t->rule_count = (size_t)b->rule_count;
	b->rules = NULL;
	return true;
}

struct err *code_table_new(const struct code_source *source, uint64_t function,
			   struct code_table **ret)
{
	struct code_table *t = calloc(1, sizeof(*t));
	struct code_paths b = { .source = source };
	if (!t)
		return err_nomem();
	t->function = function;
	if (source->symbol(source->self, function, &b.own)) {
		b.own.start = function;
		code_paths_follow(&b);
	}
	for (int i = 0; i < b.op_count && !code_paths_failed(&b); i++)
		if (b.ops[i].state != CODE_NONE)
			set_rules_from(&b, i);
	mind_unresolved(&b);
	bool ok = !b.no_memory && (b.too_much || make_table(&b, t));
	code_paths_free(&b);
	if (!ok) {
		code_table_free(t);
		return err_nomem();
	}
	*ret = t;
	return NULL;
}

void code_table_free(struct code_table *t)
{
	if (!t)
		return;
	free(t->rows);
	free(t->rules);
	free(t);
}

size_t code_table_bytes(const struct code_table *t)
{
	return sizeof(*t) + t->row_count * sizeof(*t->rows) + t->rule_count * sizeof(*t->rules);
}

size_t code_table_rows_before(const struct code_table *t, uint64_t pc)
{
	size_t low = 0, high = t->row_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (t->function + (uint64_t)(int64_t)t->rows[middle].offset < pc)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_cfa(const struct code_rules *r)
{
	return r->by_rsp || r->by_rbp || r->cfa_at.base != CODE_NOWHERE;
}

bool code_table_row(const struct code_table *t, size_t i, struct code_row *ret)
{
	if (i >= t->row_count)
		return false;
	const struct row *row = &t->rows[i];
	const struct code_rules *rules = &t->rules[row->rules];
	ret->start = t->function + (uint64_t)(int64_t)row->offset;
	ret->end = ret->start + row->len;
	ret->rules = has_cfa(rules) ? rules : NULL;
	return true;
}

static bool take(const struct code_table *t, const struct row *row, struct code_rules *ret)
{
	if (!has_cfa(&t->rules[row->rules]))
		return false;
	*ret = t->rules[row->rules];
	return true;
}

bool code_table_at(const struct code_table *t, uint64_t pc, struct code_rules *ret)
{
	size_t i = code_table_rows_before(t, pc);
	return i < t->row_count && t->function + (uint64_t)(int64_t)t->rows[i].offset == pc &&
	       take(t, &t->rows[i], ret);
}

bool code_table_call(const struct code_table *t, uint64_t address, struct code_rules *ret)
{
	for (size_t i = code_table_rows_before(t, address); i-- > 0;) {
		const struct row *row = &t->rows[i];
		uint64_t pc = t->function + (uint64_t)(int64_t)row->offset;
		if (address - pc > DECODE_MAX)
			break;
		if (row->call && pc + row->len == address)
			return take(t, row, ret);
	}
	return false;
}
