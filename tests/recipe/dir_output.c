// SPDX-License-Identifier: GPL-2.0-or-later
/* Directives about the dump file: its format, and what shall be wrong with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tests/recipe/directive.h"

#define PIECES_MAX 64

static struct err *run_format(struct recipe *r, struct cursor *c)
{
	struct buf name = BUF_INIT;
	struct cursor start = *c;
	struct err *e = cursor_compact(c, "a format", "-", &name);
	if (!e && !plan_set_format(&r->plan, name.data))
		e = err_at(&start, "no format '%s'", name.data);
	buf_free(&name);
	return e;
}

static struct err *run_split(struct recipe *r, struct cursor *c)
{
	uint64_t pieces;
	struct cursor start = *c;
	struct err *e = expr(r, c, &pieces);
	if (!e && (!pieces || pieces > PIECES_MAX))
		e = err_at(&start, "a dump can be split into 1 to %d pieces", PIECES_MAX);
	if (!e)
		r->plan.pieces = (unsigned int)pieces;
	return e;
}

/* flatten [record BYTES] [reversed] */
static struct err *run_flatten(struct recipe *r, struct cursor *c)
{
	struct err *e = NULL;
	r->plan.flatten = true;
	if (cursor_take_word(c, "record"))
		e = expr_eval(r, c, true, &r->plan.flatten_record);
	if (!e && !r->plan.flatten_record)
		e = err_at(c, "records of no bytes hold nothing");
	r->plan.flatten_reversed = cursor_take_word(c, "reversed");
	return e;
}

/* utsname FIELD "text" ... */
static struct err *run_utsname(struct recipe *r, struct cursor *c)
{
	static const char *const names[UTS_FIELDS] = { "sysname", "nodename", "release",
						       "version", "machine",  "domainname" };
	struct err *e = NULL;
	while (!e && !cursor_at_end(c)) {
		unsigned int i = 0;
		while (i < UTS_FIELDS && !cursor_take_word(c, names[i]))
			i++;
		if (i == UTS_FIELDS)
			return err_at(c, "expected the name of a member of struct new_utsname");
		struct buf text = BUF_INIT;
		e = cursor_string(c, &text);
		if (!e && text.len >= UTS_BYTES)
			e = err_at(c, "a text of more than %d bytes", UTS_BYTES - 1);
		if (!e) {
			memset(r->plan.uts[i], 0, UTS_BYTES);
			memcpy(r->plan.uts[i], text.data, text.len);
		}
		buf_free(&text);
	}
	return e;
}

/* page-offset EXPR, or `none` */
static struct err *run_page_offset(struct recipe *r, struct cursor *c)
{
	r->plan.vaddr_zero = cursor_take_word(c, "none");
	return r->plan.vaddr_zero ? NULL : expr(r, c, &r->plan.page_offset);
}

static struct err *run_dump_level(struct recipe *r, struct cursor *c)
{
	uint64_t level;
	struct err *e = expr(r, c, &level);
	if (!e)
		r->plan.dump_level = (unsigned int)level;
	return e;
}

static struct err *run_phys_base(struct recipe *r, struct cursor *c)
{
	return expr(r, c, &r->plan.phys_base);
}

/* segment VADDR PADDR SIZE */
static struct err *run_segment(struct recipe *r, struct cursor *c)
{
	struct plan_segment s;
	struct cursor start = *c;
	struct err *e = expr_eval(r, c, true, &s.vaddr);
	if (!e)
		e = expr_eval(r, c, true, &s.paddr);
	if (!e)
		e = expr_eval(r, c, true, &s.size);
	if (!e && !physmem_valid(s.paddr, s.size))
		e = err_at(&start, "there is no physical range %#jx of %#jx bytes",
			   (uintmax_t)s.paddr, (uintmax_t)s.size);
	return e ? e : plan_add_segment(&r->plan, s);
}

/* [piece N] */
static struct err *read_piece(struct recipe *r, struct cursor *c, unsigned int *ret)
{
	uint64_t piece = 0;
	struct cursor start = *c;
	struct err *e = cursor_take_word(c, "piece") ? expr_eval(r, c, true, &piece) : NULL;
	if (!e && piece > PIECES_MAX)
		e = err_at(&start, "there is no piece %ju", (uintmax_t)piece);
	*ret = e ? 0 : (unsigned int)piece;
	return e;
}

/* Adds @f if reading it went well, frees what it holds if not. */
static struct err *add_fault(struct recipe *r, const struct cursor *c, struct fault *f,
			     struct err *e)
{
	if (!e && asprintf(&f->origin, "%s:%u", c->source->name, c->at->line) < 0) {
		f->origin = NULL;
		e = err_nomem();
	}
	if (!e)
		return plan_add_fault(&r->plan, f);
	buf_free(&f->field);
	buf_free(&f->bytes);
	return e;
}

static struct fault new_fault(enum fault_kind kind)
{
	return (struct fault){ .kind = kind, .field = BUF_INIT, .bytes = BUF_INIT };
}

/* header FIELD = VALUE [piece N] */
static struct err *run_header(struct recipe *r, struct cursor *c)
{
	struct cursor start = *c;
	struct fault f = new_fault(FAULT_HEADER);
	struct err *e = cursor_compact(c, "a header field", ".[]", &f.field);
	if (!e)
		e = cursor_expect_punct(c, "=");
	f.has_bytes = c->at->kind == TOKEN_STRING;
	if (!e)
		e = f.has_bytes ? cursor_string(c, &f.bytes) : expr(r, c, &f.value);
	if (!e)
		e = read_piece(r, c, &f.piece);
	return add_fault(r, &start, &f, e);
}

/* corrupt ADDR */
static struct err *run_corrupt(struct recipe *r, struct cursor *c)
{
	struct cursor start = *c;
	struct fault f = new_fault(FAULT_CORRUPT);
	struct target t;
	struct err *e = target_read(r, c, &t);
	if (!e)
		e = t.physical ? NULL : expr_translate(r, &start, t.addr, &t.addr);
	f.where = t.addr;
	return add_fault(r, &start, &f, e);
}

/* patch OFFSET [piece N]: ITEMS */
static struct err *run_patch(struct recipe *r, struct cursor *c)
{
	struct cursor start = *c;
	struct fault f = new_fault(FAULT_PATCH);
	struct err *e = expr(r, c, &f.where);
	if (!e)
		e = read_piece(r, c, &f.piece);
	if (!e)
		e = cursor_expect_punct(c, ":");
	if (!e)
		e = items_read(r, c, &f.bytes);
	return add_fault(r, &start, &f, e);
}

/* truncate BYTES [piece N] */
static struct err *run_truncate(struct recipe *r, struct cursor *c)
{
	struct cursor start = *c;
	struct fault f = new_fault(FAULT_TRUNCATE);
	struct err *e = expr(r, c, &f.where);
	if (!e)
		e = read_piece(r, c, &f.piece);
	return add_fault(r, &start, &f, e);
}

/* drop piece N */
static struct err *run_drop(struct recipe *r, struct cursor *c)
{
	struct cursor start = *c;
	struct fault f = new_fault(FAULT_DROP);
	struct err *e = read_piece(r, c, &f.piece);
	if (!e && !f.piece)
		e = err_at(&start, "expected 'piece N'");
	return add_fault(r, &start, &f, e);
}

const struct directive output_directives[] = {
	{ "format", run_format },
	{ "split", run_split },
	{ "flatten", run_flatten },
	{ "utsname", run_utsname },
	{ "page-offset", run_page_offset },
	{ "dump-level", run_dump_level },
	{ "phys-base", run_phys_base },
	{ "segment", run_segment },
	{ "header", run_header },
	{ "corrupt", run_corrupt },
	{ "patch", run_patch },
	{ "truncate", run_truncate },
	{ "drop", run_drop },
	{ 0 },
};
