// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/image/dwarf/gdb_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/leb.h"
#include "base/name_map.h"

enum {
	VERSION = 8,
	HEADER_SIZE = 24, /* the version and five offsets */
	SLOT_SIZE = 8,	  /* where the name is and where its vector, both in the constant pool */
	SLOTS_MIN = 64,
	/* A unit's number, with the kind of a symbol from bit 28 and whether it is static in
	   bit 31. */
	UNITS_MAX = 1 << 24,
	KIND_SHIFT = 28,
	STATIC_SHIFT = 31,
	WAYS = 8, /* a unit can have a name in: two for each kind */
	/* Slots looked at for each name, on average: fewer than 2 if hashes are any good. */
	PROBES_A_NAME = 8,
	NONE = UINT32_MAX,
};

/* One element of a name's vector. */
struct element {
	uint32_t value; /* as in the file */
	uint32_t next;	/* NONE at the end */
};

struct symbol_row {
	const char *name; /* borrowed */
	uint32_t first, last;
	uint32_t unit; /* the last one that added it */
	uint8_t ways;  /* those in which that one did, a bit each */
};

struct gdb_index {
	struct name_map names;
	struct symbol_row *rows; /* owned; by the number of the name */
	size_t row_room;
	struct element *elements; /* owned */
	size_t element_count, element_room;
	struct buf units;  /* pairs of offset and length */
	struct buf ranges; /* start, end and number of the unit */
	uint64_t unit_offset;
	uint32_t unit; /* the number of the one at hand */
	size_t text;   /* bytes of all names with their ends */
	bool failed;   /* memory was out */
	bool refused;  /* there is too much */
};

struct err *gdb_index_new(struct gdb_index **ret)
{
	struct gdb_index *x = calloc(1, sizeof(*x));
	if (!x)
		return err_nomem();
	buf_init(&x->units);
	buf_init(&x->ranges);
	*ret = x;
	return NULL;
}

void gdb_index_free(struct gdb_index *x)
{
	if (!x)
		return;
	name_map_free(&x->names);
	free(x->rows);
	free(x->elements);
	buf_free(&x->units);
	buf_free(&x->ranges);
	free(x);
}

void gdb_index_begin_unit(struct gdb_index *x, uint64_t offset)
{
	x->unit_offset = offset;
}

void gdb_index_end_unit(struct gdb_index *x, uint64_t length)
{
	leb_add_u64(&x->units, x->unit_offset);
	leb_add_u64(&x->units, length);
	if (++x->unit == UNITS_MAX)
		x->refused = true;
}

/* Makes room for one more of @count things of @size bytes; NULL, and failed, without memory. */
static void *grow(struct gdb_index *x, void *things, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return things;
	size_t more = *room ? 2 * *room : 1024;
	void *moved = reallocarray(things, more, size);
	if (moved)
		*room = more;
	else
		x->failed = true;
	return moved;
}

/* The row of @name, a new one if need be; NULL if there can be no more. */
static struct symbol_row *find_row(struct gdb_index *x, const char *name)
{
	bool added;
	uint32_t *number = name_map_at(&x->names, name, &added);
	if (!number) {
		x->failed = true;
		return NULL;
	}
	if (!added)
		return &x->rows[*number];
	size_t count = x->names.used - 1;
	struct symbol_row *rows = grow(x, x->rows, count, &x->row_room, sizeof(*rows));
	if (!rows)
		return NULL;
	x->rows = rows;
	*number = (uint32_t)count;
	rows[count] = (struct symbol_row){ name, NONE, NONE, NONE, 0 };
	x->text += strlen(name) + 1;
	x->refused |= count >= GDB_INDEX_NAMES_MAX || x->text > GDB_INDEX_TEXT_MAX;
	return &rows[count];
}

void gdb_index_add(struct gdb_index *x, const char *name, enum gdb_index_kind kind, bool is_static)
{
	gdb_index_add_in(x, x->unit, name, kind, is_static);
}

uint32_t gdb_index_units(const struct gdb_index *x)
{
	return x->unit;
}

void gdb_index_add_in(struct gdb_index *x, uint32_t unit, const char *name,
		      enum gdb_index_kind kind, bool is_static)
{
	struct symbol_row *row = x->failed || x->refused ? NULL : find_row(x, name);
	if (!row || x->refused)
		return;
	if (row->unit != unit)
		row->ways = 0;
	row->unit = unit;
	uint8_t way = (uint8_t)(1U << ((unsigned)kind * 2 + is_static));
	if (row->ways & way)
		return;
	struct element *e = grow(x, x->elements, x->element_count, &x->element_room, sizeof(*e));
	if (!e)
		return;
	x->elements = e;
	row->ways |= way;
	uint32_t number = (uint32_t)x->element_count++;
	e[number] = (struct element){
		unit | (uint32_t)kind << KIND_SHIFT | (uint32_t)is_static << STATIC_SHIFT, NONE
	};
	if (row->last == NONE)
		row->first = number;
	else
		e[row->last].next = number;
	row->last = number;
	x->refused |= x->element_count >= NONE / 8;
}

void gdb_index_add_base_type(struct gdb_index *x, const char *name)
{
	static const char *const spellings[][2] = {
		{ "short int", "short" },
		{ "short unsigned int", "unsigned short" },
		{ "long int", "long" },
		{ "long unsigned int", "unsigned long" },
		{ "long long int", "long long" },
		{ "long long unsigned int", "unsigned long long" },
	};
	gdb_index_add(x, name, GDB_INDEX_TYPE, true);
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
		if (!strcmp(name, spellings[i][0]))
			gdb_index_add(x, spellings[i][1], GDB_INDEX_TYPE, true);
}

void gdb_index_add_range(struct gdb_index *x, uint64_t start, uint64_t end)
{
	leb_add_u64(&x->ranges, start);
	leb_add_u64(&x->ranges, end);
	leb_add_u32(&x->ranges, x->unit);
}

/* The format's hash since version 5; names that differ in case alone share theirs. */
static uint32_t hash_name(const char *name)
{
	uint32_t r = 0;
	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;
		r = r * 67 + (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) - 113;
	}
	return r;
}

/* At least a quarter of the slots stays free, as in what gdb itself writes. */
static size_t count_slots(size_t names)
{
	size_t slots = SLOTS_MIN;
	while (slots / 4 * 3 < names)
		slots *= 2;
	return slots;
}

/* A free slot for @name in the table of @slots; false when *budget is used up. */
static bool find_free(const char *table, size_t slots, const char *name, size_t *budget,
		      size_t *ret)
{
	uint32_t hash = hash_name(name);
	size_t at = hash & (slots - 1);
	size_t step = ((hash * 17) & (slots - 1)) | 1;
	while (get_u32(table + at * SLOT_SIZE)) {
		if (!--*budget)
			return false;
		at = (at + step) & (slots - 1);
	}
	*ret = at;
	return true;
}

/* What is being written. Offsets count from the start of the constant pool. */
struct output {
	struct buf *pool;  /* the vectors */
	uint32_t *singles; /* owned; by unit and way: the vector of nothing else, plus one; or 0 */
	uint32_t *vectors; /* owned; by name */
	char *table;	   /* owned */
	size_t slots;
};

/* Most names are in one unit in one way: those share a vector. */
static uint32_t add_vector(const struct gdb_index *x, const struct symbol_row *row,
			   struct output *o)
{
	const struct element *first = &x->elements[row->first];
	uint32_t at = (uint32_t)o->pool->len, count = 0;
	if (first->next == NONE) {
		uint32_t way = first->value >> KIND_SHIFT;
		uint32_t *known = &o->singles[(size_t)(first->value & (UNITS_MAX - 1)) * WAYS +
					      (way & 3) * 2 + (way >> 3)];
		if (*known)
			return *known - 1;
		*known = at + 1;
	}
	leb_add_u32(o->pool, 0); /* how many elements */
	for (uint32_t i = row->first; i != NONE; i = x->elements[i].next, count++)
		leb_add_u32(o->pool, x->elements[i].value);
	if (!o->pool->failed)
		put_u32(o->pool->data + at, count);
	return at;
}

/* Vectors first: a name's offset is then never 0, which would mark a free slot. */
static bool fill_table(const struct gdb_index *x, struct output *o)
{
	size_t budget = x->names.used * PROBES_A_NAME + SLOTS_MIN;
	for (size_t i = 0; i < x->names.used; i++)
		o->vectors[i] = add_vector(x, &x->rows[i], o);
	uint32_t text = (uint32_t)o->pool->len;
	for (size_t i = 0; i < x->names.used; i++) {
		size_t at;
		if (!find_free(o->table, o->slots, x->rows[i].name, &budget, &at))
			return false;
		put_u32(o->table + at * SLOT_SIZE, text);
		put_u32(o->table + at * SLOT_SIZE + 4, o->vectors[i]);
		text += (uint32_t)strlen(x->rows[i].name) + 1;
	}
	return true;
}

static void add_all(const struct gdb_index *x, const struct output *o, struct buf *out)
{
	uint32_t types = (uint32_t)(HEADER_SIZE + x->units.len); /* the list of type units: empty */
	uint32_t symbols = (uint32_t)(types + x->ranges.len);
	leb_add_u32(out, VERSION);
	leb_add_u32(out, HEADER_SIZE);
	leb_add_u32(out, types);
	leb_add_u32(out, types);
	leb_add_u32(out, symbols);
	leb_add_u32(out, (uint32_t)(symbols + o->slots * SLOT_SIZE));
	buf_add(out, x->units.data, x->units.len);
	buf_add(out, x->ranges.data, x->ranges.len);
	buf_add(out, o->table, o->slots * SLOT_SIZE);
	buf_add(out, o->pool->data, o->pool->len);
	for (size_t i = 0; i < x->names.used; i++)
		buf_add(out, x->rows[i].name, strlen(x->rows[i].name) + 1);
}

/* All offsets must fit in 32 bits, also with a vector of its own for each element. */
static bool fits(const struct gdb_index *x, size_t slots)
{
	uint64_t size = (uint64_t)HEADER_SIZE + x->units.len + x->ranges.len + slots * SLOT_SIZE +
			x->element_count * 8 + x->text;
	return !x->refused && size < UINT32_MAX;
}

struct err *gdb_index_write(const struct gdb_index *x, struct buf *out)
{
	struct buf pool = BUF_INIT;
	struct output o = { .pool = &pool, .slots = count_slots(x->names.used) };
	if (x->failed || x->units.failed || x->ranges.failed)
		return err_nomem();
	if (!fits(x, o.slots))
		return NULL;
	o.singles = calloc((size_t)x->unit + 1, WAYS * sizeof(*o.singles));
	o.vectors = calloc(x->names.used + 1, sizeof(*o.vectors));
	o.table = calloc(o.slots, SLOT_SIZE);
	struct err *e = o.singles && o.vectors && o.table ? NULL : err_nomem();
	bool filled = !e && fill_table(x, &o);
	if (!e)
		e = buf_error(&pool);
	if (filled && !e) {
		add_all(x, &o, out);
		e = buf_error(out);
	}
	free(o.singles);
	free(o.vectors);
	free(o.table);
	buf_free(&pool);
	return e;
}
