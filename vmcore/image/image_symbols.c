// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/image/image_symbols.h"

#include <ctype.h>
#include <string.h>

#include "arch/address.h"
#include "base/err.h"
#include "base/name_map.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/made_code.h"
#include "vmcore/code/modules.h"
#include "vmcore/code/traced_returns.h"
#include "vmcore/image/elf_writer.h"
#include "vmcore/image/image_layout.h"
#include "vmcore/kernel/kernel.h"

struct job {
	const struct image_layout *layout;
	struct elf_writer *w;
	struct name_map globals; /* the names that are global already */
	/* Where the per-CPU variables of the object at hand are, if they do not move. */
	uint64_t percpu, percpu_end;
	size_t next; /* of those at hand, see next_address() */
	bool placed_only;
};

/* Where the symbols at one address lie, and what they may reach to. */
struct place {
	uint64_t address, end;
	const struct image_part *part; /* NULL: none */
	bool percpu;
};

static bool is_absolute(char letter)
{
	return letter == 'A' || letter == 'a';
}

static bool is_code_letter(char letter)
{
	return letter && strchr("tTwWiI", letter) != NULL;
}

static bool is_percpu(const struct job *j, uint64_t address)
{
	return address >= j->percpu && address < j->percpu_end;
}

/* nm's letters: 'w' and 'v' are weak, capitals global; 'u' is unique, which is global. */
static unsigned char bind_of(char letter)
{
	if (letter && strchr("wWvV", letter))
		return STB_WEAK;
	return isupper((unsigned char)letter) || letter == 'u' ? STB_GLOBAL : STB_LOCAL;
}

static unsigned char type_of(const struct place *p, char letter)
{
	if (p->percpu)
		return STT_OBJECT;
	if (is_absolute(letter) || !p->part)
		return STT_NOTYPE;
	if (is_code_letter(letter))
		return STT_FUNC;
	return p->part->code ? STT_NOTYPE : STT_OBJECT;
}

/* Keeps a name from being global twice; what is weak may be. */
static struct err *settle_bind(struct job *j, struct elf_symbol *s)
{
	bool added;
	if (s->bind != STB_GLOBAL)
		return NULL;
	if (!name_map_at(&j->globals, s->name, &added))
		return err_nomem();
	if (!added)
		s->bind = STB_LOCAL;
	return NULL;
}

static struct err *add(struct job *j, const struct symbol *symbol, const struct place *p,
		       bool is_alias)
{
	bool has_section = p->part && (p->percpu || !is_absolute(symbol->type));
	struct elf_symbol s = {
		.name = symbol->name,
		.value = symbol->address - (has_section && !p->percpu ? j->layout->slide : 0),
		.size = symbol->size,
		.section = has_section ? p->part->section : SHN_ABS,
		.bind = bind_of(symbol->type),
		.type = type_of(p, symbol->type),
	};
	uint64_t room = p->end > p->address ? p->end - p->address : 0;
	if (!s.size || s.size > room)
		s.size = room;
	/* What something else begins at is the linker script's mark for a place. */
	if (is_alias && symbols_is_boundary(symbol->name)) {
		s.type = STT_NOTYPE;
		s.size = 0;
	}
	if (j->placed_only && !has_section)
		return NULL;
	struct err *e = settle_bind(j, &s);
	return e ? e : elf_writer_symbol(j->w, &s);
}

/* Whether the function before ends at @name: padding that belongs to the next one has its own. */
static bool begins_something(const char *name)
{
	return name[0] != '$' && strncmp(name, ".L", 2) != 0;
}

/* Where the next symbol that counts after @i (the last of its address) begins. All are asked for in
 * ascending order, and none is looked at twice: a hostile table may have few that count. */
static uint64_t next_address(struct job *j, const struct symbols *all, size_t i, uint64_t otherwise)
{
	size_t count = symbols_count(all);
	if (j->next <= i)
		j->next = i + 1;
	while (j->next < count && !begins_something(symbols_nth(all, j->next).name))
		j->next++;
	uint64_t address = j->next < count ? symbols_nth(all, j->next).address : otherwise;
	return address < otherwise ? address : otherwise;
}

static struct place place_of(struct job *j, const struct symbols *all, size_t last)
{
	struct place p = { .address = symbols_nth(all, last).address };
	p.end = p.address;
	p.percpu = is_percpu(j, p.address);
	if (p.percpu) {
		p.end = next_address(j, all, last, j->percpu_end);
		p.part = image_layout_find_percpu(j->layout, p.address);
		return p;
	}
	p.part = image_layout_find(j->layout, p.address);
	if (p.part)
		p.end = next_address(j, all, last, p.part->high);
	return p;
}

/* @all are in order of addresses, the best of each address last. */
static struct err *add_all(struct job *j, const struct symbols *all)
{
	struct err *e = NULL;
	size_t count = symbols_count(all);
	j->next = 0;
	for (size_t i = 0, next; !e && i < count; i = next) {
		uint64_t address = symbols_nth(all, i).address;
		for (next = i + 1; next < count && symbols_nth(all, next).address == address;)
			next++;
		struct place p = place_of(j, all, next - 1);
		for (size_t n = i; !e && n < next; n++) {
			struct symbol s = symbols_nth(all, n);
			e = add(j, &s, &p, n + 1 < next);
		}
	}
	return e;
}

static struct err *add_bpf(struct job *j, const struct made_code *bpf)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < bpf->count; i++) {
		const struct made_function *b = &bpf->list[i];
		const struct image_part *part = image_layout_find(j->layout, b->start);
		if (!part || b->end > part->high)
			continue;
		struct elf_symbol s = {
			.name = b->name,
			.value = b->start - j->layout->slide,
			.size = b->end - b->start,
			.section = part->section,
			.bind = STB_LOCAL,
			.type = STT_FUNC,
		};
		e = elf_writer_symbol(j->w, &s);
	}
	return e;
}

/*
 * Debuggers look up the byte before a return address. Before a tracer's trampoline that is in
 * nothing that was called: it gets the trampoline's name, too.
 */
static struct err *add_traced(struct job *j, const struct kernel *k)
{
	struct traced_layout traced;
	struct err *e = NULL;
	traced_layout_find(k, &traced);
	for (size_t i = 0; !e && i < traced.trampoline_count; i++) {
		uint64_t before = traced.trampolines[i] - 1;
		const struct image_part *part = image_layout_find(j->layout, before);
		struct symbol symbol;
		if (!part || !kernel_symbol_at(k, traced.trampolines[i], &symbol))
			continue;
		struct elf_symbol s = {
			.name = symbol.name,
			.value = before - j->layout->slide,
			.size = 1,
			.section = part->section,
			.bind = STB_LOCAL,
			.type = STT_FUNC,
		};
		e = elf_writer_symbol(j->w, &s);
	}
	return e;
}

/* Up to 6.14 per-CPU symbols are offsets from 0 and never moved (PERCPU_VADDR in the linker
 * script); later ones are addresses in the image. */
static void find_percpu(const struct kernel *k, struct job *j)
{
	uint64_t start, end;
	if (kernel_symbol(k, "__per_cpu_start", &start) &&
	    kernel_symbol(k, "__per_cpu_end", &end) && start < end && is_user_address(end)) {
		j->percpu = start;
		j->percpu_end = end;
	}
}

struct err *image_symbols_add(const struct kernel *k, struct code_map *code,
			      const struct made_code *bpf, const struct image_layout *layout,
			      struct elf_writer *w)
{
	struct job j = { .layout = layout, .w = w, .globals = NAME_MAP_INIT };
	const struct modules *modules = code_map_modules(code);
	find_percpu(k, &j);
	struct err *e = add_all(&j, kernel_symbols(k));
	for (size_t i = 0; !e && i < modules->count; i++) {
		const struct symbols *all = code_map_module_symbols(code, &modules->list[i]);
		const struct symbols *percpu = code_map_module_percpu(code, &modules->list[i]);
		j.percpu = j.percpu_end = 0;
		if (all)
			e = add_all(&j, all);
		j.percpu = modules->list[i].percpu;
		j.percpu_end = modules->list[i].percpu_end;
		if (!e && percpu)
			e = add_all(&j, percpu);
	}
	if (!e)
		e = add_traced(&j, k);
	if (!e)
		e = add_bpf(&j, bpf);
	name_map_free(&j.globals);
	return e;
}

struct err *image_symbols_add_modules(struct code_map *code, const bool *wanted,
				      const struct image_layout *layout, struct elf_writer *w)
{
	struct job j = { .layout = layout, .w = w, .globals = NAME_MAP_INIT, .placed_only = true };
	const struct modules *modules = code_map_modules(code);
	struct err *e = NULL;
	for (size_t i = 0; !e && i < modules->count; i++) {
		const struct symbols *all =
			wanted[i] ? code_map_module_symbols(code, &modules->list[i]) : NULL;
		if (all)
			e = add_all(&j, all);
	}
	name_map_free(&j.globals);
	return e;
}

struct err *image_symbols_add_made(const struct made_code *made, const struct image_layout *layout,
				   struct elf_writer *w)
{
	struct job j = { .layout = layout, .w = w, .globals = NAME_MAP_INIT };
	return add_bpf(&j, made);
}
