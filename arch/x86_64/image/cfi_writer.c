// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/image/cfi_writer.h"

#include <dwarf.h>
#include <string.h>

#include "arch/x86_64/base/regs.h"
#include "arch/x86_64/image/cfi_state.h"
#include "base/err.h"
#include "base/leb.h"

enum {
	DATA_ALIGN = -8,
	CIE_VERSION = 3,
	WORD = 8,
	ALIGN_TO = 8,
	/* User addresses have 56 bits at most (Documentation/arch/x86/x86_64/mm.rst). */
	USER_BITS = 56,
};

/* ---- how it is written ---- */

/* [reg + inner] (+ offset), or reg + offset: DW_OP_breg0 and on take the numbers up to 31. */
static void add_expression(struct buf *b, enum reg reg, int inner, bool read, int offset)
{
	struct buf e = BUF_INIT;
	buf_addch(&e, (char)(DW_OP_breg0 + (int)reg));
	leb_add_signed(&e, inner);
	if (read)
		buf_addch(&e, DW_OP_deref);
	if (offset > 0) {
		buf_addch(&e, DW_OP_plus_uconst);
		leb_add_unsigned(&e, (unsigned)offset);
	} else if (offset < 0) {
		buf_addch(&e, DW_OP_consts);
		leb_add_signed(&e, offset);
		buf_addch(&e, DW_OP_plus);
	}
	leb_add_unsigned(b, e.len);
	buf_add(b, e.data, e.len);
	b->failed |= e.failed;
	buf_free(&e);
}

static void add_cfa(struct buf *b, const struct cfi_state *was, const struct cfi_state *s)
{
	if (s->cfa == CFA_IN_MEMORY) {
		buf_addch(b, DW_CFA_def_cfa_expression);
		add_expression(b, s->base, s->inner, true, s->offset);
	} else if (s->offset < 0) {
		/* The factored forms would want a multiple of 8. */
		buf_addch(b, DW_CFA_def_cfa_expression);
		add_expression(b, s->base, s->offset, false, 0);
	} else if (was->cfa == CFA_REGISTER && was->base == s->base && was->offset >= 0) {
		buf_addch(b, DW_CFA_def_cfa_offset);
		leb_add_unsigned(b, (unsigned)s->offset);
	} else {
		buf_addch(b, DW_CFA_def_cfa);
		leb_add_unsigned(b, s->base);
		leb_add_unsigned(b, (unsigned)s->offset);
	}
}

static void add_saved_at_cfa(struct buf *b, unsigned reg, int offset)
{
	if (offset % WORD) {
		/* The CFA is on the expression's stack (DWARF 5, 6.4.2.3). */
		buf_addch(b, DW_CFA_expression);
		leb_add_unsigned(b, reg);
		struct buf e = BUF_INIT;
		buf_addch(&e, DW_OP_consts);
		leb_add_signed(&e, offset);
		buf_addch(&e, DW_OP_plus);
		leb_add_unsigned(b, e.len);
		buf_add(b, e.data, e.len);
		b->failed |= e.failed;
		buf_free(&e);
	} else if (offset <= 0 && reg < 0x40) {
		buf_addch(b, (char)(DW_CFA_offset | reg));
		leb_add_unsigned(b, (unsigned)(offset / DATA_ALIGN));
	} else {
		buf_addch(b, DW_CFA_offset_extended_sf);
		leb_add_unsigned(b, reg);
		leb_add_signed(b, offset / DATA_ALIGN);
	}
}

static void add_rule(struct buf *b, unsigned reg, const struct cfi_rule *rule)
{
	switch (rule->kind) {
	case RULE_UNDEFINED:
		buf_addch(b, DW_CFA_undefined);
		leb_add_unsigned(b, reg);
		break;
	case RULE_SAME:
		buf_addch(b, DW_CFA_same_value);
		leb_add_unsigned(b, reg);
		break;
	case RULE_CFA:
		/* lldb 14 reads no further than a DW_CFA_val_offset: back to where no rule is. */
		buf_addch(b, (char)(DW_CFA_restore | reg));
		break;
	case RULE_AT_CFA:
		add_saved_at_cfa(b, reg, rule->offset);
		break;
	case RULE_AT_RBP:
		buf_addch(b, DW_CFA_expression);
		leb_add_unsigned(b, reg);
		add_expression(b, REG_RBP, rule->offset, false, 0);
		break;
	case RULE_AT_RSP:
		buf_addch(b, DW_CFA_expression);
		leb_add_unsigned(b, reg);
		add_expression(b, REG_RSP, rule->offset, false, 0);
		break;
	}
}

/* What takes @was to @s. */
static void add_change(struct buf *b, const struct cfi_state *was, const struct cfi_state *s)
{
	if (!cfi_state_same_cfa(was, s))
		add_cfa(b, was, s);
	for (size_t i = 0; i < CFI_COLUMNS; i++)
		if (!cfi_state_same_rule(&was->rules[i], &s->rules[i]))
			add_rule(b, cfi_columns[i].dwarf, &s->rules[i]);
}

static void add_advance(struct buf *b, uint64_t delta)
{
	/* Functions are shorter than 4 GiB, whatever the dump says: the caller bounds them. */
	if (delta < 0x40) {
		buf_addch(b, (char)(DW_CFA_advance_loc | (int)delta));
	} else if (delta <= UINT8_MAX) {
		buf_addch(b, DW_CFA_advance_loc1);
		buf_addch(b, (char)delta);
	} else if (delta <= UINT16_MAX) {
		buf_addch(b, DW_CFA_advance_loc2);
		buf_addch(b, (char)(delta & 0xff));
		buf_addch(b, (char)(delta >> 8));
	} else {
		buf_addch(b, DW_CFA_advance_loc4);
		leb_add_u32(b, (uint32_t)delta);
	}
}

/* Pads the entry at @start, whose length field comes first, and fills that in. */
static void close_entry(struct buf *b, size_t start)
{
	while ((b->len - start - 4) % ALIGN_TO != 4 && !b->failed)
		buf_addch(b, DW_CFA_nop);
	if (!b->failed)
		put_u32(b->data + start, (uint32_t)(b->len - start - 4));
}

/* A CIE (DWARF 5, 6.4.1). "S" is how the tools mark frames that were interrupted, "z" says how much
 * the marks bring along; without it lldb 14 takes the first instruction for that. */
static uint32_t add_cie(struct buf *b, const char *augmentation)
{
	/* What a debugger takes for granted before the first instruction. */
	struct cfi_state none = { .cfa = CFA_IN_MEMORY };
	struct cfi_state start = cfi_state_called();
	size_t at = b->len;
	leb_add_u32(b, 0);
	leb_add_u32(b, UINT32_MAX);
	buf_addch(b, CIE_VERSION);
	buf_add(b, augmentation, strlen(augmentation) + 1);
	leb_add_unsigned(b, 1);
	leb_add_signed(b, DATA_ALIGN);
	leb_add_unsigned(b, REG_RIP);
	if (*augmentation)
		leb_add_unsigned(b, 0); /* bytes that the augmentation brings */
	add_cfa(b, &none, &start);
	for (size_t i = 0; i < CFI_COLUMNS; i++)
		if (start.rules[i].kind != RULE_CFA)
			add_rule(b, cfi_columns[i].dwarf, &start.rules[i]);
	close_entry(b, at);
	return (uint32_t)at;
}

void cfi_writer_init(struct cfi_writer *w, uint64_t slide)
{
	*w = (struct cfi_writer){ .slide = slide };
	buf_init(&w->bytes);
	w->plain = add_cie(&w->bytes, "");
	w->signal = add_cie(&w->bytes, "zS");
}

void cfi_writer_free(struct cfi_writer *w)
{
	buf_free(&w->bytes);
}

/* ---- functions ---- */

enum kind { KIND_ANY, KIND_CALLED, KIND_INTERRUPTED };

/* Which CIE a row wants; KIND_ANY where a debugger ends. */
static enum kind kind_of(const struct cfi_row *row, bool from_user)
{
	if (!row->valid || row->entry.type == ORC_NOTHING || row->entry.type == ORC_END)
		return KIND_ANY;
	return row->entry.signal && !from_user ? KIND_INTERRUPTED : KIND_CALLED;
}

struct piece {
	uint64_t low, high;
	const struct cfi_row *rows;
	size_t count;
	enum kind kind;
};

static bool is_unknown(const struct cfi_row *row)
{
	return !row->valid || row->entry.type == ORC_NOTHING;
}

/*
 * Where row @i of a piece begins. What ORC does not know behind what it knows is what a call that
 * never returns is followed by: the address behind that call, which lldb 14 looks up as it is,
 * belongs to the call.
 */
static uint64_t start_of(const struct piece *p, size_t i)
{
	uint64_t start = p->rows[i].start;
	return i && is_unknown(&p->rows[i]) && !is_unknown(&p->rows[i - 1]) ? start + 1 : start;
}

/* An FDE (DWARF 5, 6.4.1). */
static struct err *add_fde(struct cfi_writer *w, const struct piece *p, bool keeps_callee_saved)
{
	struct buf *b = &w->bytes;
	struct cfi_state was = cfi_state_called(), s;
	uint64_t at = p->low;
	size_t start = b->len;
	/* Tables that were sorted may have several rows for an address: the last one holds. */
	if (p->low >= p->high)
		return NULL;
	leb_add_u32(b, 0);
	leb_add_u32(b, p->kind == KIND_INTERRUPTED ? w->signal : w->plain);
	leb_add_u64(b, p->low - w->slide);
	leb_add_u64(b, p->high - p->low);
	if (p->kind == KIND_INTERRUPTED)
		leb_add_unsigned(b, 0); /* as in its CIE */
	for (size_t i = 0; i < p->count; i++) {
		uint64_t from = start_of(p, i);
		uint64_t to = i + 1 < p->count ? p->rows[i + 1].start : p->high;
		s = cfi_state_of(&p->rows[i], keeps_callee_saved);
		/* Of several rows for an address the last one holds. */
		if (from >= to || cfi_state_same(&was, &s))
			continue;
		if (from > at) {
			add_advance(b, from - at);
			at = from;
		}
		add_change(b, &was, &s);
		was = s;
	}
	close_entry(b, start);
	w->functions++;
	if (b->len > UINT32_MAX)
		return err_new(ERR_UNSUPPORTED, "the unwind tables would have more than 4 GiB");
	return buf_error(b);
}

struct err *cfi_writer_function(struct cfi_writer *w, const struct orc_function *f)
{
	struct err *e = NULL;
	if (f->low >= f->high || f->high - f->low > UINT32_MAX || !f->count)
		return NULL;
	bool from_user = f->rows[0].valid && f->rows[0].entry.type == ORC_END;
	struct piece p = { f->rows[0].start > f->low ? f->rows[0].start : f->low, 0, f->rows, 0,
			   KIND_ANY };
	for (size_t i = 0; !e && i < f->count; i++) {
		enum kind kind = kind_of(&f->rows[i], from_user);
		if (kind != KIND_ANY && p.kind != KIND_ANY && kind != p.kind) {
			p.high = f->rows[i].start;
			e = add_fde(w, &p, f->keeps_callee_saved);
			p = (struct piece){ f->rows[i].start, 0, &f->rows[i], 0, KIND_ANY };
		}
		if (kind != KIND_ANY)
			p.kind = kind;
		p.count++;
	}
	p.high = f->high;
	return e ? e : add_fde(w, &p, f->keeps_callee_saved);
}

/* An operation that goes @distance bytes on from behind itself. */
static void add_branch(struct buf *b, unsigned char op, int distance)
{
	buf_addch(b, (char)op);
	buf_addch(b, (char)(distance & 0xff));
	buf_addch(b, (char)(distance >> 8 & 0xff));
}

/*
 * With the CFA on the expression's stack (DWARF 5, 6.4.2.4): for each word, if the CFA is not the
 * end of that one, over its address to the next; behind the address to the end.
 */
static void add_returns(struct buf *e, const struct cfi_return *returns, size_t count)
{
	enum { CONSTANT = 9, BRANCH = 3, EACH = 1 + CONSTANT + 1 + BRANCH + CONSTANT + BRANCH };
	for (size_t i = 0; i < count; i++) {
		buf_addch(e, DW_OP_dup);
		buf_addch(e, DW_OP_const8u);
		leb_add_u64(e, returns[i].slot + WORD);
		buf_addch(e, DW_OP_ne);
		add_branch(e, DW_OP_bra, CONSTANT + BRANCH);
		buf_addch(e, DW_OP_const8u);
		leb_add_u64(e, returns[i].address);
		add_branch(e, DW_OP_skip, (int)(count - 1 - i) * EACH + 1);
	}
	buf_addch(e, DW_OP_lit0);
}

struct err *cfi_writer_traced(struct cfi_writer *w, uint64_t trampoline,
			      const struct cfi_return *returns, size_t count)
{
	static const enum reg kept[] = { REG_RBX, REG_R12, REG_R13, REG_R14, REG_R15 };
	struct buf *b = &w->bytes, e = BUF_INIT;
	size_t start = b->len;
	if (count > CFI_RETURNS_MAX)
		count = CFI_RETURNS_MAX;
	add_returns(&e, returns, count);
	leb_add_u32(b, 0);
	leb_add_u32(b, w->plain);
	leb_add_u64(b, trampoline - 1 - w->slide);
	leb_add_u64(b, 1);
	buf_addch(b, DW_CFA_def_cfa_offset);
	leb_add_unsigned(b, 0);
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		buf_addch(b, DW_CFA_same_value);
		leb_add_unsigned(b, kept[i]);
	}
	buf_addch(b, DW_CFA_val_expression);
	leb_add_unsigned(b, REG_RIP);
	leb_add_unsigned(b, e.len);
	buf_add(b, e.data, e.len);
	b->failed |= e.failed;
	buf_free(&e);
	close_entry(b, start);
	w->functions++;
	return buf_error(b);
}

struct err *cfi_writer_ends(struct cfi_writer *w, uint64_t low, uint64_t high)
{
	struct cfi_row end = { .valid = true, .entry = { .type = ORC_END } };
	struct piece p = { .low = low, .high = high, .rows = &end, .count = 1 };
	return add_fde(w, &p, false);
}

struct err *cfi_writer_user_mode(struct cfi_writer *w)
{
	const uint64_t all = UINT64_C(1) << USER_BITS;
	struct cfi_row end = { .valid = true, .entry = { .type = ORC_END } };
	struct piece p = { .high = all, .rows = &end, .count = 1 };
	/* In the file the lowest addresses are at the very top if memory's are the higher ones; a
	 * range whose end is 0 is none to gdb, so the last byte is left out. */
	if (w->slide && w->slide < all) {
		struct piece lowest = { .high = w->slide - 1, .rows = &end, .count = 1 };
		struct err *e = add_fde(w, &lowest, false);
		if (e)
			return e;
		p.low = w->slide;
	}
	return add_fde(w, &p, false);
}
