// SPDX-License-Identifier: GPL-2.0-or-later
#include "unwind/cfi_expr.h"

#include <dwarf.h>
#include <inttypes.h>

#include "base/bytes.h"
#include "base/err.h"

/*
 * Real expressions have some ten operations and a stack of three. The registers are those that
 * have a number, see base/regs.h.
 */
enum { STACK_MAX = 64, STEPS_MAX = 10000 };

struct machine {
	struct walk *w;
	const struct cfi_expr *e;
	uint64_t stack[STACK_MAX];
	size_t depth;
	size_t at; /* the operation to do next */
	enum cfi_where where;
};

static bool fail(struct machine *m, const char *why)
{
	walk_note(m->w, "CFI: expression %s", why);
	return false;
}

static bool push(struct machine *m, uint64_t value)
{
	if (m->depth == STACK_MAX)
		return fail(m, "fills its stack");
	m->stack[m->depth++] = value;
	return true;
}

/* The word that is @n below the top; NULL, and a note, if there is none. */
static uint64_t *peek(struct machine *m, uint64_t n)
{
	if (n >= m->depth) {
		(void)fail(m, "takes more than it has put on its stack");
		return NULL;
	}
	return &m->stack[m->depth - 1 - n];
}

static bool push_register(struct machine *m, uint64_t number, uint64_t offset)
{
	if (number >= m->w->source->arch->regs->dwarf_count)
		return fail(m, "asks for a register that is none");
	if (!walk_knows(m->w, (unsigned)number)) {
		walk_note(m->w, "CFI: needs %s, which is not known",
			  m->w->source->arch->regs->names[number]);
		return false;
	}
	return push(m, walk_reg(m->w, (unsigned)number) + offset);
}

static bool dereference(struct machine *m, uint64_t size)
{
	unsigned char bytes[8] = { 0 };
	uint64_t *top = peek(m, 0);
	if (!top)
		return false;
	if (!size || size > sizeof(bytes))
		return fail(m, "reads a word of impossible size");
	const struct unwind_source *s = m->w->source;
	struct err *e = s->read(s->self, *top, bytes, size);
	if (e) {
		walk_note(m->w, "CFI: read 0x%" PRIx64 ": %s", *top, err_msg(e));
		err_free(e);
		return false;
	}
	*top = get_u64(bytes);
	return true;
}

/* DW_OP_skip and DW_OP_bra count bytes from their end, which are 3 behind their beginning. */
static bool jump(struct machine *m, const Dwarf_Op *op)
{
	enum { BRANCH_BYTES = 3 };
	uint64_t target = op->offset + BRANCH_BYTES + (uint64_t)(int16_t)op->number;
	for (size_t i = 0; i < m->e->count; i++) {
		if (m->e->ops[i].offset == target) {
			m->at = i;
			return true;
		}
	}
	/* Just behind the last operation is an end like any other. */
	if (target <= m->e->ops[m->e->count - 1].offset)
		return fail(m, "jumps into the middle of an operation");
	m->at = m->e->count;
	return true;
}

static bool branch(struct machine *m, const Dwarf_Op *op)
{
	uint64_t *condition = peek(m, 0);
	if (!condition)
		return false;
	m->depth--;
	return *condition ? jump(m, op) : true;
}

static bool rotate(struct machine *m)
{
	uint64_t *first = peek(m, 0), *second = peek(m, 1), *third = peek(m, 2);
	if (!first || !second || !third)
		return false;
	uint64_t top = *first;
	*first = *second;
	*second = *third;
	*third = top;
	return true;
}

static bool swap(struct machine *m)
{
	uint64_t *first = peek(m, 0), *second = peek(m, 1);
	if (!first || !second)
		return false;
	uint64_t top = *first;
	*first = *second;
	*second = top;
	return true;
}

static bool pick(struct machine *m, uint64_t n)
{
	const uint64_t *word = peek(m, n);
	return word && push(m, *word);
}

static bool operate_on_one(struct machine *m, const Dwarf_Op *op)
{
	uint64_t *top = peek(m, 0);
	if (!top)
		return false;
	switch (op->atom) {
	case DW_OP_drop:
		m->depth--;
		return true;
	case DW_OP_abs:
		*top = *top >> 63 ? 0 - *top : *top;
		return true;
	case DW_OP_neg:
		*top = 0 - *top;
		return true;
	case DW_OP_not:
		*top = ~*top;
		return true;
	case DW_OP_plus_uconst:
		*top += op->number;
		return true;
	}
	return fail(m, "has an operation that call frames do not use");
}

static uint64_t shift_arithmetic(uint64_t value, uint64_t by)
{
	uint64_t sign = value >> 63 ? UINT64_MAX : 0;
	if (by >= 64)
		return sign;
	return by ? value >> by | sign << (64 - by) : value;
}

/* Division is signed, DW_OP_mod is not (as elfutils and gdb have it). */
static bool divide(struct machine *m, uint8_t atom, uint64_t left, uint64_t right, uint64_t *ret)
{
	if (!right)
		return fail(m, "divides by zero");
	if (atom == DW_OP_mod)
		*ret = left % right;
	else if (right == UINT64_MAX)
		*ret = 0 - left;
	else
		*ret = (uint64_t)((int64_t)left / (int64_t)right);
	return true;
}

static bool operate_on_two(struct machine *m, const Dwarf_Op *op)
{
	uint64_t *b = peek(m, 0), *a = peek(m, 1);
	if (!a || !b)
		return false;
	uint64_t left = *a, right = *b;
	m->depth--;
	switch (op->atom) {
	case DW_OP_and:
		*a = left & right;
		return true;
	case DW_OP_or:
		*a = left | right;
		return true;
	case DW_OP_xor:
		*a = left ^ right;
		return true;
	case DW_OP_plus:
		*a = left + right;
		return true;
	case DW_OP_minus:
		*a = left - right;
		return true;
	case DW_OP_mul:
		*a = left * right;
		return true;
	case DW_OP_div:
	case DW_OP_mod:
		return divide(m, op->atom, left, right, a);
	case DW_OP_shl:
		*a = right < 64 ? left << right : 0;
		return true;
	case DW_OP_shr:
		*a = right < 64 ? left >> right : 0;
		return true;
	case DW_OP_shra:
		*a = shift_arithmetic(left, right);
		return true;
	case DW_OP_eq:
		*a = left == right;
		return true;
	case DW_OP_ne:
		*a = left != right;
		return true;
	case DW_OP_lt:
		*a = (int64_t)left < (int64_t)right;
		return true;
	case DW_OP_le:
		*a = (int64_t)left <= (int64_t)right;
		return true;
	case DW_OP_gt:
		*a = (int64_t)left > (int64_t)right;
		return true;
	case DW_OP_ge:
		*a = (int64_t)left >= (int64_t)right;
		return true;
	}
	return fail(m, "has an operation that call frames do not use");
}

static bool is_constant(uint8_t atom)
{
	return atom >= DW_OP_const1u && atom <= DW_OP_consts;
}

static bool is_operation_on_two(uint8_t atom)
{
	return atom == DW_OP_and || (atom >= DW_OP_div && atom <= DW_OP_mul) || atom == DW_OP_or ||
	       atom == DW_OP_plus || (atom >= DW_OP_shl && atom <= DW_OP_xor) ||
	       (atom >= DW_OP_eq && atom <= DW_OP_ne);
}

/* A register as a place is the whole of an expression: it takes no part in calculation. */
static bool place_register(struct machine *m, uint64_t number)
{
	if (m->e->count != 1)
		return fail(m, "calculates with a register's place");
	m->where = CFI_REGISTER;
	return push(m, number);
}

static bool operate(struct machine *m, const Dwarf_Op *op)
{
	uint8_t atom = op->atom;
	if (is_constant(atom))
		return push(m, op->number);
	if (atom >= DW_OP_lit0 && atom <= DW_OP_lit31)
		return push(m, atom - DW_OP_lit0);
	if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31)
		return push_register(m, atom - DW_OP_breg0, op->number);
	if (atom >= DW_OP_reg0 && atom <= DW_OP_reg31)
		return place_register(m, atom - DW_OP_reg0);
	if (is_operation_on_two(atom))
		return operate_on_two(m, op);
	switch (atom) {
	case DW_OP_addr:
		return push(m, op->number + m->e->bias);
	case DW_OP_bregx:
		return push_register(m, op->number, op->number2);
	case DW_OP_regx:
		return place_register(m, op->number);
	case DW_OP_call_frame_cfa:
		return m->e->cfa ? push(m, *m->e->cfa) : fail(m, "makes the CFA out of itself");
	case DW_OP_fbreg:
		return m->e->frame_base ? push(m, *m->e->frame_base + op->number)
					: fail(m, "needs a frame base");
	case DW_OP_deref:
		return dereference(m, 8);
	case DW_OP_deref_size:
		return dereference(m, op->number);
	case DW_OP_dup:
		return pick(m, 0);
	case DW_OP_over:
		return pick(m, 1);
	case DW_OP_pick:
		return pick(m, op->number);
	case DW_OP_swap:
		return swap(m);
	case DW_OP_rot:
		return rotate(m);
	case DW_OP_skip:
		return jump(m, op);
	case DW_OP_bra:
		return branch(m, op);
	case DW_OP_nop:
		return true;
	case DW_OP_stack_value:
		m->where = CFI_VALUE;
		return true;
	}
	return operate_on_one(m, op);
}

bool cfi_evaluate(struct walk *w, const struct cfi_expr *e, enum cfi_where *ret_where,
		  uint64_t *ret)
{
	struct machine m = { .w = w, .e = e, .where = CFI_ADDRESS };
	for (unsigned steps = 0; m.at < e->count; steps++) {
		if (steps == STEPS_MAX)
			return fail(&m, "does not end");
		if (!operate(&m, &e->ops[m.at++]))
			return false;
	}
	const uint64_t *top = peek(&m, 0);
	if (!top)
		return false;
	*ret_where = m.where;
	*ret = *top;
	return true;
}
