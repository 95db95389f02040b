// SPDX-License-Identifier: GPL-2.0-or-later
/* Variables: those that BTF has, and the well-known ones. */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/leb.h"
#include "base/name_map.h"
#include "vmcore/image/dwarf/dwarf_globals.h"
#include "vmcore/image/dwarf/dwarf_writer.h"

static bool is_place(const struct dwarf_writer *w, uint32_t object, const char *name,
		     struct dwarf_place *ret)
{
	return w->places->variable(w->places->self, object, name, ret);
}

/* A variable's name, and the offset of that in .debug_str. */
struct variable_name {
	const char *text;
	uint32_t offset;
};

/* The head of a variable's DIE, up to its type. A declaration of a static one, of which nobody
 * knows the place, gives nothing to look up. */
static void begin_variable(struct dwarf_writer *w, struct variable_name name, unsigned flags,
			   bool placed)
{
	if (placed || flags & DIE_GLOBAL)
		gdb_index_add(w->index, name.text, GDB_INDEX_VARIABLE, !(flags & DIE_GLOBAL));
	dwarf_die(w, DIE_VARIABLE, flags | (placed ? DIE_PLACED : 0) | DIE_NAMED);
	leb_add_u32(&w->out->info, name.offset);
	w->out->variables += placed;
}

static void add_location(struct dwarf_writer *w, uint64_t address)
{
	leb_add_unsigned(&w->out->info, 1 + sizeof(address));
	leb_add_u8(&w->out->info, DW_OP_addr);
	leb_add_u64(&w->out->info, address);
}

/* A name that several variables of BTF share belongs to none of them in particular. */
static struct err *count_names(struct dwarf_writer *w, uint32_t object, struct name_map *counts)
{
	for (uint32_t i = w->set->first[object]; i < w->set->first[object + 1]; i++) {
		struct btf_type t = btf_set_type(w->set, i);
		uint32_t name = t.r.kind == BTF_KIND_VAR ? dwarf_name(w, &t) : 0;
		bool added;
		uint32_t *count =
			name ? name_map_at(counts, btf_set_string(w->set, name), &added) : NULL;
		if (count)
			++*count;
		else if (name)
			return err_nomem();
	}
	return NULL;
}

static void write_btf_variable(struct dwarf_writer *w, uint32_t index, const struct btf_type *t,
			       struct variable_name name, bool unique)
{
	uint32_t type = btf_set_reference(w->set, t, 0);
	struct dwarf_place place;
	bool placed = unique && is_place(w, t->object, name.text, &place);
	bool global = placed ? place.global : get_u32(t->r.more) != BTF_LINKAGE_STATIC;
	unsigned typed = dwarf_typed(w, index, type);
	begin_variable(w, name, typed | (global ? DIE_GLOBAL : 0), placed);
	if (typed)
		dwarf_ref(w, type);
	if (placed)
		add_location(w, place.address);
}

static void write_btf_variables(struct dwarf_writer *w, uint32_t object,
				const struct name_map *counts)
{
	for (uint32_t i = w->set->first[object]; i < w->set->first[object + 1]; i++) {
		struct btf_type t = btf_set_type(w->set, i);
		uint32_t offset = t.r.kind == BTF_KIND_VAR ? dwarf_name(w, &t) : 0;
		uint32_t count = 0;
		if (!offset)
			continue;
		struct variable_name name = { btf_set_string(w->set, offset), offset };
		name_map_get(counts, name.text, &count);
		write_btf_variable(w, i, &t, name, count == 1);
	}
}

/* The only type of @kind that the kernel calls @name; 0: there is none, or several. */
struct named_type {
	int kind;
	const char *name;
	uint32_t index;
	bool several;
};

/* The types of the globals, one row for each that differs. */
struct type_table {
	struct named_type *rows; /* owned; as many as globals at most */
	size_t count;
};

static struct named_type *find_row(const struct type_table *t, int kind, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->rows[i].kind == kind && !strcmp(t->rows[i].name, name))
			return &t->rows[i];
	return NULL;
}

/* Looks all of the table's names up in the kernel's BTF, in one go. */
static struct err *find_types(struct dwarf_writer *w, struct type_table *table)
{
	struct name_map names = NAME_MAP_INIT;
	struct err *e = NULL;
	bool added;
	table->rows = calloc(dwarf_global_count, sizeof(*table->rows));
	if (!table->rows)
		return err_nomem();
	for (size_t i = 0; i < dwarf_global_count && !e; i++) {
		const struct global *g = &dwarf_globals[i];
		if (!name_map_at(&names, g->type, &added))
			e = err_nomem();
		else if (!find_row(table, g->kind, g->type))
			table->rows[table->count++] =
				(struct named_type){ .kind = g->kind, .name = g->type };
	}
	for (uint32_t i = 1; i < w->set->first[1] && !e; i++) {
		struct btf_type t = btf_set_type(w->set, i);
		uint32_t number;
		if (!t.r.name || !name_map_get(&names, t.r.name, &number))
			continue;
		struct named_type *row = find_row(table, t.r.kind, t.r.name);
		if (!row)
			continue;
		row->several = row->index != 0;
		row->index = i;
	}
	name_map_free(&names);
	return e;
}

/* The DIE of a type that is made of @of, of which BTF need not have one. */
static uint32_t write_shape(struct dwarf_writer *w, enum global_shape shape, uint32_t of)
{
	uint32_t pointer = (uint32_t)w->out->info.len;
	if (shape != GLOBAL_ARRAY) {
		dwarf_die(w, DIE_POINTER, DIE_TYPED);
		leb_add_u8(&w->out->info, 8);
		dwarf_ref(w, of);
	}
	if (shape == GLOBAL_POINTER)
		return pointer;
	uint32_t array = (uint32_t)w->out->info.len;
	dwarf_die(w, DIE_ARRAY, DIE_PARENT | DIE_TYPED);
	if (shape == GLOBAL_ARRAY)
		dwarf_ref(w, of);
	else
		leb_add_u32(&w->out->info, pointer);
	dwarf_die(w, DIE_SUBRANGE, 0);
	leb_add_u8(&w->out->info, 0);
	return array;
}

/* Whether the symbol has room for what it is said to be. */
static bool has_room(const struct dwarf_writer *w, const struct global *g, uint32_t type,
		     const struct dwarf_place *place)
{
	uint64_t least =
		g->shape == GLOBAL_PLAIN || g->shape == GLOBAL_ARRAY ? w->sound->sizes[type] : 8;
	return least && place->size >= least;
}

static void write_global(struct dwarf_writer *w, uint32_t object, const struct global *g,
			 const struct named_type *type)
{
	struct dwarf_place place;
	if (type->several || !type->index || !is_place(w, object, g->name, &place) ||
	    !has_room(w, g, type->index, &place))
		return;
	uint32_t die = g->shape == GLOBAL_PLAIN ? 0 : write_shape(w, g->shape, type->index);
	struct variable_name name = { g->name, dwarf_string(w, g->name) };
	begin_variable(w, name, DIE_TYPED | (place.global ? DIE_GLOBAL : 0), true);
	if (die)
		leb_add_u32(&w->out->info, die);
	else
		dwarf_ref(w, type->index);
	add_location(w, place.address);
}

static struct err *write_globals(struct dwarf_writer *w, uint32_t object,
				 const struct name_map *counts)
{
	const char *name = w->set->objects[object].name;
	struct type_table table = { 0 };
	struct err *e = NULL;
	uint32_t count;
	for (size_t i = 0; i < dwarf_global_count && !e; i++) {
		const struct global *g = &dwarf_globals[i];
		if (strcmp(g->object, name) || name_map_get(counts, g->name, &count))
			continue;
		if (!table.rows)
			e = find_types(w, &table);
		if (!e)
			write_global(w, object, g, find_row(&table, g->kind, g->type));
	}
	free(table.rows);
	return e;
}

struct err *dwarf_write_variables(struct dwarf_writer *w, uint32_t object)
{
	struct name_map counts = NAME_MAP_INIT;
	struct err *e = count_names(w, object, &counts);
	if (!e) {
		write_btf_variables(w, object, &counts);
		e = write_globals(w, object, &counts);
	}
	name_map_free(&counts);
	return e;
}
