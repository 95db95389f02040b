// SPDX-License-Identifier: GPL-2.0-or-later
/* Directives that write objects of the kernel: structures and the lists that link them. */
#include "base/bytes.h"
#include "base/err.h"
#include "tests/recipe/directive.h"

#define HLIST_MAX 65536 /* nodes in one chain; more is a loop */

/* The value of a text member: cut nowhere, filled up with zeros. */
static struct err *write_text(struct recipe *r, struct cursor *c, struct target t,
			      const struct place *place)
{
	struct buf text = BUF_INIT;
	struct err *e = cursor_string(c, &text);
	if (!e && text.len > place->size)
		e = err_at(c, "a text of %zu bytes for an array of %ju", text.len,
			   (uintmax_t)place->size);
	while (!e && text.len < place->size && !text.failed)
		buf_addch(&text, 0);
	if (!e)
		e = buf_error(&text);
	if (!e)
		e = target_write(r, c, t, text.data, text.len);
	buf_free(&text);
	return e;
}

static struct err *write_number(struct recipe *r, struct cursor *c, struct target t,
				const struct place *place)
{
	uint64_t value;
	uint8_t bytes[8];
	struct cursor start = *c;
	struct err *e = expr(r, c, &value);
	if (!e)
		e = number_to_bytes(&start, value, place->size, bytes);
	return e ? e : target_write(r, &start, t, bytes, place->size);
}

/* PATH = EXPR or PATH = "text" */
static struct err *assign(struct recipe *r, struct cursor *c, const char *type,
			  struct target object)
{
	struct buf path = BUF_INIT;
	struct place place;
	struct cursor start = *c;
	struct err *e = cursor_compact(c, "a member", ".[]", &path);
	if (!e)
		e = expr_place(r, &start, type, path.data, &place);
	if (!e)
		e = cursor_expect_punct(c, "=");
	if (!e) {
		struct target member = { object.addr + place.offset, object.physical };
		if (place.kind == PLACE_TEXT && c->at->kind == TOKEN_STRING)
			e = write_text(r, c, member, &place);
		else if (place.kind == PLACE_INTEGER && place.size <= 8)
			e = write_number(r, c, member, &place);
		else
			e = err_at(&start, "%s.%s takes no such value", type, path.data);
	}
	buf_free(&path);
	return e;
}

/* put TYPE at ADDR: PATH = VALUE ... */
static struct err *run_put(struct recipe *r, struct cursor *c)
{
	struct buf type = BUF_INIT;
	struct target object;
	struct place place;
	const char *name;
	size_t len;
	cursor_take_word(c, "struct");
	struct cursor start = *c;
	struct err *e = cursor_word(c, "a type", &name, &len);
	if (!e) {
		buf_add(&type, name, len);
		e = buf_error(&type);
	}
	if (!e)
		e = expr_place(r, &start, type.data, "", &place);
	if (!e && !cursor_take_word(c, "at"))
		e = err_at(c, "expected 'at ADDRESS' behind the type");
	if (!e)
		e = target_read(r, c, &object);
	if (!e)
		e = cursor_expect_punct(c, ":");
	if (!e)
		e = target_touch(r, &start, object, place.size);
	while (!e && !cursor_at_end(c))
		e = assign(r, c, type.data, object);
	buf_free(&type);
	return e;
}

static struct err *write_pointer(struct recipe *r, const struct cursor *c, uint64_t va,
				 uint64_t value)
{
	uint8_t bytes[8];
	put_u64(bytes, value);
	return target_write(r, c, (struct target){ va, false }, bytes, sizeof(bytes));
}

/* list HEAD: NODE...; links a ring of struct list_head (next, prev), as list_add_tail() leaves it.
 */
static struct err *run_list(struct recipe *r, struct cursor *c)
{
	uint64_t head, node;
	struct cursor start = *c;
	struct err *e = expr(r, c, &head);
	if (!e)
		e = cursor_expect_punct(c, ":");
	uint64_t last = head;
	while (!e && !cursor_at_end(c)) {
		e = expr_eval(r, c, true, &node);
		if (!e)
			e = write_pointer(r, &start, last, node);
		if (!e)
			e = write_pointer(r, &start, node + 8, last);
		last = node;
	}
	if (!e)
		e = write_pointer(r, &start, last, head);
	if (!e)
		e = write_pointer(r, &start, head + 8, last);
	return e;
}

/* The last `next` (or the head's `first`) of the chain at @head, which holds 0. */
static struct err *hlist_end(const struct recipe *r, const struct cursor *c, uint64_t head,
			     uint64_t *ret)
{
	for (unsigned int i = 0; i < HLIST_MAX; i++) {
		uint64_t pa;
		struct err *e = expr_translate(r, c, head, &pa);
		if (e)
			return e;
		uint64_t next = physmem_read_u64(&r->mem, pa);
		if (!next) {
			*ret = head;
			return NULL;
		}
		head = next;
	}
	return err_at(c, "a chain of more than %d nodes", HLIST_MAX);
}

/*
 * hlist HEAD: NODE...; appends each struct hlist_node (next, pprev) to what hangs on a struct
 * hlist_head (first) already, so that hash tables need no thought about who shares a bucket.
 */
static struct err *run_hlist(struct recipe *r, struct cursor *c)
{
	uint64_t link, node;
	struct cursor start = *c;
	struct err *e = expr(r, c, &link);
	if (!e)
		e = cursor_expect_punct(c, ":");
	if (!e)
		e = hlist_end(r, &start, link, &link);
	while (!e && !cursor_at_end(c)) {
		e = expr_eval(r, c, true, &node);
		if (!e)
			e = write_pointer(r, &start, link, node);
		if (!e)
			e = write_pointer(r, &start, node, 0);
		if (!e)
			e = write_pointer(r, &start, node + 8, link);
		link = node;
	}
	return e;
}

const struct directive object_directives[] = {
	{ "put", run_put },
	{ "list", run_list },
	{ "hlist", run_hlist },
	{ 0 },
};
