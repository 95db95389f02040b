// SPDX-License-Identifier: GPL-2.0-or-later
/* Directives that fill memory or say which of it is not in the dump. */
#include "base/err.h"
#include "tests/recipe/directive.h"

#define RANGE_BYTES_MAX (UINT64_C(1) << 38) /* of one statement; a typing error is more */

/* ADDR: ITEMS */
static struct err *write_items(struct recipe *r, struct cursor *c, bool physical)
{
	struct target t = { .physical = physical };
	struct buf bytes = BUF_INIT;
	struct cursor start = *c;
	struct err *e = expr(r, c, &t.addr);
	if (!e)
		e = cursor_expect_punct(c, ":");
	if (!e)
		e = items_read(r, c, &bytes);
	if (!e)
		e = target_write(r, &start, t, bytes.data, bytes.len);
	buf_free(&bytes);
	return e;
}

static struct err *run_phys(struct recipe *r, struct cursor *c)
{
	return write_items(r, c, true);
}

static struct err *run_virt(struct recipe *r, struct cursor *c)
{
	return write_items(r, c, false);
}

/* [phys|virt] ADDR SIZE; page by page, because virtual ranges need not be one physical range. */
static struct err *set_state(struct recipe *r, struct cursor *c, enum page_state state)
{
	struct target t;
	uint64_t size;
	struct cursor start = *c;
	t.physical = cursor_take_word(c, "phys");
	if (!t.physical)
		cursor_take_word(c, "virt");
	struct err *e = expr_eval(r, c, true, &t.addr);
	if (!e)
		e = expr_eval(r, c, true, &size);
	if (!e && (t.addr | size) & (PAGE_BYTES - 1))
		e = err_at(&start, "address and size must be multiples of the page size");
	if (!e && size > RANGE_BYTES_MAX)
		e = err_at(&start, "more than 256 GiB in one statement");
	for (uint64_t done = 0; !e && done < size; done += PAGE_BYTES) {
		uint64_t pa = t.addr + done;
		if (!t.physical)
			e = expr_translate(r, &start, t.addr + done, &pa);
		if (!e && !physmem_valid(pa, PAGE_BYTES))
			e = err_at(&start, "there is no physical address %#jx", (uintmax_t)pa);
		if (!e && !physmem_set_state(&r->mem, pa, PAGE_BYTES, state))
			e = err_nomem();
	}
	return e;
}

static struct err *run_zero(struct recipe *r, struct cursor *c)
{
	return set_state(r, c, PAGE_PRESENT);
}

static struct err *run_exclude(struct recipe *r, struct cursor *c)
{
	return set_state(r, c, PAGE_EXCLUDED);
}

static struct err *run_absent(struct recipe *r, struct cursor *c)
{
	return set_state(r, c, PAGE_ABSENT);
}

const struct directive memory_directives[] = {
	{ "phys", run_phys },	    { "virt", run_virt },     { "zero", run_zero },
	{ "exclude", run_exclude }, { "absent", run_absent }, { 0 },
};
