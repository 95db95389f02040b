// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/module_symbols.h"

#include <ctype.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"

enum {
	SYMBOLS_MAX = 1 << 17,	   /* the largest module of 6.12, amdgpu, has some 30,000 */
	SYMBOLS_ALL_MAX = 1 << 19, /* of all modules: a big machine's have some 150,000 */
	NAMES_MAX = 32 << 20,	   /* bytes of names, where they lie */
	/* Bytes of all modules' names, one after the other: they may lie over each other. */
	NAMES_ALL_MAX = 16 << 20,
	NAME_MAX_LENGTH = 512 /* KSYM_NAME_LEN since 6.1 */
};

struct module_symbols {
	const struct kernel *k; /* borrowed, like the next */
	const struct modules *modules;
	struct tables *tables;		 /* owned; by index of modules */
	size_t symbol_total, name_total; /* that are kept of all, names in bytes */
};

/* What is known of one module. Per-CPU variables are not where their addresses say. */
struct tables {
	bool tried;
	struct symbols *places, *percpu; /* owned; NULL until asked for, or if there are none */
};

/* What is read of one module for it. */
struct raw {
	unsigned char *symbols; /* Elf64_Sym[] */
	unsigned char *types;	/* NULL: in st_info */
	char *names;
	size_t names_len;
};

struct err *module_symbols_new(const struct kernel *k, const struct modules *modules,
			       struct module_symbols **ret)
{
	struct module_symbols *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem();
	s->k = k;
	s->modules = modules;
	s->tables = calloc(modules->count + 1, sizeof(*s->tables));
	if (!s->tables) {
		module_symbols_free(s);
		return err_nomem();
	}
	*ret = s;
	return NULL;
}

void module_symbols_free(struct module_symbols *s)
{
	if (!s)
		return;
	for (size_t i = 0; s->tables && i < s->modules->count; i++) {
		symbols_free(s->tables[i].places);
		symbols_free(s->tables[i].percpu);
	}
	free(s->tables);
	free(s);
}

/* ---- reading ---- */

static Elf64_Sym symbol_at(const struct raw *t, size_t i)
{
	Elf64_Sym sym;
	memcpy(&sym, t->symbols + i * sizeof(sym), sizeof(sym));
	return sym;
}

static struct err *read_bytes(const struct kernel *k, uint64_t at, size_t len, unsigned char **ret)
{
	unsigned char *bytes = malloc(len);
	struct err *e = bytes ? kernel_read(k, at, bytes, len) : err_nomem();
	if (e)
		free(bytes);
	else
		*ret = bytes;
	return e;
}

/* Nothing says how long the names are: they are taken up to the last that a symbol has, and as far
 * behind that as there is memory. */
static struct err *read_names(const struct kernel *k, const struct module *m, struct raw *t)
{
	size_t last = 0;
	for (size_t i = 0; i < m->symbol_count; i++) {
		size_t name = symbol_at(t, i).st_name;
		if (name > last && name < NAMES_MAX)
			last = name;
	}
	size_t got = 0;
	t->names = malloc(last + NAME_MAX_LENGTH);
	if (!t->names)
		return err_nomem();
	struct err *e = memory_read(kernel_memory(k), kernel_space(k), m->strtab, t->names,
				    last + NAME_MAX_LENGTH, &got);
	t->names_len = got;
	return e;
}

static struct err *read_tables(const struct kernel *k, const struct module *m, struct raw *t)
{
	if (!m->symtab || !m->symbol_count)
		return err_new(ERR_NOTFOUND, "it has none");
	if (m->symbol_count > SYMBOLS_MAX)
		return err_new(ERR_CORRUPT, "they are too many");
	struct err *e = read_bytes(k, m->symtab, m->symbol_count * sizeof(Elf64_Sym), &t->symbols);
	if (!e && m->types)
		e = read_bytes(k, m->types, m->symbol_count, &t->types);
	return e ? e : read_names(k, m, t);
}

static bool lies_in(const struct module *m, uint64_t address)
{
	for (unsigned i = 0; i < m->region_count; i++)
		if (address >= m->regions[i].low && address < m->regions[i].high)
			return true;
	return false;
}

/*
 * nm's letter of a symbol: since 5.2 in a table beside it. Before, the loader wrote it over a
 * member of the symbol itself: over st_info until 4.20, and in 5.0 and 5.1 over st_size, which
 * takes the size away. No letter is what st_info has otherwise: a binding up to STB_WEAK, and a
 * type.
 */
static char take_letter(const struct raw *t, size_t i, Elf64_Sym *sym)
{
	unsigned char letter = t->types ? t->types[i] : sym->st_info;
	if (!t->types && ELF64_ST_BIND(sym->st_info) <= STB_WEAK) {
		letter = sym->st_size <= UINT8_MAX ? (unsigned char)sym->st_size : 0;
		sym->st_size = 0;
	}
	return isalpha(letter) ? (char)letter : '?';
}

/* Adds symbol @i of @t to those of @to that it belongs to; one that is damaged is left out. */
static struct err *add_symbol(struct module_symbols *s, const struct module *m, const struct raw *t,
			      size_t i, struct tables *to)
{
	Elf64_Sym sym = symbol_at(t, i);
	/* The value has module.percpu in it already (simplify_symbols() in kernel/module). */
	bool is_percpu = sym.st_value >= m->percpu && sym.st_value < m->percpu_end;
	if (sym.st_name >= t->names_len || (!is_percpu && !lies_in(m, sym.st_value)))
		return NULL;
	const char *name = t->names + sym.st_name;
	size_t len = strnlen(name, t->names_len - sym.st_name);
	char letter = take_letter(t, i, &sym);
	struct symbol symbol = {
		.name = name,
		.address = sym.st_value,
		.size = sym.st_size,
		.type = letter,
	};
	if (!len || len == t->names_len - sym.st_name)
		return NULL;
	if (s->symbol_total >= SYMBOLS_ALL_MAX || len >= NAMES_ALL_MAX - s->name_total)
		return err_new(ERR_CORRUPT,
			       "all modules together have more names than any machine");
	s->symbol_total++;
	s->name_total += len + 1;
	return symbols_add(is_percpu ? to->percpu : to->places, &symbol, len, sym.st_size != 0);
}

static struct err *add_symbols(struct module_symbols *s, const struct module *m,
			       const struct raw *t, struct tables *to)
{
	struct err *e = symbols_new("module", m->symbol_count, &to->places);
	if (!e)
		e = symbols_new("module", 16, &to->percpu);
	for (size_t i = 1; !e && i < m->symbol_count; i++)
		e = add_symbol(s, m, t, i, to);
	if (!e)
		e = symbols_finish(to->places);
	return e ? e : symbols_finish(to->percpu);
}

static struct err *read_symbols(struct module_symbols *s, const struct module *m,
				struct tables *ret)
{
	struct raw raw = { 0 };
	struct tables t = { .tried = true };
	size_t symbols = s->symbol_total, names = s->name_total;
	struct err *e = read_tables(s->k, m, &raw);
	if (!e)
		e = add_symbols(s, m, &raw, &t);
	free(raw.symbols);
	free(raw.types);
	free(raw.names);
	if (e) {
		s->symbol_total = symbols;
		s->name_total = names;
		symbols_free(t.places);
		symbols_free(t.percpu);
		return e;
	}
	*ret = t;
	return NULL;
}

/* What is known of @module, which is read when it is first asked for. */
static const struct tables *tables_of(struct module_symbols *s, const struct module *module)
{
	struct tables *t = &s->tables[module - s->modules->list];
	if (!t->tried) {
		t->tried = true;
		struct err *e = read_symbols(s, module, t);
		if (e)
			log_debug(LOG_SYMBOLS, "symbols of module %s: %s", module->name,
				  err_msg(e));
		err_free(e);
	}
	return t;
}

const struct symbols *module_symbols_all(struct module_symbols *s, const struct module *module)
{
	return tables_of(s, module)->places;
}

const struct symbols *module_symbols_all_percpu(struct module_symbols *s,
						const struct module *module)
{
	return tables_of(s, module)->percpu;
}

bool module_symbols_at(struct module_symbols *s, const struct module *module, uint64_t address,
		       struct symbol *ret)
{
	return symbols_at(tables_of(s, module)->places, address, ret);
}

bool module_symbols_address(struct module_symbols *s, const struct module *module, const char *name,
			    uint64_t *ret)
{
	return symbols_address(tables_of(s, module)->places, name, ret);
}

bool module_symbols_percpu(struct module_symbols *s, const struct module *module, const char *name,
			   uint64_t *ret)
{
	return symbols_address(tables_of(s, module)->percpu, name, ret);
}
