// SPDX-License-Identifier: GPL-2.0-or-later
/* What several directives share: lists of bytes, and memory to put them to. */
#include "base/bytes.h"
#include "base/err.h"
#include "base/hex.h"
#include "tests/recipe/directive.h"

#define ITEM_BYTES_MAX (UINT64_C(1) << 30) /* of one `zero` or `fill` */

struct width {
	const char *word;
	unsigned int bytes;
	bool bare_hex;
};

static const struct width widths[] = {
	{ "u8", 1, false },  { "u16", 2, false }, { "u32", 4, false },
	{ "u64", 8, false }, { "hex", 8, true },
};

struct err *number_to_bytes(const struct cursor *c, uint64_t value, uint64_t size, uint8_t out[8])
{
	if (size < 8) {
		unsigned int bits = 8 * (unsigned int)size;
		uint64_t high = value >> bits;
		bool negative = high == UINT64_MAX >> bits && value >> (bits - 1) & 1;
		if (high && !negative)
			return err_at(c, "%#jx does not fit %u bits", (uintmax_t)value, bits);
	}
	put_u64(out, value);
	return NULL;
}

static bool take_width(struct cursor *c, const struct width **width)
{
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		if (cursor_take_word(c, widths[i].word)) {
			*width = &widths[i];
			return true;
		}
	}
	return false;
}

/* `zero N` and `fill BYTE N`, behind the word. */
static struct err *read_fill(const struct recipe *r, struct cursor *c, bool zero, struct buf *out)
{
	uint64_t byte = 0, count;
	struct err *e = zero ? NULL : expr_eval(r, c, true, &byte);
	if (!e)
		e = expr_eval(r, c, true, &count);
	if (e)
		return e;
	if (byte > 0xff || count > ITEM_BYTES_MAX)
		return err_at(c, "a fill of %ju times %#jx", (uintmax_t)count, (uintmax_t)byte);
	if (!buf_reserve(out, count))
		return err_nomem();
	for (uint64_t i = 0; i < count; i++)
		buf_addch(out, (char)byte);
	return NULL;
}

static struct err *read_number(const struct recipe *r, struct cursor *c, const struct width *width,
			       struct buf *out)
{
	uint64_t value;
	uint8_t bytes[8];
	struct err *e;
	if (width->bare_hex) {
		const char *text;
		size_t len;
		e = cursor_word(c, "a hexadecimal word", &text, &len);
		if (!e && !hex_u64(text, len, &value))
			e = err_at(c, "'%.*s' is no hexadecimal word", (int)len, text);
	} else {
		e = expr_eval(r, c, true, &value);
	}
	if (!e)
		e = number_to_bytes(c, value, width->bytes, bytes);
	if (!e)
		buf_add(out, bytes, width->bytes);
	return e;
}

struct err *items_read(const struct recipe *r, struct cursor *c, struct buf *out)
{
	static const struct width u64 = { "u64", 8, false };
	const struct width *width = &u64;
	struct err *e = NULL;
	while (!e && !cursor_at_end(c)) {
		if (take_width(c, &width))
			continue;
		if (c->at->kind == TOKEN_STRING)
			e = cursor_string(c, out);
		else if (cursor_take_word(c, "zero"))
			e = read_fill(r, c, true, out);
		else if (cursor_take_word(c, "fill"))
			e = read_fill(r, c, false, out);
		else
			e = read_number(r, c, width, out);
	}
	return e ? e : buf_error(out);
}

struct err *target_read(const struct recipe *r, struct cursor *c, struct target *ret)
{
	ret->physical = cursor_take_word(c, "phys");
	if (!ret->physical)
		cursor_take_word(c, "virt");
	return expr(r, c, &ret->addr);
}

/* The physical address of @t and how many of @len bytes follow it in the same page. */
static struct err *target_page(const struct recipe *r, const struct cursor *c, struct target t,
			       uint64_t len, uint64_t *ret_pa, uint64_t *ret_len)
{
	uint64_t left = PAGE_BYTES - (t.addr & (PAGE_BYTES - 1));
	*ret_len = len < left ? len : left;
	*ret_pa = t.addr;
	struct err *e = t.physical ? NULL : expr_translate(r, c, t.addr, ret_pa);
	if (!e && !physmem_valid(*ret_pa, *ret_len))
		e = err_at(c, "there is no physical address %#jx", (uintmax_t)*ret_pa);
	return e;
}

struct err *target_write(struct recipe *r, const struct cursor *c, struct target t,
			 const void *bytes, size_t len)
{
	const char *from = bytes;
	while (len) {
		uint64_t pa, n;
		struct err *e = target_page(r, c, t, len, &pa, &n);
		if (e)
			return e;
		if (!physmem_write(&r->mem, pa, from, n))
			return err_nomem();
		from += n;
		t.addr += n;
		len -= n;
	}
	return NULL;
}

struct err *target_touch(struct recipe *r, const struct cursor *c, struct target t, uint64_t len)
{
	while (len) {
		uint64_t pa, n;
		struct err *e = target_page(r, c, t, len, &pa, &n);
		if (e)
			return e;
		if (!physmem_page(&r->mem, pa >> RECIPE_PAGE_SHIFT) &&
		    !physmem_set_state(&r->mem, pa, n, PAGE_PRESENT))
			return err_nomem();
		t.addr += n;
		len -= n;
	}
	return NULL;
}
