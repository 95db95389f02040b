// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/image/dwarf/btf_sound.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/fnv.h"
#include "base/map.h"
#include "vmcore/image/dwarf/btf_forwards.h"

/* A type that takes more steps than this to write down is none of a compiler's. */
enum { MAX_DEPTH = 128 };

/* Which references of a type are followed. */
enum graph {
	SPELLED,  /* those that writing the type in C follows: all, up to names of structures */
	BY_VALUE, /* those that its size depends on */
};

struct walk {
	const struct btf_set *set;
	struct btf_sound *sound;
	enum graph graph;
	uint8_t *depth; /* by index: steps below it + 1; 0: not seen yet, OPEN: being walked */
};

enum { OPEN = 0xff };

static uint32_t edge_count(enum graph graph, const struct btf_type *t)
{
	switch (t->r.kind) {
	case BTF_KIND_FUNC:
	case BTF_KIND_VAR:
		return 0; /* no types */
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return graph == SPELLED && t->r.name ? 0 : btf_set_references(t);
	case BTF_KIND_PTR:
	case BTF_KIND_FUNC_PROTO:
		return graph == SPELLED ? btf_set_references(t) : 0;
	default:
		return btf_set_references(t);
	}
}

static uint32_t edge(const struct walk *w, const struct btf_type *t, uint32_t i)
{
	uint32_t index = btf_set_reference(w->set, t, i);
	return w->graph == BY_VALUE ? w->sound->means[index] : index;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	return map_hash(hash * 31 + value + 1);
}

static uint64_t mix_name(const struct walk *w, uint64_t hash, uint32_t name)
{
	const char *s = btf_set_string(w->set, name);
	return mix(hash, fnv_add(FNV_BEGIN, s, strlen(s)));
}

/* Members or enumerators, as far as their types are spelled already. */
static uint64_t mix_elements(const struct walk *w, uint64_t hash, const struct btf_type *t)
{
	hash = mix(mix(hash, t->r.size), t->r.flag);
	size_t step = t->r.kind == BTF_KIND_ENUM ? BTF_ENUM_SIZE : BTF_ENUM64_SIZE;
	for (uint32_t i = 0; i < t->r.vlen; i++) {
		const uint8_t *p = t->r.more + i * step;
		hash = mix_name(w, hash, btf_set_name(w->set, t->object, get_u32(p)));
		if (btf_is_enum(t->r.kind)) {
			hash = mix(hash, get_u32(p + 4));
			hash = mix(hash, step == BTF_ENUM_SIZE ? 0 : get_u32(p + 8));
			continue;
		}
		struct btf_member m = btf_set_member(w->set, t, i);
		hash = mix(mix(hash, m.bit), m.bit_size);
		hash = mix(hash, w->sound->spelling[m.type]);
	}
	return hash;
}

static bool has_elements(enum btf_kind kind)
{
	return btf_is_structure(kind) || btf_is_enum(kind);
}

/* How @index is written, when all that it refers to is known. */
static uint64_t spelling(const struct walk *w, uint32_t index, const struct btf_type *t)
{
	if (w->sound->cut[index])
		return mix(~UINT64_C(0), index);
	enum btf_kind kind = t->r.kind;
	uint64_t hash = mix(1, kind == BTF_KIND_FWD ? t->r.flag ? BTF_KIND_UNION : BTF_KIND_STRUCT
			       : kind == BTF_KIND_ENUM64 ? BTF_KIND_ENUM
							 : kind);
	hash = mix_name(w, hash, btf_set_name(w->set, t->object, t->r.name_offset));
	if (has_elements(kind) && !t->r.name)
		return mix_elements(w, hash, t);
	if (kind == BTF_KIND_INT)
		return mix(mix(hash, t->r.size), get_u32(t->r.more));
	if (kind == BTF_KIND_ARRAY)
		hash = mix(hash, get_u32(t->r.more + 8));
	for (uint32_t i = 0, count = edge_count(SPELLED, t); i < count; i++)
		hash = mix(hash, w->sound->spelling[edge(w, t, i)]);
	return hash;
}

static uint64_t size_of(const struct walk *w, uint32_t index, const struct btf_type *t)
{
	if (w->sound->cut[index])
		return 0;
	uint64_t size;
	switch (t->r.kind) {
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return t->r.size;
	case BTF_KIND_PTR:
		return 8;
	case BTF_KIND_ARRAY:
		if (__builtin_mul_overflow(w->sound->sizes[edge(w, t, 0)], get_u32(t->r.more + 8),
					   &size))
			return UINT64_MAX;
		return size;
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
		return w->sound->sizes[edge(w, t, 0)];
	default:
		return 0;
	}
}

static void leave(const struct walk *w, uint32_t index, const struct btf_type *t)
{
	if (w->graph == SPELLED)
		w->sound->spelling[index] = spelling(w, index, t);
	else
		w->sound->sizes[index] = size_of(w, index, t);
}

struct step {
	uint32_t index, next, count;
	uint8_t depth;
	struct btf_type type;
};

static struct step enter(const struct walk *w, uint32_t index)
{
	struct btf_type t = btf_set_type(w->set, index);
	w->depth[index] = OPEN;
	return (struct step){ .index = index,
			      .count = w->sound->cut[index] ? 0 : edge_count(w->graph, &t),
			      .type = t };
}

/* Takes in that something @below deep is referred to; cuts the type if that leads back to it (OPEN)
 * or too far down. */
static void refer(const struct walk *w, struct step *s, unsigned below)
{
	if (below < MAX_DEPTH) {
		s->depth = below > s->depth ? (uint8_t)below : s->depth;
		return;
	}
	w->sound->cut[s->index] = true;
	s->count = 0;
	s->depth = 0;
}

/*
 * Visits what @start refers to, then @start, without recursion. What is cut is visited as if it
 * referred to nothing.
 */
static void visit(const struct walk *w, uint32_t start)
{
	struct step stack[MAX_DEPTH];
	int top = 0;
	stack[0] = enter(w, start);
	while (top >= 0) {
		struct step *s = &stack[top];
		if (s->next < s->count) {
			uint32_t to = edge(w, &s->type, s->next++);
			if (w->depth[to])
				refer(w, s, w->depth[to]);
			else if (top + 1 == MAX_DEPTH)
				refer(w, s, OPEN);
			else
				stack[++top] = enter(w, to);
			continue;
		}
		leave(w, s->index, &s->type);
		w->depth[s->index] = (uint8_t)(s->depth + 1);
		if (--top >= 0)
			refer(w, &stack[top], s->depth + 1U);
	}
}

static struct err *walk_all(const struct btf_set *set, struct btf_sound *sound, enum graph graph)
{
	uint32_t end = btf_set_end(set);
	struct walk w = { .set = set, .sound = sound, .graph = graph, .depth = calloc(end, 1) };
	if (!w.depth)
		return err_nomem();
	w.depth[0] = 1; /* void */
	for (uint32_t i = 1; i < end; i++)
		if (!w.depth[i])
			visit(&w, i);
	free(w.depth);
	return NULL;
}

/* Of @index, whose type tags lead somewhere: their loops are cut. */
static uint32_t meaning(const struct btf_set *set, const struct btf_sound *sound, uint32_t index)
{
	for (;;) {
		struct btf_type t = btf_set_type(set, index);
		switch (t.r.kind) {
		case BTF_KIND_TYPE_TAG:
			if (sound->cut[index])
				return 0;
			index = btf_set_index(set, t.object, t.r.size);
			break;
		case BTF_KIND_FUNC:
		case BTF_KIND_VAR:
		case BTF_KIND_DATASEC:
		case BTF_KIND_DECL_TAG:
			return 0;
		default:
			return t.r.kind < BTF_KIND_KNOWN ? index : 0;
		}
	}
}

/* What tells two structures, unions or enumerations of one name apart. */
static uint64_t definition(const struct btf_set *set, struct btf_sound *sound, uint32_t index,
			   const struct btf_type *t)
{
	const struct walk w = { .set = set, .sound = sound };
	return sound->cut[index] ? mix(~UINT64_C(0), index) : mix_elements(&w, t->r.kind, t);
}

/* Offers every definition to what is declared under its name. */
static struct err *resolve_forwards(const struct btf_set *set, struct btf_sound *sound)
{
	struct btf_forwards *f;
	struct err *e = btf_forwards_new(set, &f);
	if (e)
		return e;
	uint32_t end = btf_set_end(set);
	for (uint32_t i = 1; i < end && !e; i++) {
		struct btf_type t = btf_set_type(set, i);
		if (btf_forwards_wants(f, &t))
			e = btf_forwards_offer(f, i, &t, definition(set, sound, i, &t));
	}
	if (!e)
		btf_forwards_resolve(f, sound->means);
	btf_forwards_free(f);
	return e;
}

/* References through tags to what turned out to be declarations of something known. */
static void follow_means(struct btf_sound *sound, uint32_t end)
{
	for (uint32_t i = 1; i < end; i++)
		sound->means[i] = sound->means[sound->means[i]];
}

static struct err *examine(struct btf_sound *s, const struct btf_set *set)
{
	uint32_t end = btf_set_end(set);
	struct err *e = walk_all(set, s, SPELLED);
	if (e)
		return e;
	for (uint32_t i = 1; i < end; i++)
		s->means[i] = meaning(set, s, i);
	e = resolve_forwards(set, s);
	if (e)
		return e;
	follow_means(s, end);
	return walk_all(set, s, BY_VALUE);
}

struct err *btf_sound_init(struct btf_sound *s, const struct btf_set *set)
{
	uint32_t end = btf_set_end(set);
	*s = (struct btf_sound){
		.means = calloc(end, sizeof(*s->means)),
		.sizes = calloc(end, sizeof(*s->sizes)),
		.spelling = calloc(end, sizeof(*s->spelling)),
		.cut = calloc(end, sizeof(*s->cut)),
	};
	struct err *e = err_nomem();
	if (s->means && s->sizes && s->spelling && s->cut)
		e = examine(s, set);
	if (e)
		btf_sound_free(s);
	return e;
}

void btf_sound_free(struct btf_sound *s)
{
	free(s->means);
	free(s->sizes);
	free(s->spelling);
	free(s->cut);
	*s = (struct btf_sound){ 0 };
}

bool btf_member_fits(const struct btf_sound *s, const struct btf_member *m, uint64_t size)
{
	uint64_t bytes = s->sizes[m->type];
	if (!s->means[m->type] || bytes > size)
		return false;
	if (m->bit_size)
		return m->bit_size <= bytes * 8 && range_within(m->bit, m->bit_size, size * 8);
	return m->bit % 8 == 0 && range_within(m->bit / 8, bytes, size);
}
