// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/code_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/map.h"
#include "unwind/code_table.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/unwind_source_asm.h"
#include "vmcore/kernel/kernel.h"

enum {
	BYTES_MAX = 64 << 20, /* of tables that are kept */
	PARENTS_MAX = 8,      /* functions of one name, of which a part may be */
};

struct kept {
	struct code_table *table; /* owned */
	uint64_t function;
};

struct code_tables {
	const struct kernel *k; /* borrowed */
	struct code_map *code;	/* borrowed */
	struct kept *kept;	/* owned */
	size_t count, capacity;
	struct map index; /* where a function begins to its place in kept */
	size_t bytes;
	uint64_t low, high; /* of the function that is asked about by its range; empty: none is */
};

struct err *code_tables_new(const struct kernel *k, struct code_map *code, struct code_tables **ret)
{
	struct code_tables *t = calloc(1, sizeof(*t));
	if (!t)
		return err_nomem();
	t->k = k;
	t->code = code;
	*ret = t;
	return NULL;
}

static void forget(struct code_tables *t)
{
	for (size_t i = 0; i < t->count; i++)
		code_table_free(t->kept[i].table);
	map_free(&t->index);
	t->index = (struct map)MAP_INIT;
	t->count = t->bytes = 0;
}

void code_tables_free(struct code_tables *t)
{
	if (!t)
		return;
	forget(t);
	free(t->kept);
	free(t);
}

/* ---- what the analysis asks ---- */

static struct err *read_code(void *self, uint64_t address, void *out, size_t len)
{
	const struct code_tables *t = self;
	return kernel_read(t->k, address, out, len);
}

/* gcc's names of what it moves out of a function's way: "f.cold", "f.cold.12". */
static const char *part_mark(const char *name)
{
	const char *mark = strstr(name, ".cold");
	return mark && mark != name && (!mark[5] || mark[5] == '.') ? mark : NULL;
}

static bool find_symbol(void *self, uint64_t address, struct code_symbol *ret)
{
	const struct code_tables *t = self;
	struct symbol symbol;
	enum reg reg;
	if (address >= t->low && address < t->high) {
		*ret = (struct code_symbol){ t->low, t->high, CODE_FUNCTION, REG_RAX };
		return true;
	}
	if (!code_map_is_code(t->code, address))
		return false;
	*ret = (struct code_symbol){ address, address + 1, CODE_FUNCTION, REG_RAX };
	if (!code_map_symbol(t->code, address, &symbol))
		return true;
	ret->start = symbol.address;
	if (symbol.size && address - symbol.address < symbol.size)
		ret->end = symbol.address + symbol.size;
	if (part_mark(symbol.name))
		ret->kind = CODE_PART;
	else if (asm_is_return(symbol.name))
		ret->kind = CODE_RETURN;
	else if (asm_is_indirect_jump(symbol.name, &reg))
		ret->kind = CODE_THUNK, ret->reg = reg;
	return true;
}

/* ---- tables ---- */

static bool keep(struct code_tables *t, uint64_t function, struct code_table *table)
{
	if (t->bytes > BYTES_MAX)
		forget(t);
	if (t->count == t->capacity) {
		size_t capacity = t->capacity ? 2 * t->capacity : 64;
		struct kept *more = realloc(t->kept, capacity * sizeof(*more));
		if (!more)
			return false;
		t->kept = more;
		t->capacity = capacity;
	}
	if (!map_put(&t->index, function, t->count))
		return false;
	t->kept[t->count++] = (struct kept){ table, function };
	t->bytes += code_table_bytes(table);
	return true;
}

static struct err *make_table(struct code_tables *t, uint64_t function, struct code_table **ret)
{
	const struct code_source source = { t, read_code, find_symbol, NULL };
	return code_table_new(&source, function, ret);
}

/* Borrowed until the next call; NULL if memory is out. */
static const struct code_table *table_of(struct code_tables *t, uint64_t function)
{
	struct code_table *table;
	uint64_t i;
	if (map_get(&t->index, function, &i))
		return t->kept[i].table;
	struct err *e = make_table(t, function, &table);
	bool made = !e;
	err_free(e);
	if (!made)
		return NULL;
	if (!keep(t, function, table)) {
		code_table_free(table);
		return NULL;
	}
	return table;
}

static bool find_in(struct code_tables *t, uint64_t function, uint64_t pc, bool exact,
		    struct code_rules *ret)
{
	const struct code_table *table = table_of(t, function);
	return table && (exact ? code_table_at(table, pc, ret) : code_table_call(table, pc, ret));
}

/* The functions that @part may be a part of: those with its name, without what marks it. */
static size_t find_parents(struct code_tables *t, const struct symbol *part,
			   struct symbol ret[PARENTS_MAX])
{
	const struct module *m = code_map_module(t->code, part->address);
	const struct symbols *symbols =
		m ? code_map_module_symbols(t->code, m) : kernel_symbols(t->k);
	size_t len = (size_t)(part_mark(part->name) - part->name);
	char *name = strndup(part->name, len);
	size_t count = name ? symbols_all_named(symbols, name, ret, PARENTS_MAX) : 0;
	free(name);
	return count;
}

bool code_tables_find(struct code_tables *t, uint64_t pc, bool exact, struct code_rules *ret,
		      uint64_t *ret_function)
{
	struct symbol functions[PARENTS_MAX], symbol;
	size_t count = 1;
	uint64_t inside = exact ? pc : pc - 1;
	if (!code_map_is_code(t->code, inside) || !code_map_symbol(t->code, inside, &symbol))
		return false;
	functions[0] = symbol;
	if (part_mark(symbol.name))
		count = find_parents(t, &symbol, functions);
	for (size_t i = 0; i < count; i++) {
		if (!find_in(t, functions[i].address, pc, exact, ret))
			continue;
		*ret_function = functions[i].address;
		return true;
	}
	return false;
}

/* ---- whole functions ---- */

static bool same_rules(const struct code_rules *a, const struct code_rules *b)
{
	return !memcmp(a, b, sizeof(*a)); /* made so that they can be compared as bytes */
}

static struct err *add_span(struct code_spans *s, const struct code_row *row)
{
	struct code_span *last = s->count ? &s->list[s->count - 1] : NULL;
	/* Instructions overlap in hostile code alone. */
	if (!row->rules || (last && row->start < last->end))
		return NULL;
	if (last && row->start == last->end && same_rules(&last->rules, row->rules)) {
		last->end = row->end;
		return NULL;
	}
	if (s->count == s->capacity) {
		size_t more = s->capacity ? 2 * s->capacity : 64;
		struct code_span *list = reallocarray(s->list, more, sizeof(*list));
		if (!list)
			return err_nomem();
		s->list = list;
		s->capacity = more;
	}
	struct code_span *span = &s->list[s->count++];
	span->start = row->start;
	span->end = row->end;
	memcpy(&span->rules, row->rules, sizeof(span->rules));
	return NULL;
}

/* What @table has of [@low, @high). */
static struct err *add_spans(const struct code_table *table, uint64_t low, uint64_t high,
			     struct code_spans *spans)
{
	struct code_row row;
	struct err *e = NULL;
	for (size_t i = code_table_rows_before(table, low);
	     !e && code_table_row(table, i, &row) && row.start < high; i++)
		if (row.end <= high)
			e = add_span(spans, &row);
	return e;
}

/* Of a part, what the one function says that leads there: if there are several, nothing. */
static struct err *part_spans(struct code_tables *t, const struct symbol *part, uint64_t high,
			      struct code_spans *spans)
{
	struct symbol functions[PARENTS_MAX];
	size_t count = find_parents(t, part, functions);
	struct err *e = NULL;
	for (size_t i = 0; !e && i < count; i++) {
		size_t before = spans->count;
		const struct code_table *table = table_of(t, functions[i].address);
		if (!table)
			return err_nomem();
		if (!before)
			e = add_spans(table, part->address, high, spans);
		else if (code_table_rows_before(table, high) !=
			 code_table_rows_before(table, part->address))
			count = spans->count = 0;
	}
	return e;
}

/* Whether @table has something of other places than [@low, @high). */
static bool leads_out(const struct code_table *table, uint64_t low, uint64_t high)
{
	struct code_row row;
	return code_table_rows_before(table, low) ||
	       code_table_row(table, code_table_rows_before(table, high), &row);
}

/* Of a function whose parts may be asked for later: its table is kept then. */
static struct err *function_spans(struct code_tables *t, uint64_t low, uint64_t high,
				  struct code_spans *spans)
{
	struct code_table *table;
	uint64_t i;
	if (map_get(&t->index, low, &i))
		return add_spans(t->kept[i].table, low, high, spans);
	t->low = low;
	t->high = high;
	struct err *e = make_table(t, low, &table);
	t->low = t->high = 0;
	if (e)
		return e;
	e = add_spans(table, low, high, spans);
	if (e || !leads_out(table, low, high) || !keep(t, low, table))
		code_table_free(table);
	return e;
}

struct err *code_tables_spans(struct code_tables *t, uint64_t low, uint64_t high,
			      struct code_spans *spans)
{
	struct symbol symbol;
	spans->count = 0;
	if (low >= high || !code_map_is_code(t->code, low))
		return NULL;
	if (code_map_symbol(t->code, low, &symbol) && symbol.address == low &&
	    part_mark(symbol.name))
		return part_spans(t, &symbol, high, spans);
	return function_spans(t, low, high, spans);
}
