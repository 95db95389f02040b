// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/types/dwarf_types.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/name_map.h"
#include "vmcore/names/elf_guard.h"
#include "vmcore/names/types/dwarf_attr.h"
#include "vmcore/names/types/dwarf_file.h"

/* Newer than elfutils 0.188; DWARF's list of language codes. */
enum { LANG_C17 = 0x2c, LANG_C23 = 0x3e };

struct definition {
	Dwarf_Off die;
	enum type_rank rank;
};

/*
 * Units are indexed one after the other, each when no earlier one had what was asked for; so the
 * walk over all of them happens at most once, whatever is asked.
 */
struct dwarf_source {
	struct dwarf_file *file; /* owned; NULL if dwarf is somebody else's */
	Dwarf *dwarf;		 /* the file's, or borrowed */
	Dwarf_CU *last_unit;	 /* indexed last; NULL before the first */
	bool complete;		 /* all units are indexed */
	struct definition *definitions;
	size_t count, capacity;
	struct name_map names; /* of the index in definitions */
};

static void source_free(void *self)
{
	struct dwarf_source *s = self;
	if (!s)
		return;
	name_map_free(&s->names);
	free(s->definitions);
	dwarf_file_close(s->file);
	free(s);
}

struct err *dwarf_source_new(int fd, const char *path, struct dwarf_source **ret)
{
	struct dwarf_source *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem();
	struct err *e = dwarf_file_open(fd, path, &s->file);
	if (e) {
		free(s);
		return e;
	}
	s->dwarf = dwarf_file_dwarf(s->file);
	*ret = s;
	return NULL;
}

struct err *dwarf_source_of(Dwarf *dwarf, struct dwarf_source **ret)
{
	struct dwarf_source *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem();
	s->dwarf = dwarf;
	*ret = s;
	return NULL;
}

/* Whether @unit holds types of C. Those that dwz(1) factored out of others say no language. */
static bool is_c_unit(Dwarf_Die *unit)
{
	switch (dwarf_srclang(unit)) {
	case DW_LANG_C89:
	case DW_LANG_C:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case LANG_C17:
	case LANG_C23:
		return true;
	case -1:
		return dwarf_tag(unit) == DW_TAG_partial_unit;
	default:
		return false;
	}
}

/* How well a DIE answers for its name; false for those that never do. */
static bool rank_of(Dwarf_Die *die, enum type_rank *ret)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		*ret = RANK_STRUCT;
		return true;
	case DW_TAG_enumeration_type:
		*ret = RANK_ENUM;
		return true;
	case DW_TAG_typedef:
		*ret = RANK_TYPEDEF;
		return true;
	case DW_TAG_base_type:
		*ret = RANK_NUMBER;
		return true;
	default:
		return false;
	}
}

static struct err *add_definition(struct dwarf_source *s, const char *name, struct definition d)
{
	bool added;
	uint32_t *index = name_map_at(&s->names, name, &added);
	if (!index)
		return err_nomem();
	if (!added) {
		s->definitions[*index] = d;
		return NULL;
	}
	if (s->count == s->capacity) {
		size_t capacity = s->capacity ? 2 * s->capacity : 1024;
		struct definition *grown = reallocarray(s->definitions, capacity, sizeof(*grown));
		if (!grown)
			return err_nomem();
		s->definitions = grown;
		s->capacity = capacity;
	}
	*index = (uint32_t)s->count;
	s->definitions[s->count++] = d;
	return NULL;
}

/* Offers @die for its name, if it is a definition that has one; the first of the best rank stays.
 */
static struct err *index_die(struct dwarf_source *s, Dwarf_Die *die)
{
	struct definition d;
	if (!rank_of(die, &d.rank))
		return NULL;
	const char *name = dwarf_diename(die);
	uint32_t known;
	if (!name ||
	    (name_map_get(&s->names, name, &known) && s->definitions[known].rank >= d.rank))
		return NULL;
	if (dwarf_hasattr(die, DW_AT_declaration))
		return NULL;
	d.die = dwarf_dieoffset(die);
	return add_definition(s, name, d);
}

static struct err *dwarf_error(void)
{
	return err_new(ERR_FORMAT, "DWARF: %s", dwarf_errmsg(-1));
}

struct err *dwarf_next_c_unit(Dwarf *dwarf, Dwarf_CU **unit, Dwarf_Die *ret_die)
{
	for (;;) {
		Dwarf_Half version;
		uint8_t type;
		int rc = dwarf_get_units(dwarf, *unit, unit, &version, &type, ret_die, NULL);
		if (rc < 0)
			return dwarf_error();
		if (rc > 0) {
			*unit = NULL;
			return NULL;
		}
		/* Those in .debug_types have offsets of their own, which would be confused. */
		if (type == DW_UT_type && version < 5)
			continue;
		if (is_c_unit(ret_die))
			return NULL;
	}
}

struct err *dwarf_visit_children(Dwarf_Die *parent, const struct dwarf_visitor *v, bool *stop)
{
	Dwarf_Die die;
	int rc = dwarf_child(parent, &die);
	while (rc == 0 && !*stop) {
		struct err *e = v->visit(v->closure, &die, stop);
		if (e)
			return e;
		rc = dwarf_siblingof(&die, &die);
	}
	return rc < 0 ? dwarf_error() : NULL;
}

static struct err *visit_index(void *closure, Dwarf_Die *die, bool *stop)
{
	(void)stop;
	return index_die(closure, die);
}

static struct err *index_next_unit(struct dwarf_source *s)
{
	Dwarf_Die die;
	struct err *e = dwarf_next_c_unit(s->dwarf, &s->last_unit, &die);
	if (e || !s->last_unit) {
		/* After damage nothing more can be found either. */
		s->complete = true;
		return e;
	}
	struct dwarf_visitor v = { visit_index, s };
	bool stop = false;
	return dwarf_visit_children(&die, &v, &stop);
}

static struct err *find_unchecked(void *self, const char *name, enum type_rank least,
				  uint64_t *ret_id)
{
	struct dwarf_source *s = self;
	for (;;) {
		uint32_t i;
		if (name_map_get(&s->names, name, &i) && s->definitions[i].rank >= least) {
			*ret_id = s->definitions[i].die;
			return NULL;
		}
		if (s->complete) {
			*ret_id = 0;
			return NULL;
		}
		struct err *e = index_next_unit(s);
		if (e)
			return e;
	}
}

static struct err *visit_dimension(void *closure, Dwarf_Die *die, bool *stop)
{
	(void)stop;
	uint64_t *count = closure;
	if (dwarf_tag(die) == DW_TAG_subrange_type &&
	    __builtin_mul_overflow(*count, dwarf_dimension(die), count))
		return err_new(ERR_FORMAT, "an array has too many dimensions");
	return NULL;
}

static bool is_signed(Dwarf_Die *die)
{
	uint64_t encoding;
	if (!dwarf_number(die, DW_AT_encoding, &encoding))
		return false;
	return encoding == DW_ATE_signed || encoding == DW_ATE_signed_char ||
	       encoding == DW_ATE_float;
}

static enum type_kind kind_of(Dwarf_Die *die)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_base_type:
		return TYPE_NUMBER;
	case DW_TAG_pointer_type:
		return TYPE_POINTER;
	case DW_TAG_array_type:
		return TYPE_ARRAY;
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		return dwarf_hasattr(die, DW_AT_declaration) ? TYPE_DECLARATION : TYPE_STRUCT;
	case DW_TAG_enumeration_type:
		return dwarf_hasattr(die, DW_AT_declaration) ? TYPE_DECLARATION : TYPE_ENUM;
	case DW_TAG_typedef:
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type:
		return TYPE_ALIAS;
	case DW_TAG_unspecified_type:
		return TYPE_VOID;
	default:
		return TYPE_OTHER;
	}
}

static struct err *describe_unchecked(void *self, uint64_t id, struct type_desc *ret)
{
	struct dwarf_source *s = self;
	struct type_desc d = { .kind = TYPE_VOID };
	Dwarf_Die die;
	if (!id) {
		*ret = d;
		return NULL;
	}
	if (!dwarf_offdie(s->dwarf, id, &die))
		return dwarf_error();
	d.kind = kind_of(&die);
	d.name = dwarf_diename(&die);
	d.target = dwarf_type_of(&die);
	if (!dwarf_number(&die, DW_AT_byte_size, &d.size))
		d.size = d.kind == TYPE_POINTER ? 8 : 0;
	if (d.kind == TYPE_NUMBER)
		d.is_signed = is_signed(&die);
	if (d.kind == TYPE_ARRAY) {
		d.count = 1;
		struct dwarf_visitor v = { visit_dimension, &d.count };
		bool stop = false;
		struct err *e = dwarf_visit_children(&die, &v, &stop);
		if (e)
			return e;
	}
	*ret = d;
	return NULL;
}

struct field_list {
	struct dwarf_source *source;
	struct type_field *fields;
	size_t count, capacity;
};

static struct err *visit_field(void *closure, Dwarf_Die *die, bool *stop)
{
	(void)stop;
	struct field_list *l = closure;
	if (dwarf_tag(die) != DW_TAG_member)
		return NULL;
	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? 2 * l->capacity : 32;
		struct type_field *grown = reallocarray(l->fields, capacity, sizeof(*grown));
		if (!grown)
			return err_nomem();
		l->fields = grown;
		l->capacity = capacity;
	}
	struct type_field f = { .name = dwarf_diename(die), .type = dwarf_type_of(die) };
	struct err *e = dwarf_place_member(l->source->dwarf, die, &f);
	if (!e)
		l->fields[l->count++] = f;
	return e;
}

static struct err *fields_unchecked(void *self, uint64_t id, struct type_field **ret,
				    size_t *ret_count)
{
	struct field_list l = { .source = self };
	struct dwarf_visitor v = { visit_field, &l };
	bool stop = false;
	Dwarf_Die die;
	if (!dwarf_offdie(l.source->dwarf, id, &die))
		return dwarf_error();
	struct err *e = dwarf_visit_children(&die, &v, &stop);
	if (e) {
		free(l.fields);
		return e;
	}
	*ret = l.fields;
	*ret_count = l.count;
	return NULL;
}

struct constant {
	const char *name;
	bool found;
	int64_t value;
};

static struct err *visit_constant(void *closure, Dwarf_Die *die, bool *stop)
{
	struct constant *c = closure;
	const char *name = dwarf_diename(die);
	if (dwarf_tag(die) != DW_TAG_enumerator || !name || strcmp(name, c->name) != 0)
		return NULL;
	c->found = dwarf_constant(die, &c->value);
	*stop = c->found;
	return NULL;
}

static struct err *visit_enum(void *closure, Dwarf_Die *die, bool *stop)
{
	struct dwarf_visitor v = { visit_constant, closure };
	return dwarf_tag(die) == DW_TAG_enumeration_type ? dwarf_visit_children(die, &v, stop)
							 : NULL;
}

static struct err *enumerator_unchecked(void *self, uint64_t id, const char *constant,
					bool *ret_found, int64_t *ret)
{
	struct dwarf_source *s = self;
	struct constant c = { .name = constant };
	bool stop = false;
	Dwarf_Die die;
	struct err *e = NULL;
	if (id) {
		if (!dwarf_offdie(s->dwarf, id, &die))
			return dwarf_error();
		e = visit_enum(&c, &die, &stop);
	} else {
		struct dwarf_visitor v = { visit_enum, &c };
		for (Dwarf_CU *unit = NULL; !e && !stop;) {
			e = dwarf_next_c_unit(s->dwarf, &unit, &die);
			if (e || !unit)
				break;
			e = dwarf_visit_children(&die, &v, &stop);
		}
	}
	*ret_found = c.found;
	if (c.found)
		*ret = c.value;
	return e;
}

/* ---- files that change ---- */

/* Takes @e, what was found out; ERR_IO if the file has not stayed what it was. */
static struct err *check(const struct dwarf_source *s, struct err *e)
{
	struct err *bad = elf_guard_check(dwarf_getelf(s->dwarf));
	if (!bad)
		return e;
	err_free(e);
	return bad;
}

static struct err *find(void *self, const char *name, enum type_rank least, uint64_t *ret_id)
{
	return check(self, find_unchecked(self, name, least, ret_id));
}

static struct err *describe(void *self, uint64_t id, struct type_desc *ret)
{
	return check(self, describe_unchecked(self, id, ret));
}

static struct err *fields(void *self, uint64_t id, struct type_field **ret, size_t *ret_count)
{
	struct type_field *list = NULL;
	size_t count = 0;
	struct err *e = check(self, fields_unchecked(self, id, &list, &count));
	if (e) {
		free(list);
		return e;
	}
	*ret = list;
	*ret_count = count;
	return NULL;
}

static struct err *enumerator(void *self, uint64_t id, const char *constant, bool *ret_found,
			      int64_t *ret)
{
	return check(self, enumerator_unchecked(self, id, constant, ret_found, ret));
}

const struct type_source_ops dwarf_source_ops = {
	.kind = "DWARF",
	.free = source_free,
	.find = find,
	.describe = describe,
	.fields = fields,
	.enumerator = enumerator,
};
