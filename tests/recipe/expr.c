// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/recipe/expr.h"

#include <string.h>

#include "base/err.h"
#include "base/hex.h"

#define NESTING_MAX 64

struct parser {
	const struct recipe *r;
	struct cursor *c;
	bool compact;
	unsigned int depth;
};

struct operator
{
	const char *punct;
	unsigned int precedence; /* higher binds tighter */
};

static const struct operator operators[] = {
	{ "|", 1 }, { "^", 2 }, { "&", 3 }, { "<<", 4 }, { ">>", 4 },
	{ "+", 5 }, { "-", 5 }, { "*", 6 }, { "/", 6 },	 { "%", 6 },
};

static struct err *parse(struct parser *p, unsigned int precedence, uint64_t *ret);

/* Decimal or 0x hex digits, then perhaps k, m, g or t (powers of 1024). */
static bool parse_number(const char *text, size_t len, uint64_t *ret)
{
	bool hex = len > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	uint64_t base = hex ? 16 : 10, value = 0;
	size_t i = hex ? 2 : 0;
	for (; i < len; i++) {
		int digit = hex_digit(text[i]);
		if (digit < 0 || (uint64_t)digit >= base)
			break;
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return false;
	}
	if (i + 1 == len && strchr("kmgt", text[i])) {
		unsigned int shift = 10 * (unsigned int)(strchr("kmgt", text[i]) - "kmgt" + 1);
		*ret = value << shift;
		return value << shift >> shift == value;
	}
	*ret = value;
	return i == len;
}

static struct err *lookup(const struct recipe *r, const struct cursor *c, const char *name,
			  size_t len, uint64_t *ret)
{
	if (names_get(&r->overrides, name, len, ret) || names_get(&r->constants, name, len, ret))
		return NULL;
	for (size_t i = 0; i < r->file_count; i++)
		if (names_get(&r->files[i]->symbols, name, len, ret))
			return NULL;
	return err_at(c, "no symbol or constant '%.*s'", (int)len, name);
}

struct err *expr_place(const struct recipe *r, const struct cursor *c, const char *type,
		       const char *path, struct place *ret)
{
	struct err *last = NULL;
	for (size_t i = 0; i < r->file_count; i++) {
		err_free(last);
		last = kernelfile_place(r->files[i], type, path, ret);
		if (!last)
			return NULL;
	}
	if (!last)
		return err_at(c, "types need a 'symbols' file first");
	return err_located(c, last);
}

struct err *expr_translate(const struct recipe *r, const struct cursor *c, uint64_t va,
			   uint64_t *ret_pa)
{
	if (r->table_current >= r->table_count)
		return err_at(c, "virtual addresses need a 'pagetable' first");
	const struct named_table *table = &r->tables[r->table_current];
	if (!paging_translate(&table->paging, va, ret_pa))
		return err_at(c, "nothing is mapped at %#jx in page table %s", (uintmax_t)va,
			      table->name);
	return NULL;
}

/* (TYPE) or (TYPE, PATH) */
static struct err *type_argument(struct parser *p, bool with_path, struct place *ret)
{
	struct buf type = BUF_INIT, path = BUF_INIT;
	struct err *e = cursor_expect_punct(p->c, "(");
	cursor_take_word(p->c, "struct");
	const char *name;
	size_t len;
	if (!e)
		e = cursor_word(p->c, "a type", &name, &len);
	if (!e) {
		buf_add(&type, name, len);
		e = buf_error(&type);
	}
	if (!e && with_path) {
		e = cursor_expect_punct(p->c, ",");
		if (!e)
			e = cursor_compact(p->c, "a member", ".[]", &path);
	}
	if (!e)
		e = expr_place(p->r, p->c, type.data, path.data, ret);
	if (!e)
		e = cursor_expect_punct(p->c, ")");
	buf_free(&type);
	buf_free(&path);
	return e;
}

/* What is in parentheses or brackets may hold blanks again. */
static struct err *parse_enclosed(struct parser *p, const char *close, uint64_t *ret)
{
	bool compact = p->compact;
	p->compact = false;
	struct err *e = parse(p, 1, ret);
	p->compact = compact;
	return e ? e : cursor_expect_punct(p->c, close);
}

/* &TYPE(E).PATH */
static struct err *parse_member_address(struct parser *p, uint64_t *ret)
{
	const char *name;
	size_t len;
	struct err *e = cursor_word(p->c, "a type", &name, &len);
	if (e)
		return e;
	struct buf type = BUF_INIT, path = BUF_INIT;
	struct place place;
	buf_add(&type, name, len);
	e = buf_error(&type);
	if (!e)
		e = cursor_expect_punct(p->c, "(");
	if (!e)
		e = parse_enclosed(p, ")", ret);
	if (!e)
		e = cursor_expect_punct(p->c, ".");
	if (!e)
		e = cursor_compact(p->c, "a member", ".[]", &path);
	if (!e)
		e = expr_place(p->r, p->c, type.data, path.data, &place);
	if (!e)
		*ret += place.offset;
	buf_free(&type);
	buf_free(&path);
	return e;
}

static struct err *parse_word(struct parser *p, uint64_t *ret)
{
	struct place place;
	struct err *e;
	if (cursor_take_word(p->c, "sizeof")) {
		e = type_argument(p, false, &place);
		if (!e)
			*ret = place.size;
		return e;
	}
	if (cursor_take_word(p->c, "offsetof")) {
		e = type_argument(p, true, &place);
		if (!e)
			*ret = place.offset;
		return e;
	}
	if (cursor_take_word(p->c, "pa")) {
		uint64_t va;
		e = cursor_expect_punct(p->c, "(");
		if (!e)
			e = parse_enclosed(p, ")", &va);
		return e ? e : expr_translate(p->r, p->c, va, ret);
	}
	const struct token *t = p->c->at;
	if (t->text[0] < '0' || t->text[0] > '9')
		e = lookup(p->r, p->c, t->text, t->len, ret);
	else if (!parse_number(t->text, t->len, ret))
		e = err_at(p->c, "'%.*s' is no 64-bit number", (int)t->len, t->text);
	else
		e = NULL;
	if (!e)
		p->c->at++;
	return e;
}

static struct err *parse_load(struct parser *p, uint64_t *ret)
{
	uint64_t va, pa;
	struct err *e = parse_enclosed(p, "]", &va);
	if (!e)
		e = expr_translate(p->r, p->c, va, &pa);
	if (!e)
		*ret = physmem_read_u64(&p->r->mem, pa);
	return e;
}

static struct err *parse_operand(struct parser *p, uint64_t *ret);

static struct err *parse_unary(struct parser *p, uint64_t *ret)
{
	bool negate = cursor_is_punct(p->c, "-");
	p->c->at++;
	if (++p->depth > NESTING_MAX)
		return err_at(p->c, "an expression nested too deeply");
	struct err *e = parse_operand(p, ret);
	p->depth--;
	if (!e)
		*ret = negate ? -*ret : ~*ret;
	return e;
}

static struct err *parse_operand(struct parser *p, uint64_t *ret)
{
	char seen[48];
	if (cursor_is_punct(p->c, "-") || cursor_is_punct(p->c, "~"))
		return parse_unary(p, ret);
	if (cursor_take_punct(p->c, "("))
		return parse_enclosed(p, ")", ret);
	if (cursor_take_punct(p->c, "["))
		return parse_load(p, ret);
	if (cursor_take_punct(p->c, "&"))
		return parse_member_address(p, ret);
	if (p->c->at->kind == TOKEN_WORD)
		return parse_word(p, ret);
	return err_at(p->c, "expected a number instead of %s", cursor_describe(p->c, seen));
}

static struct err *apply(struct cursor *c, const char *punct, uint64_t right, uint64_t *left)
{
	switch (punct[0]) {
	case '|':
		*left |= right;
		return NULL;
	case '^':
		*left ^= right;
		return NULL;
	case '&':
		*left &= right;
		return NULL;
	case '<':
		*left = right < 64 ? *left << right : 0;
		return NULL;
	case '>':
		*left = right < 64 ? *left >> right : 0;
		return NULL;
	case '+':
		*left += right;
		return NULL;
	case '-':
		*left -= right;
		return NULL;
	case '*':
		*left *= right;
		return NULL;
	default:
		if (!right)
			return err_at(c, "division by zero");
		*left = punct[0] == '/' ? *left / right : *left % right;
		return NULL;
	}
}

static const struct operator* peek_operator(const struct parser *p)
{
	if (p->compact && p->c->at->space_before)
		return NULL;
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (cursor_is_punct(p->c, operators[i].punct))
			return &operators[i];
	return NULL;
}

/* Precedence climbing. */
static struct err *parse(struct parser *p, unsigned int precedence, uint64_t *ret)
{
	if (++p->depth > NESTING_MAX)
		return err_at(p->c, "an expression nested too deeply");
	uint64_t left = 0;
	struct err *e = parse_operand(p, &left);
	const struct operator* op;
	while (!e && (op = peek_operator(p)) && op->precedence >= precedence) {
		p->c->at++;
		uint64_t right;
		e = parse(p, op->precedence + 1, &right);
		if (!e)
			e = apply(p->c, op->punct, right, &left);
	}
	p->depth--;
	*ret = left;
	return e;
}

struct err *expr_eval(const struct recipe *r, struct cursor *c, bool compact, uint64_t *ret)
{
	struct parser p = { r, c, compact, 0 };
	return parse(&p, 1, ret);
}

struct err *expr(const struct recipe *r, struct cursor *c, uint64_t *ret)
{
	return expr_eval(r, c, false, ret);
}
