// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/kernel/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "server/kernel/btf_source.h"
#include "server/kernel/dwarf_types.h"
#include "server/kernel/name_map.h"
#include "server/kernel/type_source.h"

enum {
	MAX_ALIASES = 64,	  /* typedefs and qualifiers in a row */
	MAX_DEPTH = 32,		  /* anonymous structures in each other */
	MAX_VISITS = 1 << 17,	  /* members looked at for one step of a path */
	MAX_REMEMBERED = 1 << 16, /* answers; a client may ask for anything */
};

/* The public functions as values, so that one memory serves all. */
struct question {
	enum { ASK_MEMBER = 'm', ASK_SIZE = 's', ASK_CONSTANT = 'c' } what;
	const char *type; /* "" for a constant of any enumeration */
	const char *name;
};

struct answer {
	char *key;	      /* owned; the question as a string */
	char *missing;	      /* owned; why the answer is ERR_NOTFOUND, or NULL */
	struct member member; /* for a size only that */
	int64_t value;	      /* of a constant */
};

struct types {
	const struct type_source_ops *ops;
	void *source; /* owned */
	struct answer *answers;
	size_t answer_count, answer_capacity;
	struct name_map by_key; /* of the index in answers */
};

static struct err *types_new(const struct type_source_ops *ops, void *source, struct types **ret)
{
	struct types *t = calloc(1, sizeof(*t));
	if (!t) {
		ops->free(source);
		return err_nomem();
	}
	t->ops = ops;
	t->source = source;
	*ret = t;
	return NULL;
}

struct err *types_from_btf(const void *data, size_t len, struct types *base, struct types **ret)
{
	if (base && base->ops != &btf_source_ops)
		return err_new(ERR_INVALID, "split BTF needs a base that is BTF too");
	struct btf_source *source;
	struct err *e = btf_source_new(data, len, base ? base->source : NULL, &source);
	return e ? e : types_new(&btf_source_ops, source, ret);
}

struct err *types_from_dwarf(int fd, const char *path, struct types **ret)
{
	struct dwarf_source *source;
	struct err *e = dwarf_source_new(fd, path, &source);
	return e ? e : types_new(&dwarf_source_ops, source, ret);
}

void types_free(struct types *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->answer_count; i++) {
		free(t->answers[i].key);
		free(t->answers[i].missing);
	}
	free(t->answers);
	name_map_free(&t->by_key);
	t->ops->free(t->source);
	free(t);
}

const char *types_kind(const struct types *t)
{
	return t->ops->kind;
}

/* A type behind all its typedefs and qualifiers. */
struct resolved {
	uint64_t id;
	struct type_desc desc;
	const char *name; /* its own, or that of the last typedef before it; NULL if neither */
};

/* Follows typedefs and qualifiers from @id. */
static struct err *resolve_alias(struct types *t, uint64_t id, struct resolved *ret)
{
	struct resolved r = { 0 };
	for (int i = 0; i < MAX_ALIASES; i++) {
		r.id = id;
		struct err *e = t->ops->describe(t->source, id, &r.desc);
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
static struct err *resolve(struct types *t, uint64_t id, struct resolved *ret)
{
	struct resolved r;
	uint64_t defined = 0;
	struct err *e = resolve_alias(t, id, &r);
	if (!e && r.desc.kind == TYPE_DECLARATION && r.desc.name)
		e = t->ops->find(t->source, r.desc.name, RANK_ENUM, &defined);
	if (!e && defined)
		e = resolve_alias(t, defined, &r);
	if (!e)
		*ret = r;
	return e;
}

/* The element type of the array @array, itself no array, and how many there are of them in all
 * dimensions. */
static struct err *resolve_element(struct types *t, const struct resolved *array,
				   struct resolved *ret, uint64_t *ret_count)
{
	struct resolved r = *array;
	uint64_t count = 1;
	for (int i = 0; r.desc.kind == TYPE_ARRAY; i++) {
		if (i == MAX_DEPTH || __builtin_mul_overflow(count, r.desc.count, &count))
			return err_new(ERR_FORMAT, "an array has too many dimensions");
		struct err *e = resolve(t, r.desc.target, &r);
		if (e)
			return e;
	}
	*ret = r;
	*ret_count = count;
	return NULL;
}

/* Fills in all of @m but where it is. */
static struct err *describe_member(struct types *t, const struct resolved *type, struct member *m)
{
	*m = (struct member){ 0 };
	struct resolved element;
	struct err *e = resolve_element(t, type, &element, &m->count);
	if (e)
		return e;
	m->is_array = type->desc.kind == TYPE_ARRAY;
	m->is_pointer = element.desc.kind == TYPE_POINTER;
	m->is_signed = element.desc.kind == TYPE_NUMBER && element.desc.is_signed;
	m->element_size = element.desc.size;
	if (__builtin_mul_overflow(m->count, m->element_size, &m->size))
		return err_new(ERR_FORMAT, "an array does not fit into memory");
	struct resolved named = element;
	if (m->is_pointer && (e = resolve_alias(t, element.desc.target, &named)))
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

static struct err *search_struct(struct types *t, uint64_t id, uint64_t bit, int depth,
				 struct search *s);

static struct err *search_field(struct types *t, const struct type_field *f, uint64_t bit,
				int depth, struct search *s)
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
	struct err *e = resolve(t, f->type, &r);
	if (e || r.desc.kind != TYPE_STRUCT)
		return e;
	return search_struct(t, r.id, here.bit, depth + 1, s);
}

static struct err *search_struct(struct types *t, uint64_t id, uint64_t bit, int depth,
				 struct search *s)
{
	if (depth > MAX_DEPTH)
		return err_new(ERR_FORMAT, "structures go round in circles");
	struct type_field *list;
	size_t count;
	struct err *e = t->ops->fields(t->source, id, &list, &count);
	if (e)
		return e;
	for (size_t i = 0; i < count && !e && !s->found; i++)
		e = search_field(t, &list[i], bit, depth, s);
	free(list);
	return e;
}

/* Takes the step "name" (of @len bytes) from @at. */
static struct err *step_member(struct types *t, struct place *at, const char *name, size_t len)
{
	struct resolved r;
	struct err *e = resolve(t, at->type, &r);
	if (e)
		return e;
	if (r.desc.kind != TYPE_STRUCT)
		return err_new(ERR_NOTFOUND, "what should have the member %.*s is no %s", (int)len,
			       name,
			       r.desc.kind == TYPE_DECLARATION ? "structure that is defined"
							       : "structure");
	struct search s = { .name = name, .len = len };
	e = search_struct(t, r.id, at->bit, 0, &s);
	if (e)
		return e;
	if (!s.found)
		return err_new(ERR_NOTFOUND, "%s has no member %.*s", r.name ? r.name : "(unnamed)",
			       (int)len, name);
	*at = s.place;
	return NULL;
}

/* Takes the step "[index]" from @at. */
static struct err *step_index(struct types *t, struct place *at, uint64_t index)
{
	struct resolved array, element;
	uint64_t count, bits;
	struct err *e = resolve(t, at->type, &array);
	if (e)
		return e;
	if (array.desc.kind != TYPE_ARRAY)
		return err_new(ERR_NOTFOUND, "what has an index is no array");
	e = resolve_element(t, &array, &element, &count);
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
static struct err *walk(struct types *t, const char *path, struct place *at)
{
	for (const char *p = path;;) {
		size_t len = strcspn(p, ".[");
		if (!len)
			return err_new(ERR_INVALID, "a name is missing");
		struct err *e = step_member(t, at, p, len);
		for (p += len; !e && *p == '[';) {
			uint64_t index = 0;
			e = parse_index(&p, &index);
			if (!e)
				e = step_index(t, at, index);
		}
		if (e || !*p)
			return e;
		if (*p != '.')
			return err_new(ERR_INVALID, "a dot is missing");
		p++;
	}
}

static struct err *find_type(struct types *t, const char *name, struct resolved *ret)
{
	uint64_t id;
	struct err *e = t->ops->find(t->source, name, RANK_NUMBER, &id);
	if (e)
		return e;
	return id ? resolve(t, id, ret) : err_new(ERR_NOTFOUND, "no type is called so");
}

static struct err *find_member(struct types *t, const char *type, const char *path,
			       struct member *ret)
{
	struct resolved r;
	struct err *e = find_type(t, type, &r);
	if (e)
		return e;
	struct place at = { .type = r.id };
	e = walk(t, path, &at);
	if (!e)
		e = resolve(t, at.type, &r);
	struct member m;
	if (!e)
		e = describe_member(t, &r, &m);
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

static struct err *find_size(struct types *t, const char *type, uint64_t *ret)
{
	struct resolved r;
	struct err *e = find_type(t, type, &r);
	if (e)
		return e;
	if (r.desc.kind == TYPE_DECLARATION)
		return err_new(ERR_NOTFOUND, "it is declared and not defined");
	struct member m;
	e = describe_member(t, &r, &m);
	if (!e)
		*ret = m.size;
	return e;
}

static struct err *find_constant(struct types *t, const char *enum_name, const char *constant,
				 int64_t *ret)
{
	struct resolved r = { 0 };
	struct err *e = *enum_name ? find_type(t, enum_name, &r) : NULL;
	if (e)
		return e;
	if (*enum_name && r.desc.kind != TYPE_ENUM)
		return err_new(ERR_NOTFOUND, "it is no enumeration");
	bool found;
	e = t->ops->enumerator(t->source, r.id, constant, &found, ret);
	return e || found ? e : err_new(ERR_NOTFOUND, "there is no such constant");
}

static struct err *find_answer(struct types *t, const struct question *q, struct answer *ret)
{
	switch (q->what) {
	case ASK_MEMBER:
		return err_wrap(find_member(t, q->type, q->name, &ret->member),
				"%s of %s in the %s", q->name, q->type, t->ops->kind);
	case ASK_SIZE:
		return err_wrap(find_size(t, q->type, &ret->member.size), "size of %s in the %s",
				q->type, t->ops->kind);
	case ASK_CONSTANT:
		return err_wrap(find_constant(t, q->type, q->name, &ret->value),
				"constant %s of enum %s in the %s", q->name, q->type, t->ops->kind);
	}
	return err_new(ERR_INVALID, "no such question");
}

static bool grow_answers(struct types *t)
{
	if (t->answer_count < t->answer_capacity)
		return true;
	size_t capacity = t->answer_capacity ? 2 * t->answer_capacity : 64;
	struct answer *grown = reallocarray(t->answers, capacity, sizeof(*grown));
	if (!grown)
		return false;
	t->answers = grown;
	t->answer_capacity = capacity;
	return true;
}

/* Keeps @a, whose strings it takes. When there is no room, the answer is found again next time. */
static void remember(struct types *t, struct answer a)
{
	bool added;
	uint32_t *index = NULL;
	if (t->answer_count < MAX_REMEMBERED && grow_answers(t))
		index = name_map_at(&t->by_key, a.key, &added);
	if (!index) {
		free(a.key);
		free(a.missing);
		return;
	}
	*index = (uint32_t)t->answer_count;
	t->answers[t->answer_count++] = a;
}

/* Finds the answer to @q, called @key, and keeps it. Takes @key. */
static struct err *find_and_remember(struct types *t, const struct question *q, char *key,
				     struct answer *ret)
{
	struct answer a = { .key = key };
	struct err *e = find_answer(t, q, &a);
	/* Only "not there" will be so next time, too. */
	bool keep = !e || (err_code(e) == ERR_NOTFOUND && (a.missing = strdup(err_msg(e))));
	*ret = a;
	if (keep)
		remember(t, a);
	else
		free(key);
	return e;
}

/* The answer in *ret (its strings are none of the caller's business), or why there is none. */
static struct err *ask(struct types *t, const struct question *q, struct answer *ret)
{
	char *key;
	/* No name in C holds a line break. */
	if (asprintf(&key, "%c%s\n%s", q->what, q->type, q->name) < 0)
		return err_nomem();
	uint32_t i;
	if (!name_map_get(&t->by_key, key, &i))
		return find_and_remember(t, q, key, ret);
	free(key);
	*ret = t->answers[i];
	return ret->missing ? err_new(ERR_NOTFOUND, "%s", ret->missing) : NULL;
}

struct err *types_member(struct types *t, const char *type, const char *path, struct member *ret)
{
	struct answer a;
	struct err *e = ask(t, &(struct question){ ASK_MEMBER, type, path }, &a);
	if (!e)
		*ret = a.member;
	return e;
}

struct err *types_size(struct types *t, const char *type, uint64_t *ret)
{
	struct answer a;
	struct err *e = ask(t, &(struct question){ ASK_SIZE, type, "" }, &a);
	if (!e)
		*ret = a.member.size;
	return e;
}

struct err *types_enumerator(struct types *t, const char *enum_name, const char *constant,
			     int64_t *ret)
{
	struct answer a;
	struct question q = { ASK_CONSTANT, enum_name ? enum_name : "", constant };
	struct err *e = ask(t, &q, &a);
	if (!e)
		*ret = a.value;
	return e;
}

bool types_offset(struct types *t, const char *type, const char *path, uint64_t *ret_offset)
{
	struct member m;
	struct err *e = t ? types_member(t, type, path, &m) : NULL;
	bool yes = t && !e;
	err_free(e);
	if (yes)
		*ret_offset = m.offset;
	return yes;
}

bool types_has(struct types *t, const char *type, const char *path)
{
	uint64_t offset;
	return types_offset(t, type, path, &offset);
}
