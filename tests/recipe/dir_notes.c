// SPDX-License-Identifier: GPL-2.0-or-later
/* Directives that make the dump's ELF notes. */
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "tests/recipe/directive.h"
#include "tests/recipe/notes.h"

/* NAME = EXPR ..., the names being those of @table. */
static struct err *read_fields(const struct recipe *r, struct cursor *c, const struct field *table,
			       size_t count, uint8_t *structure)
{
	struct err *e = NULL;
	while (!e && !cursor_at_end(c)) {
		struct buf name = BUF_INIT;
		struct cursor start = *c;
		uint64_t value;
		uint8_t bytes[8];
		e = cursor_compact(c, "a register", ".", &name);
		const struct field *f = e ? NULL : field_find(table, count, name.data);
		if (!e && !f)
			e = err_at(&start, "'%s' is no register or field of this note", name.data);
		if (!e)
			e = cursor_expect_punct(c, "=");
		if (!e)
			e = expr(r, c, &value);
		if (!e)
			e = number_to_bytes(&start, value, f->size, bytes);
		if (!e)
			field_put(structure, f, value);
		buf_free(&name);
	}
	return e;
}

/*
 * prstatus PID [at ADDR]: NAME = EXPR ...; with an address the note is also in memory there, as
 * crash_save_cpu() leaves it in the per-CPU crash_notes.
 */
static struct err *run_prstatus(struct recipe *r, struct cursor *c)
{
	uint8_t status[PRSTATUS_BYTES] = { 0 };
	struct cursor start = *c;
	struct target copy;
	uint64_t pid;
	struct err *e = expr(r, c, &pid);
	bool in_memory = !e && cursor_take_word(c, "at");
	if (in_memory)
		e = target_read(r, c, &copy);
	if (!e)
		e = cursor_expect_punct(c, ":");
	if (!e) {
		const struct field *f = field_find(prstatus_fields, prstatus_field_count, "pid");
		field_put(status, f, pid);
		e = read_fields(r, c, prstatus_fields, prstatus_field_count, status);
	}
	if (e)
		return e;
	struct buf note = BUF_INIT;
	note_add(&note, "CORE", NOTE_PRSTATUS, status, sizeof(status));
	buf_add(&r->notes, note.data, note.len);
	r->cpu_notes++;
	e = buf_error(&note);
	if (!e && in_memory)
		e = target_write(r, &start, copy, note.data, note.len);
	buf_free(&note);
	return e ? e : buf_error(&r->notes);
}

/* qemu: NAME = EXPR ... */
static struct err *run_qemu(struct recipe *r, struct cursor *c)
{
	uint8_t state[QEMU_STATE_BYTES] = { 0 };
	put_u32(state, 1);
	put_u32(state + 4, sizeof(state));
	struct err *e = cursor_expect_punct(c, ":");
	if (!e)
		e = read_fields(r, c, qemu_state_fields, qemu_state_field_count, state);
	if (e)
		return e;
	note_add(&r->notes, "QEMU", 0, state, sizeof(state));
	return buf_error(&r->notes);
}

/* note "NAME" TYPE: ITEMS */
static struct err *run_note(struct recipe *r, struct cursor *c)
{
	struct buf name = BUF_INIT, desc = BUF_INIT;
	uint64_t type;
	struct cursor start = *c;
	struct err *e = cursor_string(c, &name);
	if (!e)
		e = expr(r, c, &type);
	if (!e && type > UINT32_MAX)
		e = err_at(&start, "a note's type has 32 bits");
	if (!e)
		e = cursor_expect_punct(c, ":");
	if (!e)
		e = items_read(r, c, &desc);
	if (!e) {
		note_add(&r->notes, name.data, (uint32_t)type, desc.data, desc.len);
		e = buf_error(&r->notes);
	}
	buf_free(&name);
	buf_free(&desc);
	return e;
}

/* SYMBOL(x), with the address of @name or what follows `=`. */
static struct err *info_symbol(struct recipe *r, struct cursor *c)
{
	const char *name;
	size_t len;
	uint64_t value;
	struct cursor start = *c;
	struct err *e = cursor_word(c, "a symbol", &name, &len);
	if (!e && cursor_take_punct(c, "="))
		e = expr(r, c, &value);
	else if (!e)
		e = expr(r, &start, &value);
	if (!e)
		buf_addf(&r->vmcoreinfo, "SYMBOL(%.*s)=%jx\n", (int)len, name, (uintmax_t)value);
	return e;
}

/* NUMBER(x)= in decimal, as the kernel's VMCOREINFO_NUMBER prints a long. */
static struct err *info_number(struct recipe *r, struct cursor *c)
{
	const char *name;
	size_t len;
	uint64_t value;
	struct err *e = cursor_word(c, "a name", &name, &len);
	if (!e)
		e = cursor_expect_punct(c, "=");
	if (!e)
		e = expr(r, c, &value);
	if (!e)
		buf_addf(&r->vmcoreinfo, "NUMBER(%.*s)=%jd\n", (int)len, name, (intmax_t)value);
	return e;
}

/* SIZE(type) */
static struct err *info_size(struct recipe *r, struct cursor *c)
{
	struct buf type = BUF_INIT;
	struct place place;
	struct cursor start = *c;
	struct err *e = cursor_compact(c, "a type", "", &type);
	if (!e)
		e = expr_place(r, &start, type.data, "", &place);
	if (!e)
		buf_addf(&r->vmcoreinfo, "SIZE(%s)=%ju\n", type.data, (uintmax_t)place.size);
	buf_free(&type);
	return e;
}

/* OFFSET(type.member) */
static struct err *info_offset(struct recipe *r, struct cursor *c)
{
	struct buf name = BUF_INIT;
	struct place place;
	struct cursor start = *c;
	struct err *e = cursor_compact(c, "TYPE.MEMBER", ".[]", &name);
	char *dot = e ? NULL : strchr(name.data, '.');
	if (!e && !dot)
		e = err_at(&start, "expected TYPE.MEMBER instead of '%s'", name.data);
	if (!e) {
		*dot = 0;
		e = expr_place(r, &start, name.data, dot + 1, &place);
	}
	if (!e)
		buf_addf(&r->vmcoreinfo, "OFFSET(%s.%s)=%ju\n", name.data, dot + 1,
			 (uintmax_t)place.offset);
	buf_free(&name);
	return e;
}

static struct err *info_text(struct recipe *r, struct cursor *c)
{
	struct err *e = cursor_string(c, &r->vmcoreinfo);
	buf_addch(&r->vmcoreinfo, '\n');
	return e;
}

/* vmcoreinfo: lines, by what they say */
static struct err *run_vmcoreinfo(struct recipe *r, struct cursor *c)
{
	static const struct directive kinds[] = {
		{ "text", info_text }, { "symbol", info_symbol }, { "number", info_number },
		{ "size", info_size }, { "offset", info_offset },
	};
	struct err *e = cursor_expect_punct(c, ":");
	while (!e && !cursor_at_end(c)) {
		size_t i = 0;
		while (i < FIELD_COUNT(kinds) && !cursor_take_word(c, kinds[i].name))
			i++;
		if (i == FIELD_COUNT(kinds))
			e = err_at(c, "expected text, symbol, number, size or offset");
		else
			e = kinds[i].run(r, c);
	}
	return e ? e : buf_error(&r->vmcoreinfo);
}

const struct directive note_directives[] = {
	{ "prstatus", run_prstatus },
	{ "qemu", run_qemu },
	{ "note", run_note },
	{ "vmcoreinfo", run_vmcoreinfo },
	{ 0 },
};
