// SPDX-License-Identifier: GPL-2.0-or-later
/* Functions: DIEs from BTF, addresses from the symbols. */
#include <stdlib.h>

#include "base/err.h"
#include "base/leb.h"
#include "base/name_map.h"
#include "vmcore/image/dwarf/dwarf_writer.h"

struct function {
	uint32_t index, name;
	bool copy;    /* of an earlier one: the same name and prototype */
	bool several; /* functions have its name and differ */
	bool placed;
	struct dwarf_place place;
};

enum { FUNCTIONS_A_UNIT = 512 };

struct function_list {
	struct function *items; /* owned; in the order of BTF */
	struct function **code; /* owned; those with a place, by address */
	size_t count, placed;
};

/* Some functions, borrowed: with a place all of them, by address, or none. */
struct part {
	struct function *const *functions;
	size_t count;
	bool placed;
};

static uint64_t prototype_of(const struct dwarf_writer *w, uint32_t index)
{
	struct btf_type t = btf_set_type(w->set, index);
	return w->sound->spelling[btf_set_reference(w->set, &t, 0)];
}

/* Tells those that share a name apart: @names leads to the first of each. */
static struct err *note_name(struct dwarf_writer *w, struct function_list *l,
			     struct name_map *names, struct function *f)
{
	bool added;
	uint32_t *number = name_map_at(names, btf_set_string(w->set, f->name), &added);
	if (!number)
		return err_nomem();
	if (added) {
		*number = (uint32_t)(f - l->items);
		return NULL;
	}
	struct function *first = &l->items[*number];
	if (prototype_of(w, first->index) == prototype_of(w, f->index))
		f->copy = true;
	else
		first->several = f->several = true;
	return NULL;
}

static struct err *list_functions(struct dwarf_writer *w, uint32_t object, struct function_list *l)
{
	uint32_t first = w->set->first[object], end = w->set->first[object + 1];
	size_t room = 1;
	for (uint32_t i = first; i < end; i++)
		room += btf_set_type(w->set, i).r.kind == BTF_KIND_FUNC;
	l->items = calloc(room, sizeof(*l->items));
	l->code = calloc(room, sizeof(struct function *));
	struct name_map names = NAME_MAP_INIT;
	struct err *e = l->items && l->code && name_map_reserve(&names, room) ? NULL : err_nomem();
	for (uint32_t i = first; i < end && !e; i++) {
		struct btf_type t = btf_set_type(w->set, i);
		uint32_t name = t.r.kind == BTF_KIND_FUNC ? dwarf_name(w, &t) : 0;
		if (!name)
			continue;
		struct function *f = &l->items[l->count++];
		*f = (struct function){ .index = i, .name = name };
		e = note_name(w, l, &names, f);
	}
	name_map_free(&names);
	return e;
}

static int by_address(const void *a, const void *b)
{
	const struct function *x = *(struct function *const *)a;
	const struct function *y = *(struct function *const *)b;
	if (x->place.address != y->place.address)
		return x->place.address < y->place.address ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* A place that a DIE can hold: high_pc is written as a size of 32 bits. */
static bool is_range(const struct dwarf_place *p)
{
	return p->address && p->size && p->size <= UINT32_MAX && p->address <= UINT64_MAX - p->size;
}

/* Asks for the places of all. No two pieces of code lie on top of each other: of those that would,
 * the first one stays. */
static void place_functions(struct dwarf_writer *w, uint32_t object, struct function_list *l)
{
	const struct dwarf_places *p = w->places;
	for (size_t i = 0; i < l->count; i++) {
		struct function *f = &l->items[i];
		if (f->several || f->copy ||
		    !p->function(p->self, object, btf_set_string(w->set, f->name), &f->place) ||
		    !is_range(&f->place))
			continue;
		l->code[l->placed++] = f;
	}
	qsort(l->code, l->placed, sizeof(struct function *), by_address);
	size_t kept = 0;
	uint64_t end = 0;
	for (size_t i = 0; i < l->placed; i++) {
		struct function *f = l->code[i];
		if (f->place.address < end)
			continue;
		f->placed = true;
		end = f->place.address + f->place.size;
		l->code[kept++] = f;
	}
	l->placed = kept;
}

static void write_function(struct dwarf_writer *w, const struct function *f)
{
	struct btf_type t = btf_set_type(w->set, f->index);
	uint32_t index = btf_set_reference(w->set, &t, 0);
	struct btf_type proto = btf_set_type(w->set, index);
	bool known = proto.r.kind == BTF_KIND_FUNC_PROTO && !w->sound->cut[index];
	uint32_t result = known ? btf_set_reference(w->set, &proto, 0) : 0;
	unsigned typed = dwarf_typed(w, index, result);
	unsigned parent = known && proto.r.vlen ? DIE_PARENT : 0;
	bool global = f->placed ? f->place.global : t.r.vlen != BTF_LINKAGE_STATIC;
	dwarf_die(w, DIE_FUNCTION,
		  typed | parent | (f->placed ? DIE_PLACED : 0) | (global ? DIE_GLOBAL : 0) |
			  DIE_NAMED);
	leb_add_u32(&w->out->info, f->name);
	if (typed)
		dwarf_ref(w, result);
	if (f->placed) {
		gdb_index_add(w->index, btf_set_string(w->set, f->name), GDB_INDEX_FUNCTION,
			      !global);
		leb_add_u64(&w->out->info, f->place.address);
		leb_add_u32(&w->out->info, (uint32_t)f->place.size);
	}
	if (parent)
		dwarf_write_parameters(w, index, &proto);
	w->out->functions += f->placed;
}

/* Adds one range: to .debug_ranges as begin and end, to .debug_aranges as begin and length, and to
 * the index. */
static void add_range(struct dwarf_writer *w, uint64_t start, uint64_t end)
{
	leb_add_u64(&w->out->ranges, start);
	leb_add_u64(&w->out->ranges, end);
	leb_add_u64(&w->out->aranges, start);
	leb_add_u64(&w->out->aranges, end - start);
	gdb_index_add_range(w->index, start, end);
}

static void write_ranges(struct dwarf_writer *w, const struct part *part, uint32_t unit)
{
	struct buf *a = &w->out->aranges;
	size_t head = a->len;
	leb_add_u32(a, 0); /* unit_length, known at the end */
	leb_add_u16(a, 2);
	leb_add_u32(a, unit);
	leb_add_u8(a, 8);
	leb_add_u8(a, 0);
	leb_add_u32(a, 0); /* up to a multiple of 16 */
	for (size_t i = 0, next; i < part->count; i = next) {
		const struct dwarf_place *first = &part->functions[i]->place;
		uint64_t end = first->address + first->size;
		for (next = i + 1; next < part->count; next++) {
			const struct dwarf_place *place = &part->functions[next]->place;
			if (place->address != end)
				break;
			end += place->size;
		}
		add_range(w, first->address, end);
	}
	leb_add_u64(a, 0);
	leb_add_u64(a, 0);
	leb_add_u64(&w->out->ranges, 0);
	leb_add_u64(&w->out->ranges, 0);
	if (!a->failed)
		put_u32(a->data + head, (uint32_t)(a->len - head - 4));
}

static void write_unit(struct dwarf_writer *w, uint32_t object, const struct part *part)
{
	uint32_t unit = dwarf_begin_unit(w, object, part->placed);
	for (size_t i = 0; i < part->count; i++)
		write_function(w, part->functions[i]);
	if (part->placed)
		write_ranges(w, part, unit);
	dwarf_end_unit(w, unit);
}

static void write_units(struct dwarf_writer *w, uint32_t object, const struct part *all)
{
	struct part part = *all;
	for (size_t done = 0; done < all->count; done += part.count) {
		part.functions = all->functions + done;
		part.count = all->count - done;
		if (part.count > FUNCTIONS_A_UNIT)
			part.count = FUNCTIONS_A_UNIT;
		write_unit(w, object, &part);
	}
}

struct err *dwarf_write_functions(struct dwarf_writer *w, uint32_t object)
{
	struct function_list l = { 0 };
	struct err *e = list_functions(w, object, &l);
	if (!e) {
		place_functions(w, object, &l);
		write_units(w, object, &(struct part){ l.code, l.placed, true });
		size_t others = 0;
		for (size_t i = 0; i < l.count; i++)
			if (!l.items[i].copy && !l.items[i].placed)
				l.code[others++] = &l.items[i];
		write_units(w, object, &(struct part){ l.code, others, false });
	}
	free(l.items);
	free(l.code);
	return e;
}
