// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/unwind/code_paths.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/err.h"

enum {
	STATES_MAX = 8192,
	EDGES_MAX = 65536,
	ROUNDS_MAX = 32,   /* of finding more code, or of taking a trap for one that goes on */
	OWN_MAX = 1 << 18, /* bytes of a function */
	TABLE_MAX = 1024,  /* entries of a table of jumps */
	WORD = 8,
};

/* ---- growing arrays ---- */

void *code_paths_grow(struct code_paths *b, void *array, int count, int *capacity, int max,
		      size_t size)
{
	if (count < *capacity)
		return array;
	if (count >= max) {
		b->too_much = true;
		return NULL;
	}
	int more = *capacity ? 2 * *capacity : 64;
	void *grown = realloc(array, (size_t)more * size);
	if (grown)
		*capacity = more;
	b->no_memory |= !grown;
	return grown;
}

/* ---- the code ---- */

static void fill_window(struct code_paths *b, uint64_t pc)
{
	b->window_start = pc;
	b->window_len = 0;
	/* What lies behind it may not be there. */
	for (size_t len = CODE_WINDOW_BYTES; len && !b->window_len; len /= 2) {
		struct err *e = b->source->read(b->source->self, pc, b->window, len);
		if (!e)
			b->window_len = len;
		err_free(e);
	}
}

static bool decode_at(struct code_paths *b, uint64_t pc, struct decoded *ret)
{
	uint64_t at = pc - b->window_start;
	if (at >= b->window_len || b->window_len - at < DECODE_MAX) {
		fill_window(b, pc);
		at = 0;
	}
	return at < b->window_len && decode(b->window + at, b->window_len - at, pc, ret);
}

static bool is_own(const struct code_paths *b, uint64_t address)
{
	return address >= b->own.start && address < b->own.end;
}

static bool decode_own(void *self, uint64_t pc, struct decoded *ret)
{
	struct code_paths *b = self;
	return is_own(b, pc) && decode_at(b, pc, ret);
}

static enum edge edge_of(struct code_paths *b, uint64_t target, uint8_t *ret_thunk)
{
	struct code_symbol symbol;
	if (is_own(b, target))
		return EDGE_INSIDE;
	if (!b->source->symbol(b->source->self, target, &symbol))
		return EDGE_NONE;
	if (symbol.start != target || symbol.kind == CODE_PART)
		return EDGE_INSIDE;
	if (symbol.kind == CODE_THUNK) {
		*ret_thunk = (uint8_t)symbol.reg;
		return EDGE_THUNK;
	}
	return symbol.kind == CODE_RETURN ? EDGE_NONE : EDGE_TAIL;
}

bool code_is_inner_call(const struct code_paths *b, const struct op *op)
{
	return op->d.flow == FLOW_CALL && is_own(b, op->d.target) && op->d.target != b->own.start;
}

/*
 * Whether the code that goes on from @op at @pc is still this function's. A label may be there; or
 * what was called never comes back, and another function follows, or a part of one.
 */
static bool goes_on_at(struct code_paths *b, const struct op *op, uint64_t pc)
{
	struct code_symbol symbol;
	if (is_own(b, pc))
		return true;
	if (!b->source->symbol(b->source->self, pc, &symbol))
		return false;
	bool may_end = op->d.flow == FLOW_CALL || op->d.flow == FLOW_CALL_INDIRECT ||
		       op->d.flow == FLOW_TRAP || (op->d.act == ACT_OTHER && !op->d.writes);
	return symbol.start != pc || !may_end;
}

static bool grow_lists(struct code_paths *b)
{
	size_t bytes = (size_t)b->op_capacity * sizeof(int);
	int *todo = realloc(b->todo, bytes);
	if (todo)
		b->todo = todo;
	int *waiting = todo ? realloc(b->waiting, bytes) : NULL;
	if (waiting)
		b->waiting = waiting;
	b->no_memory |= !waiting;
	return waiting;
}

/* The op at @pc, if there is one already. */
static int find_op(const struct code_paths *b, uint64_t pc)
{
	uint64_t known;
	if (pc - b->own.start < b->own_bytes)
		return b->own_ops[pc - b->own.start] - 1;
	return map_get(&b->index, pc, &known) ? (int)known : CODE_NONE;
}

static bool index_op(struct code_paths *b, uint64_t pc, int op)
{
	if (pc - b->own.start >= b->own_bytes)
		return map_put(&b->index, pc, (uint64_t)op);
	b->own_ops[pc - b->own.start] = op + 1;
	return true;
}

/* The op at @pc, which is decoded if it is new (it is then on the list of what is to be looked at);
 * CODE_NONE if there is none. */
static int op_at(struct code_paths *b, uint64_t pc)
{
	int capacity = b->op_capacity, known = find_op(b, pc);
	struct op op = { .pc = pc,
			 .next = CODE_NONE,
			 .target = CODE_NONE,
			 .also = CODE_NONE,
			 .state = CODE_NONE,
			 .rules = CODE_NO_RULES };
	if (known != CODE_NONE)
		return known;
	if (!decode_at(b, pc, &op.d))
		return CODE_NONE;
	struct op *ops = code_paths_grow(b, b->ops, b->op_count, &b->op_capacity, CODE_OPS_MAX,
					 sizeof(*b->ops));
	if (!ops)
		return CODE_NONE;
	b->ops = ops;
	if (capacity != b->op_capacity || !b->todo) {
		if (!grow_lists(b))
			return CODE_NONE;
	}
	if (!index_op(b, pc, b->op_count)) {
		b->no_memory = true;
		return CODE_NONE;
	}
	b->ops[b->op_count] = op;
	b->todo[b->todo_count++] = b->op_count;
	return b->op_count++;
}

/* The op at @pc as a place where paths meet. */
static int leader_at(struct code_paths *b, uint64_t pc)
{
	int count = b->op_count, i = op_at(b, pc);
	if (i != CODE_NONE && !b->ops[i].leader) {
		b->ops[i].leader = true;
		b->again |= i < count;
	}
	return i;
}

/* The op at @pc, where another goes on. Instructions may overlap (a jump past a lock prefix) and
 * two of them end there. */
static int next_at(struct code_paths *b, uint64_t pc)
{
	int i = op_at(b, pc);
	if (i != CODE_NONE && b->ops[i].follows)
		return leader_at(b, pc);
	if (i != CODE_NONE)
		b->ops[i].follows = true;
	return i;
}

static bool link_fill(struct code_paths *b, int i)
{
	struct op *op = &b->ops[i];
	if (!code_is_inner_call(b, op) || !code_fill_at(decode_own, b, op->pc, &op->fill) ||
	    !goes_on_at(b, op, op->fill.end))
		return false;
	op->fills = true;
	int to = leader_at(b, op->fill.end);
	b->ops[i].target = to;
	return true;
}

/* Finds where @i leads to. */
static void link_op(struct code_paths *b, int i)
{
	if (link_fill(b, i))
		return;
	struct op *op = &b->ops[i];
	uint64_t pc = op->pc, next = pc + op->d.len, target = op->d.target;
	enum flow flow = op->d.flow;
	bool jumps = flow == FLOW_JUMP || flow == FLOW_BRANCH;
	bool inner = code_is_inner_call(b, op);
	if (jumps)
		op->edge = (uint8_t)edge_of(b, target, &op->thunk);
	bool inside = inner || (jumps && op->edge == EDGE_INSIDE);
	bool on = flow != FLOW_JUMP && flow != FLOW_JUMP_INDIRECT && flow != FLOW_RETURN &&
		  flow != FLOW_STOP && goes_on_at(b, op, next);
	/* From here on ops may have moved. */
	if (inside) {
		int to = leader_at(b, target);
		b->ops[i].target = to;
	}
	if (b->source->leads_to && b->source->leads_to(b->source->self, pc, &target)) {
		/* A jump that may be a nop at other times. */
		if (flow == FLOW_JUMP && target == b->ops[i].d.target) {
			b->ops[i].d.flow = FLOW_BRANCH;
			on = true;
		}
		int to = leader_at(b, target);
		b->ops[i].also = to;
	}
	if (on) {
		int to = inner || flow == FLOW_TRAP ? leader_at(b, next) : next_at(b, next);
		b->ops[i].next = to;
	}
}

static void discover(struct code_paths *b)
{
	while (b->todo_count && !code_paths_failed(b))
		link_op(b, b->todo[--b->todo_count]);
}

/* ---- states ---- */

/* Adds what holds on a path that leads to the leader @to. */
static void flow_to(struct code_paths *b, int to, const struct code_state *s)
{
	struct op *op = &b->ops[to];
	if (op->state == CODE_NONE) {
		struct code_state *states =
			code_paths_grow(b, b->states, b->state_count, &b->state_capacity,
					STATES_MAX, sizeof(*b->states));
		if (!states)
			return;
		b->states = states;
		op->state = b->state_count++;
		code_state_copy(&b->states[op->state], s);
	} else if (!code_state_join(&b->states[op->state], s)) {
		return;
	}
	if (!op->waits) {
		op->waits = true;
		b->waiting[b->waiting_count++] = to;
	}
}

static bool read_entry(struct code_paths *b, struct value table, unsigned i, uint64_t *ret)
{
	unsigned char bytes[WORD];
	uint64_t address = (uint64_t)(int64_t)table.n + WORD * (uint64_t)i;
	struct err *e = b->source->read(b->source->self, address, bytes, sizeof(bytes));
	bool read = !e;
	err_free(e);
	if (read)
		*ret = get_u64(bytes);
	return read;
}

/*
 * All that may be entries of a table: as long as they lead into this function. Those of its next
 * table add paths, and so take from what is certain. Tables of distances, of which nothing tells
 * where they end, are not read.
 */
static void read_table(struct code_paths *b, int from, struct value table)
{
	struct code_symbol symbol;
	uint64_t target;
	b->ops[from].first_edge = b->edge_count;
	for (unsigned i = 0; i < TABLE_MAX && read_entry(b, table, i, &target); i++) {
		if (!is_own(b, target) && (!b->source->symbol(b->source->self, target, &symbol) ||
					   symbol.kind != CODE_PART))
			break;
		int to = leader_at(b, target);
		int *edges = to == CODE_NONE ? NULL
					     : code_paths_grow(b, b->edges, b->edge_count,
							       &b->edge_capacity, EDGES_MAX,
							       sizeof(*b->edges));
		if (!edges)
			break;
		b->edges = edges;
		b->edges[b->edge_count++] = to;
	}
	b->ops[from].edges = b->edge_count - b->ops[from].first_edge;
}

/* Where a jump by a register or by a word in memory leads. */
static struct value jump_value(const struct op *op, const struct code_state *s)
{
	const struct value nothing = { 0 };
	if (op->edge == EDGE_THUNK)
		return s->regs[op->thunk];
	if (op->d.src != DECODE_NO_REG)
		return s->regs[op->d.src];
	if (op->d.index == DECODE_NO_REG || op->d.scale != WORD)
		return nothing;
	int64_t base = 0;
	if (op->d.base != DECODE_NO_REG) {
		if (s->regs[op->d.base].kind != VALUE_NUMBER)
			return nothing;
		base = s->regs[op->d.base].n;
	}
	if (op->d.number < INT32_MIN || op->d.number > INT32_MAX ||
	    base + op->d.number != (int32_t)(base + op->d.number))
		return nothing;
	return (struct value){ VALUE_TABLE, (int32_t)(base + op->d.number) };
}

static void jump_indirect(struct code_paths *b, int from, const struct code_state *s)
{
	const struct value v = jump_value(&b->ops[from], s);
	bool table = v.kind == VALUE_TABLE;
	if (table && !b->ops[from].edges)
		read_table(b, from, v);
	for (int i = 0; i < b->ops[from].edges; i++)
		flow_to(b, b->edges[b->ops[from].first_edge + i], s);
	/* With the stack as at the beginning another function may go on in this one's place. */
	if (!b->ops[from].edges || !table)
		b->ops[from].unresolved |= !value_is(s->regs[REG_RSP], VALUE_CFA, -WORD);
}

static void jump_direct(struct code_paths *b, int from, const struct code_state *s)
{
	struct op *op = &b->ops[from];
	const struct value rsp = s->regs[REG_RSP];
	if (op->edge == EDGE_THUNK) {
		jump_indirect(b, from, s);
		return;
	}
	/* A function that takes another's place has the stack as that finds it. */
	if (op->edge == EDGE_TAIL && rsp.kind == VALUE_CFA && rsp.n != -WORD) {
		int to = leader_at(b, op->d.target);
		b->ops[from].edge = EDGE_INSIDE;
		b->ops[from].target = to;
	}
	if (b->ops[from].edge == EDGE_INSIDE && b->ops[from].target != CODE_NONE)
		flow_to(b, b->ops[from].target, s);
}

bool code_goes_on(const struct code_paths *b, const struct op *op)
{
	switch ((enum flow)op->d.flow) {
	case FLOW_NEXT:
	case FLOW_BRANCH:
	case FLOW_CALL_INDIRECT:
		return true;
	case FLOW_CALL:
		return !code_is_inner_call(b, op);
	case FLOW_JUMP:
	case FLOW_JUMP_INDIRECT:
	case FLOW_RETURN:
	case FLOW_TRAP:
	case FLOW_STOP:
		break;
	}
	return false;
}

/* What @i does to *s; true if the next op goes on from there. */
static bool step(struct code_paths *b, int i, struct code_state *s)
{
	const struct decoded d = b->ops[i].d;
	if (b->ops[i].also != CODE_NONE)
		flow_to(b, b->ops[i].also, s);
	switch ((enum flow)d.flow) {
	case FLOW_JUMP:
		jump_direct(b, i, s);
		return false;
	case FLOW_JUMP_INDIRECT:
		jump_indirect(b, i, s);
		return false;
	case FLOW_BRANCH:
		code_state_apply(s, &d);
		jump_direct(b, i, s);
		return true;
	case FLOW_CALL:
		if (b->ops[i].fills) {
			code_fill_apply(&b->ops[i].fill, s);
			if (b->ops[i].target != CODE_NONE)
				flow_to(b, b->ops[i].target, s);
			return false;
		}
		if (!code_is_inner_call(b, &b->ops[i]))
			break;
		struct code_state inner;
		code_state_copy(&inner, s);
		code_state_push(&inner);
		if (b->ops[i].target != CODE_NONE)
			flow_to(b, b->ops[i].target, &inner);
		/* It may come back there, with whatever it does in between. */
		if (b->ops[i].target == b->ops[i].next)
			return false;
		code_state_forget(s);
		return true;
	case FLOW_RETURN:
	case FLOW_TRAP:
	case FLOW_STOP:
		return false;
	case FLOW_CALL_INDIRECT:
	case FLOW_NEXT:
		break;
	}
	code_state_apply(s, &d);
	return true;
}

/* From the leader @i to the next one. */
static void run_from(struct code_paths *b, int i)
{
	struct code_state s;
	code_state_copy(&s, &b->states[b->ops[i].state]);
	b->ops[i].waits = false;
	while (step(b, i, &s)) {
		i = b->ops[i].next;
		if (i == CODE_NONE)
			return;
		if (b->ops[i].leader) {
			flow_to(b, i, &s);
			return;
		}
	}
}

/* Until nothing changes, or paths are found to meet where they did not before. */
static void run_all(struct code_paths *b)
{
	while (b->waiting_count && !code_paths_failed(b) && !b->again) {
		run_from(b, b->waiting[--b->waiting_count]);
		discover(b);
	}
}

static void begin_again(struct code_paths *b)
{
	struct code_state s;
	for (int i = 0; i < b->op_count; i++) {
		b->ops[i].state = CODE_NONE;
		b->ops[i].waits = b->ops[i].unresolved = false;
	}
	b->state_count = b->waiting_count = 0;
	b->again = false;
	code_state_begin(&s);
	flow_to(b, 0, &s);
}

/* The trap that the code from the leader @i on ends in; CODE_NONE if it ends otherwise. */
static int trap_from(const struct code_paths *b, int i)
{
	while (i != CODE_NONE && code_goes_on(b, &b->ops[i])) {
		i = b->ops[i].next;
		if (i != CODE_NONE && b->ops[i].leader)
			return CODE_NONE;
	}
	return i != CODE_NONE && b->ops[i].d.flow == FLOW_TRAP ? i : CODE_NONE;
}

/* A trap may go on: what follows it is reached by that alone where nothing else leads there. */
static void go_past_traps(struct code_paths *b)
{
	for (int i = 0, count = b->op_count; i < count; i++) {
		int trap = b->ops[i].state == CODE_NONE ? CODE_NONE : trap_from(b, i);
		if (trap == CODE_NONE || b->ops[trap].next == CODE_NONE)
			continue;
		struct code_state s;
		code_state_copy(&s, &b->states[b->ops[i].state]);
		for (int at = i; at != trap; at = b->ops[at].next)
			code_state_apply(&s, &b->ops[at].d);
		s.weak = true;
		flow_to(b, b->ops[trap].next, &s);
	}
}

/* Without it all is in the other index. */
static void make_own_index(struct code_paths *b)
{
	uint64_t bytes = b->own.end - b->own.start;
	if (b->own.end <= b->own.start || bytes > OWN_MAX)
		return;
	b->own_ops = calloc((size_t)bytes, sizeof(*b->own_ops));
	if (b->own_ops)
		b->own_bytes = (size_t)bytes;
}

void code_paths_follow(struct code_paths *b)
{
	make_own_index(b);
	if (leader_at(b, b->own.start) == CODE_NONE)
		return;
	discover(b);
	b->again = true;
	for (unsigned round = 0; !code_paths_failed(b); round++) {
		if (b->again)
			begin_again(b);
		run_all(b);
		if (!b->again)
			go_past_traps(b);
		if (!b->again && !b->waiting_count)
			return;
		b->too_much |= round >= ROUNDS_MAX;
	}
}

void code_paths_free(struct code_paths *b)
{
	free(b->ops);
	free(b->states);
	free(b->edges);
	free(b->todo);
	free(b->waiting);
	free(b->rules);
	free(b->own_ops);
	map_free(&b->index);
}
