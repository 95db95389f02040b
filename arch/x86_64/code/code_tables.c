// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/code/code_tables.h"

#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/code/asm_names.h"
#include "arch/x86_64/unwind/code_parts.h"
#include "arch/x86_64/unwind/code_table.h"
#include "base/err.h"
#include "base/map.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"

enum {
	BYTES_MAX = 64 << 20, /* of tables that are kept */
	PARENTS_MAX = 8,      /* functions of one name, of which a part may be */
};

struct kept {
	struct code_table *table; /* owned */
	uint64_t function;
};

/* Of the kernel, or a module: parts of functions that have no names. */
struct object {
	bool known;
	struct code_parts parts; /* owned */
};

struct code_tables {
	const struct kernel *k; /* borrowed */
	struct code_map *code;	/* borrowed */
	struct kept *kept;	/* owned */
	size_t count, capacity;
	struct map index; /* where a function begins to its place in kept */
	size_t bytes;
	uint64_t low, high; /* of code that no symbol covers, if it is asked about; or empty */
	struct object kernel, *modules; /* owned */
};

struct err *code_tables_new(const struct kernel *k, struct code_map *code, struct code_tables **ret)
{
	struct code_tables *t = calloc(1, sizeof(*t));
	if (!t)
		return err_nomem();
	t->k = k;
	t->code = code;
	t->modules = calloc(code_map_modules(code)->count + 1, sizeof(*t->modules));
	if (!t->modules) {
		free(t);
		return err_nomem();
	}
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
	code_parts_free(&t->kernel.parts);
	for (size_t i = 0; t->modules && i < code_map_modules(t->code)->count; i++)
		code_parts_free(&t->modules[i].parts);
	free(t->modules);
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

bool code_tables_is_part(const char *name)
{
	return part_mark(name) != NULL;
}

/* As the names tell. */
static bool find_named(void *self, uint64_t address, struct code_symbol *ret)
{
	const struct code_tables *t = self;
	struct symbol symbol;
	enum reg reg;
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

/* ---- parts without names ---- */

/* Whether the compiler named the parts, or there are none. */
static bool has_named_parts(const struct symbols *symbols)
{
	for (size_t i = 0, n = symbols ? symbols_count(symbols) : 0; i < n; i++)
		if (part_mark(symbols_nth(symbols, i).name))
			return true;
	return !symbols;
}

static struct err *scan_kernel(struct code_tables *t, const struct code_source *source)
{
	uint64_t low, high;
	if (has_named_parts(kernel_symbols(t->k)) || !kernel_symbol(t->k, "_stext", &low) ||
	    !kernel_symbol(t->k, "_etext", &high))
		return NULL;
	return code_parts_scan(source, low, high, &t->kernel.parts);
}

static struct err *scan_module(struct code_tables *t, const struct module *m,
			       const struct code_source *source, struct code_parts *parts)
{
	struct err *e = NULL;
	if (has_named_parts(code_map_module_symbols(t->code, m)))
		return NULL;
	for (unsigned i = 0; !e && i < m->region_count; i++)
		e = code_parts_scan(source, m->regions[i].low, m->regions[i].text_end, parts);
	return e;
}

/* Those of the kernel, or of the module that @address is in; NULL if there are none. */
static const struct code_parts *parts_at(struct code_tables *t, uint64_t address)
{
	const struct code_source source = { t, read_code, find_named, NULL };
	const struct module *m = code_map_module(t->code, address);
	struct object *o = m ? &t->modules[m - code_map_modules(t->code)->list] : &t->kernel;
	if (!o->known && (m || code_map_in_kernel(t->code, address))) {
		o->known = true;
		/* Out of memory, there are those that were found. */
		err_free(m ? scan_module(t, m, &source, &o->parts) : scan_kernel(t, &source));
		code_parts_sort(&o->parts);
	}
	return o->parts.count ? &o->parts : NULL;
}

static bool find_symbol(void *self, uint64_t address, struct code_symbol *ret)
{
	struct code_tables *t = self;
	if (address >= t->low && address < t->high) {
		*ret = (struct code_symbol){ t->low, t->high, CODE_FUNCTION, REG_RAX };
		return true;
	}
	if (!find_named(t, address, ret))
		return false;
	const struct code_parts *parts = parts_at(t, address);
	if (parts)
		code_parts_cut(parts, address, ret);
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

static bool same_rules(const struct code_rules *a, const struct code_rules *b)
{
	return !memcmp(a, b, sizeof(*a)); /* made so that they can be compared as bytes */
}

/*
 * Where the functions begin that the code at @address may be of, and how far that code goes: of a
 * part with a name, those that have it; of one without, those that jump there, and the one that is
 * before it.
 */
static size_t find_functions(struct code_tables *t, uint64_t address, uint64_t ret[PARENTS_MAX],
			     struct code_symbol *ret_code)
{
	struct symbol symbol, parents[PARENTS_MAX];
	size_t count = 0;
	if (!find_symbol(t, address, ret_code) || !code_map_symbol(t->code, address, &symbol))
		return 0;
	if (part_mark(symbol.name)) {
		count = find_parents(t, &symbol, parents);
		for (size_t i = 0; i < count; i++)
			ret[i] = parents[i].address;
		return count;
	}
	ret[count++] = symbol.address;
	const struct code_parts *parts = parts_at(t, address);
	size_t i = parts ? code_parts_upto(parts, ret_code->start) : 0;
	for (; i-- > 0 && parts->list[i].start == ret_code->start;) {
		if (count == PARENTS_MAX)
			return 0;
		ret[count++] = parts->list[i].function;
	}
	return count;
}

bool code_tables_find(struct code_tables *t, uint64_t pc, bool exact, struct code_rules *ret,
		      uint64_t *ret_function)
{
	uint64_t functions[PARENTS_MAX], found = 0;
	struct code_symbol code;
	struct code_rules rules, first;
	size_t count = find_functions(t, exact ? pc : pc - 1, functions, &code);
	for (size_t i = 0; i < count; i++) {
		if (!find_in(t, functions[i], pc, exact, &rules))
			continue;
		/* Of which of them it is nobody can say. */
		if (found && !same_rules(&first, &rules))
			return false;
		if (!found)
			memcpy(&first, &rules, sizeof(first));
		found = functions[i];
	}
	if (!found)
		return false;
	memcpy(ret, &first, sizeof(first));
	*ret_function = found;
	return true;
}

/* ---- whole functions ---- */

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

/* Whether @table says of [@low, @high) what the spans from number @at on do not. */
static bool contradicts(const struct code_table *table, uint64_t low, uint64_t high,
			const struct code_spans *spans, size_t at)
{
	struct code_row row;
	for (size_t i = code_table_rows_before(table, low);
	     code_table_row(table, i, &row) && row.start < high; i++) {
		while (at < spans->count && spans->list[at].end <= row.start)
			at++;
		if (row.rules && at < spans->count && spans->list[at].start <= row.start &&
		    !same_rules(&spans->list[at].rules, row.rules))
			return true;
	}
	return false;
}

/* Whether @table has something of other places than [@low, @high). */
static bool leads_out(const struct code_table *table, uint64_t low, uint64_t high)
{
	struct code_row row;
	return code_table_rows_before(table, low) ||
	       code_table_row(table, code_table_rows_before(table, high), &row);
}

/* Of the only function that it can be: the table is kept if it speaks of other places, too. */
static struct err *spans_of_one(struct code_tables *t, uint64_t function, uint64_t low,
				uint64_t high, struct code_spans *spans)
{
	struct code_table *table;
	uint64_t i;
	if (map_get(&t->index, function, &i))
		return add_spans(t->kept[i].table, low, high, spans);
	struct err *e = make_table(t, function, &table);
	if (e)
		return e;
	e = add_spans(table, low, high, spans);
	if (e || !leads_out(table, low, high) || !keep(t, function, table))
		code_table_free(table);
	return e;
}

/* Of several: where they do not agree, nothing is known of all of it. */
static struct err *spans_of_several(struct code_tables *t, const uint64_t *functions, size_t count,
				    uint64_t low, uint64_t high, struct code_spans *spans)
{
	const size_t before = spans->count;
	struct err *e = NULL;
	bool agree = true;
	for (size_t i = 0; !e && agree && i < count; i++) {
		const struct code_table *table = table_of(t, functions[i]);
		if (!table)
			return err_nomem();
		if (spans->count == before)
			e = add_spans(table, low, high, spans);
		else
			agree = !contradicts(table, low, high, spans, before);
	}
	if (!agree)
		spans->count = before;
	return e;
}

/* Code that no symbol covers. */
static struct err *spans_without_name(struct code_tables *t, uint64_t low, uint64_t high,
				      struct code_spans *spans)
{
	t->low = low;
	t->high = high;
	struct err *e = spans_of_one(t, low, low, high, spans);
	t->low = t->high = 0;
	return e;
}

struct err *code_tables_spans(struct code_tables *t, uint64_t low, uint64_t high,
			      struct code_spans *spans)
{
	uint64_t functions[PARENTS_MAX];
	struct code_symbol code;
	struct symbol symbol;
	struct err *e = NULL;
	spans->count = 0;
	if (low >= high || !code_map_is_code(t->code, low))
		return NULL;
	if (!code_map_symbol(t->code, low, &symbol))
		return spans_without_name(t, low, high, spans);
	for (uint64_t at = low, end; !e && at < high; at = end) {
		size_t count = find_functions(t, at, functions, &code);
		end = count && code.end > at && code.end < high ? code.end : high;
		if (count == 1)
			e = spans_of_one(t, functions[0], at, end, spans);
		else if (count)
			e = spans_of_several(t, functions, count, at, end, spans);
	}
	return e;
}
