// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/image/dwarf/btf_forwards.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/name_map.h"

enum class { STRUCTURE, UNION, ENUMERATION, CLASSES, NO_CLASS = CLASSES };

struct declaration {
	uint32_t index, object;
	uint32_t wanted; /* in the list of names */
};

/* The definition of a name in one object. */
struct candidate {
	uint32_t index, object;
	uint32_t older; /* number of that in an earlier object, + 1; 0: none */
	uint64_t definition;
	bool several; /* and another one that differs */
};

struct btf_forwards {
	const struct btf_set *set;
	struct name_map names[CLASSES];	  /* to numbers in latest */
	struct declaration *declarations; /* owned */
	uint32_t *latest;		  /* owned; by name: the newest candidate + 1 */
	struct candidate *candidates;	  /* owned */
	uint32_t declared, named, offered, room;
};

void btf_forwards_free(struct btf_forwards *f)
{
	if (!f)
		return;
	for (int i = 0; i < CLASSES; i++)
		name_map_free(&f->names[i]);
	free(f->declarations);
	free(f->latest);
	free(f->candidates);
	free(f);
}

/* An enumeration without constants is how BTF says "enum foo;". */
static bool is_declaration(const struct btf_type *t)
{
	return t->r.kind == BTF_KIND_FWD || (btf_is_enum(t->r.kind) && !t->r.vlen);
}

static enum class class_of(const struct btf_type *t) {
	switch (t->r.kind){
		case BTF_KIND_STRUCT : return STRUCTURE; case BTF_KIND_UNION : return UNION;
		case BTF_KIND_FWD : return t->r.flag ? UNION : STRUCTURE;
		case BTF_KIND_ENUM : case BTF_KIND_ENUM64 : return ENUMERATION;
		default : return NO_CLASS;
	}
}

static const char *name_of(const struct btf_forwards *f, const struct btf_type *t)
{
	return btf_set_string(f->set, btf_set_name(f->set, t->object, t->r.name_offset));
}

static struct err *declare(struct btf_forwards *f, uint32_t index, const struct btf_type *t)
{
	bool added;
	uint32_t *number = name_map_at(&f->names[class_of(t)], name_of(f, t), &added);
	if (!number)
		return err_nomem();
	if (added)
		*number = f->named++;
	f->declarations[f->declared++] =
		(struct declaration){ .index = index, .object = t->object, .wanted = *number };
	return NULL;
}

static struct err *collect(struct btf_forwards *f)
{
	uint32_t end = btf_set_end(f->set), count = 0;
	for (uint32_t i = 1; i < end; i++) {
		struct btf_type t = btf_set_type(f->set, i);
		count += is_declaration(&t);
	}
	f->declarations = calloc(count + 1, sizeof(*f->declarations));
	f->latest = calloc(count + 1, sizeof(*f->latest));
	if (!f->declarations || !f->latest)
		return err_nomem();
	for (uint32_t i = 1; i < end; i++) {
		struct btf_type t = btf_set_type(f->set, i);
		struct err *e = is_declaration(&t) && *name_of(f, &t) ? declare(f, i, &t) : NULL;
		if (e)
			return e;
	}
	return NULL;
}

struct err *btf_forwards_new(const struct btf_set *set, struct btf_forwards **ret)
{
	struct btf_forwards *f = calloc(1, sizeof(*f));
	if (!f)
		return err_nomem();
	f->set = set;
	struct err *e = collect(f);
	if (e) {
		btf_forwards_free(f);
		return e;
	}
	*ret = f;
	return NULL;
}

static bool wanted(const struct btf_forwards *f, const struct btf_type *t, uint32_t *ret)
{
	enum class class = class_of(t);
	return class != NO_CLASS && t->r.name && name_map_get(&f->names[class], name_of(f, t), ret);
}

bool btf_forwards_wants(const struct btf_forwards *f, const struct btf_type *t)
{
	uint32_t number;
	return !is_declaration(t) && wanted(f, t, &number);
}

struct err *btf_forwards_offer(struct btf_forwards *f, uint32_t index, const struct btf_type *t,
			       uint64_t definition)
{
	uint32_t number;
	if (!wanted(f, t, &number))
		return NULL;
	uint32_t latest = f->latest[number];
	if (latest && f->candidates[latest - 1].object == t->object) {
		struct candidate *c = &f->candidates[latest - 1];
		c->several |= c->definition != definition;
		return NULL;
	}
	if (f->offered == f->room) {
		uint32_t room = f->room ? 2 * f->room : 256;
		struct candidate *more = reallocarray(f->candidates, room, sizeof(*more));
		if (!more)
			return err_nomem();
		f->candidates = more;
		f->room = room;
	}
	f->candidates[f->offered] = (struct candidate){
		.index = index, .object = t->object, .older = latest, .definition = definition
	};
	f->latest[number] = ++f->offered;
	return NULL;
}

/* The candidate in @object of those before and with @newest, or NULL. */
static const struct candidate *in_object(const struct btf_forwards *f, uint32_t newest,
					 uint32_t object)
{
	while (newest && f->candidates[newest - 1].object > object)
		newest = f->candidates[newest - 1].older;
	const struct candidate *c = newest ? &f->candidates[newest - 1] : NULL;
	return c && c->object == object ? c : NULL;
}

/* The one that all objects with a definition agree on. */
static const struct candidate *common(const struct btf_forwards *f, uint32_t newest)
{
	const struct candidate *first = NULL;
	for (uint32_t i = newest; i; i = f->candidates[i - 1].older) {
		const struct candidate *c = &f->candidates[i - 1];
		if (c->several || (first && c->definition != first->definition))
			return NULL;
		first = c;
	}
	return first;
}

void btf_forwards_resolve(const struct btf_forwards *f, uint32_t *means)
{
	for (uint32_t i = 0; i < f->declared; i++) {
		const struct declaration *d = &f->declarations[i];
		uint32_t newest = f->latest[d->wanted];
		const struct candidate *c = in_object(f, newest, d->object);
		if (!c)
			c = in_object(f, newest, 0);
		if (!c)
			c = common(f, newest);
		if (c && !c->several)
			means[d->index] = c->index;
	}
}
