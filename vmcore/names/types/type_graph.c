// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/types/type_graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "vmcore/names/types/types.h"

enum {
	MAX_ALIASES = 64,     /* typedefs and qualifiers in a row */
	MAX_DEPTH = 32,	      /* anonymous structures in each other */
	MAX_VISITS = 1 << 17, /* members looked at for one step of a path */
};

/* A type behind all its typedefs and qualifiers. */
struct resolved {
	uint64_t id;
	struct type_desc desc;
	const char *name; /* its own, or that of the last typedef before it; NULL if neither */
};

/* Follows typedefs and qualifiers from @id. */
static struct err *resolve_alias(const struct type_graph *g, uint64_t id, struct resolved *ret)
{
	struct resolved r = { 0 };
	for (int i = 0; i < MAX_ALIASES; i++) {
		r.id = id;
		struct err *e = g->ops->describe(g->source, id, &r.desc);
		if (e)
			return e;
		if (r.desc.name)
			r.name = r.desc.name;
		if (r.desc.kind != TYPE_ALIAS) {
			*ret = r;
			return NULL;
		}
		id = r.desc.target;
	}
	return err_new(ERR_FORMAT, "typedefs go round in circles");
}

/* As resolve_alias(); and a declaration ("struct foo;") becomes the structure of that name, if that
 * is defined anywhere. Looking for it may take its time. */
static struct err *resolve(const struct type_graph *g, uint64_t id, struct resolved *ret)
{
	struct resolved r;
	uint64_t defined = 0;
	struct err *e = resolve_alias(g, id, &r);
	if (!e && r.desc.kind == TYPE_DECLARATION && r.desc.name)
		e = g->ops->find(g->source, r.desc.name, RANK_ENUM, &defined);
	if (!e && defined)
		e = resolve_alias(g, defined, &r);
	if (!e)
		*ret = r;
	return e;
}

/* The element type of the array @array, itself no array, and how many there are of them in all
 * dimensions. */
static struct err *resolve_element(const struct type_graph *g, const struct resolved *array,
				   struct resolved *ret, uint64_t *ret_count)
{
	struct resolved r = *array;
	uint64_t count = 1;
	for (int i = 0; r.desc.kind == TYPE_ARRAY; i++) {
		if (i == MAX_DEPTH || __builtin_mul_overflow(count, r.desc.count, &count))
			return err_new(ERR_FORMAT, "an array has too many dimensions");
		struct err *e = resolve(g, r.desc.target, &r);
		if (e)
			return e;
	}
	*ret = r;
	*ret_count = count;
	return NULL;
}

/* Fills in all of @m but where it is. */
static struct err *describe_member(const struct type_graph *g, const struct resolved *type,
				   struct member *m)
{
	*m = (struct member){ 0 };
	struct resolved element;
	struct err *e = resolve_element(g, type, &element, &m->count);
	if (e)
		return e;
	m->is_array = type->desc.kind == TYPE_ARRAY;
	m->is_pointer = element.desc.kind == TYPE_POINTER;
	m->is_signed = element.desc.kind == TYPE_NUMBER && element.desc.is_signed;
	m->element_size = element.desc.size;
	if (__builtin_mul_overflow(m->count, m->element_size, &m->size))
		return err_new(ERR_FORMAT, "an array does not fit into memory");
	struct resolved named = element;
	if (m->is_pointer && (e = resolve_alias(g, element.desc.target, &named)))
		return e;
	if (named.desc.kind == TYPE_STRUCT || named.desc.kind == TYPE_ENUM ||
	    named.desc.kind == TYPE_DECLARATION)
		m->type_name = named.name;
	return NULL;
}

/* Where the walk along a path is. */
struct place {
	uint64_t type;	   /* of what is there */
	uint64_t bit;	   /* from the start of the outermost structure */
	uint32_t bit_size; /* of a bit-field, else 0 */
};

/* The search for one name through anonymous structures and unions. */
struct search {
	const char *name;
	size_t len;
	unsigned visits; /* members looked at */
	bool found;
	struct place place;
};

static struct err *search_struct(const struct type_graph *g, uint64_t id, uint64_t bit, int depth,
				 struct search *s);

static struct err *search_field(const struct type_graph *g, const struct type_field *f,
				uint64_t bit, int depth, struct search *s)
{
	if (++s->visits > MAX_VISITS)
		return err_new(ERR_FORMAT, "structures go round in circles");
	struct place here = { .type = f->type, .bit_size = f->bit_size };
	if (__builtin_add_overflow(bit, f->bit, &here.bit))
		return err_new(ERR_FORMAT, "a member lies beyond all memory");
	if (f->name) {
		s->found = strlen(f->name) == s->len && !memcmp(f->name, s->name, s->len);
		if (s->found)
			s->place = here;
		return NULL;
	}
	struct resolved r;
	struct err *e = resolve(g, f->type, &r);
	if (e || r.desc.kind != TYPE_STRUCT)
		return e;
	return search_struct(g, r.id, here.bit, depth + 1, s);
}

static struct err *search_struct(const struct type_graph *g, uint64_t id, uint64_t bit, int depth,
				 struct search *s)
{
	if (depth > MAX_DEPTH)
		return err_new(ERR_FORMAT, "structures go round in circles");
	struct type_field *list;
	size_t count;
	struct err *e = g->ops->fields(g->source, id, &list, &count);
	if (e)
		return e;
	for (size_t i = 0; i < count && !e && !s->found; i++)
		e = search_field(g, &list[i], bit, depth, s);
	free(list);
	return e;
}

/* Takes the step "name" (of @len bytes) from @at. */
static struct err *step_member(const struct type_graph *g, struct place *at, const char *name,
			       size_t len)
{
	struct resolved r;
	struct err *e = resolve(g, at->type, &r);
	if (e)
		return e;
	if (r.desc.kind != TYPE_STRUCT)
		return err_new(ERR_NOTFOUND, "what should have the member %.*s is no %s", (int)len,
			       name,
			       r.desc.kind == TYPE_DECLARATION ? "structure that is defined"
							       : "structure");
	struct search s = { .name = name, .len = len };
	e = search_struct(g, r.id, at->bit, 0, &s);
	if (e)
		return e;
	if (!s.found)
		return err_new(ERR_NOTFOUND, "%s has no member %.*s", r.name ? r.name : "(unnamed)",
			       (int)len, name);
	*at = s.place;
	return NULL;
}

/* Takes the step "[index]" from @at. */
static struct err *step_index(const struct type_graph *g, struct place *at, uint64_t index)
{
	struct resolved array, element;
	uint64_t count, bits;
	struct err *e = resolve(g, at->type, &array);
	if (e)
		return e;
	if (array.desc.kind != TYPE_ARRAY)
		return err_new(ERR_NOTFOUND, "what has an index is no array");
	e = resolve_element(g, &array, &element, &count);
	if (e)
		return e;
	if (count && index >= count)
		return err_new(ERR_NOTFOUND, "the array has %llu elements",
			       (unsigned long long)count);
	if (__builtin_mul_overflow(index, element.desc.size, &bits) ||
	    __builtin_mul_overflow(bits, 8, &bits) ||
	    __builtin_add_overflow(at->bit, bits, &at->bit))
		return err_new(ERR_INVALID, "the index is too large");
	at->type = element.id;
	return NULL;
}

/* Reads "[123]" at *@path and moves behind it. */
static struct err *parse_index(const char **path, uint64_t *ret)
{
	const char *p = *path + 1;
	uint64_t n = 0;
	if (*p < '0' || *p > '9')
		return err_new(ERR_INVALID, "an index must be a number");
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return err_new(ERR_INVALID, "an index is too large");
	if (*p != ']')
		return err_new(ERR_INVALID, "an index has no closing bracket");
	*path = p + 1;
	*ret = n;
	return NULL;
}

/* Takes all steps of @path from @at. */
static struct err *walk(const struct type_graph *g, const char *path, struct place *at)
{
	for (const char *p = path;;) {
		size_t len = strcspn(p, ".[");
		if (!len)
			return err_new(ERR_INVALID, "a name is missing");
		struct err *e = step_member(g, at, p, len);
		for (p += len; !e && *p == '[';) {
			uint64_t index = 0;
			e = parse_index(&p, &index);
			if (!e)
				e = step_index(g, at, index);
		}
		if (e || !*p)
			return e;
		if (*p != '.')
			return err_new(ERR_INVALID, "a dot is missing");
		p++;
	}
}

static struct err *find_type(const struct type_graph *g, const char *name, struct resolved *ret)
{
	uint64_t id;
	struct err *e = g->ops->find(g->source, name, RANK_NUMBER, &id);
	if (e)
		return e;
	return id ? resolve(g, id, ret) : err_new(ERR_NOTFOUND, "no type is called so");
}

/* As find_type(); where an enumeration or number is found first, a structure of the name is better.
 */
static struct err *find_structure(const struct type_graph *g, const char *name,
				  struct resolved *ret)
{
	struct resolved r;
	uint64_t better = 0;
	struct err *e = find_type(g, name, &r);
	if (!e && r.desc.kind != TYPE_STRUCT)
		e = g->ops->find(g->source, name, RANK_STRUCT, &better);
	if (!e && better)
		e = resolve(g, better, &r);
	if (!e)
		*ret = r;
	return e;
}

struct err *type_graph_member(const struct type_graph *g, const char *type, const char *path,
			      struct member *ret)
{
	struct resolved r;
	struct err *e = find_structure(g, type, &r);
	if (e)
		return e;
	struct place at = { .type = r.id };
	e = walk(g, path, &at);
	if (!e)
		e = resolve(g, at.type, &r);
	struct member m;
	if (!e)
		e = describe_member(g, &r, &m);
	if (e)
		return e;
	if (at.bit_size > 64 || (!at.bit_size && at.bit % 8))
		return err_new(ERR_FORMAT, "the member is at no place that C could give it");
	m.offset = at.bit / 8;
	if (at.bit_size) {
		m.bit_offset = at.bit % 8;
		m.bit_size = (uint8_t)at.bit_size;
		m.size = m.element_size = (m.bit_offset + at.bit_size + 7) / 8;
	}
	*ret = m;
	return NULL;
}

struct err *type_graph_size(const struct type_graph *g, const char *type, uint64_t *ret)
{
	struct resolved r;
	struct err *e = find_type(g, type, &r);
	if (e)
		return e;
	if (r.desc.kind == TYPE_DECLARATION)
		return err_new(ERR_NOTFOUND, "it is declared and not defined");
	struct member m;
	e = describe_member(g, &r, &m);
	if (!e)
		*ret = m.size;
	return e;
}

struct err *type_graph_constant(const struct type_graph *g, const char *enum_name,
				const char *constant, int64_t *ret)
{
	struct resolved r = { 0 };
	struct err *e = *enum_name ? find_type(g, enum_name, &r) : NULL;
	if (e)
		return e;
	/* A structure of some other file may have the enumeration's name ("context"). */
	uint64_t id = r.desc.kind == TYPE_ENUM ? r.id : 0;
	bool found;
	e = g->ops->enumerator(g->source, id, constant, &found, ret);
	return e || found ? e : err_new(ERR_NOTFOUND, "there is no such constant");
}
