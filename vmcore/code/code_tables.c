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

/* Borrowed until the next call; NULL if memory is out. */
static const struct code_table *table_of(struct code_tables *t, uint64_t function)
{
	const struct code_source source = { t, read_code, find_symbol, NULL };
	struct code_table *table;
	uint64_t i;
	if (map_get(&t->index, function, &i))
		return t->kept[i].table;
	struct err *e = code_table_new(&source, function, &table);
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
