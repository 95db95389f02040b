// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/image/image_cfi.h"

#include <stdlib.h>

#include "base/err.h"
#include "server/image/cfi_writer.h"
#include "server/image/image_layout.h"
#include "server/kernel/orc_tables.h"
#include "server/kernel/symbols.h"
#include "server/kernel/unwind_source_asm.h"

/* The rows of one function. */
struct rows {
	struct cfi_row *list; /* owned */
	size_t count, capacity;
};

static struct err *add_row(struct rows *r, const struct cfi_row *row)
{
	if (r->count == r->capacity) {
		size_t more = r->capacity ? 2 * r->capacity : 256;
		struct cfi_row *list = reallocarray(r->list, more, sizeof(*list));
		if (!list)
			return err_nomem();
		r->list = list;
		r->capacity = more;
	}
	r->list[r->count++] = *row;
	return NULL;
}

static struct cfi_row row_at(const struct orc_tables *orc, const struct module *module, size_t i)
{
	struct cfi_row row = { 0 };
	row.valid = orc_tables_nth(orc, module, i, &row.start, &row.entry);
	return row;
}

/* The rows that speak of [@low, @high); *at is moved to the first of them. */
static struct err *collect(struct orc_tables *orc, const struct module *module, uint64_t low,
			   uint64_t high, size_t *at, struct rows *ret)
{
	size_t count = orc_tables_count(orc, module);
	ret->count = 0;
	while (*at + 1 < count && row_at(orc, module, *at + 1).start <= low)
		++*at;
	struct err *e = NULL;
	for (size_t i = *at; !e && i < count; i++) {
		struct cfi_row row = row_at(orc, module, i);
		if (row.start >= high)
			break;
		e = add_row(ret, &row);
	}
	return e;
}

/* The symbols at one address, in code. */
struct group {
	uint64_t low, high;
	size_t next; /* the first symbol that is not among them */
	bool keeps_callee_saved;
};

static bool find_group(const struct symbols *symbols, size_t first,
		       const struct image_layout *layout, struct group *ret)
{
	uint64_t low = symbols_nth(symbols, first).address;
	const struct image_part *part = image_layout_find(layout, low);
	size_t next = first, count = symbols_count(symbols);
	bool keeps = false;
	while (next < count && symbols_nth(symbols, next).address == low)
		keeps |= asm_keeps_callee_saved(symbols_nth(symbols, next++).name);
	ret->next = next;
	if (!part || !part->code || low >= part->high)
		return false;
	uint64_t high = next < count ? symbols_nth(symbols, next).address : part->high;
	*ret = (struct group){ low, high < part->high ? high : part->high, next, keeps };
	return true;
}

struct err *image_cfi_add(struct orc_tables *orc, const struct module *module,
			  const struct symbols *symbols, const struct image_layout *layout,
			  size_t most, struct image_cfi *state, struct cfi_writer *w,
			  bool *ret_done)
{
	struct rows rows = { 0 };
	struct err *e = NULL;
	size_t added = 0, count = symbols_count(symbols);
	while (!e && state->symbol < count && added < most) {
		struct group g;
		if (find_group(symbols, state->symbol, layout, &g)) {
			added++;
			e = collect(orc, module, g.low, g.high, &state->row, &rows);
			struct cfi_function f = { g.low, g.high, rows.list, rows.count,
						  g.keeps_callee_saved };
			if (!e)
				e = cfi_writer_function(w, &f);
		}
		state->symbol = g.next;
	}
	free(rows.list);
	if (!e)
		*ret_done = state->symbol >= count;
	return e;
}
