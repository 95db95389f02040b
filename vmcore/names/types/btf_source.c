// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/types/btf_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/name_map.h"
#include "vmcore/names/types/btf.h"

struct btf_source {
	struct btf *btf;	 /* owned */
	struct btf_source *base; /* borrowed; NULL for vmlinux */
	struct name_map names;	 /* the best type of each name; filled by the first lookup */
	bool indexed;
};

static void source_free(void *self)
{
	struct btf_source *s = self;
	if (!s)
		return;
	name_map_free(&s->names);
	btf_free(s->btf);
	free(s);
}

struct err *btf_source_new(const void *data, size_t len, struct btf_source *base,
			   struct btf_source **ret)
{
	struct btf_source *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem();
	s->base = base;
	struct err *e = btf_parse(data, len, base ? base->btf : NULL, &s->btf);
	if (e) {
		free(s);
		return e;
	}
	*ret = s;
	return NULL;
}

const struct btf *btf_source_btf(const struct btf_source *s)
{
	return s->btf;
}

/* How well a type answers for its name; false for those that never do. */
static bool rank_of(const struct btf_record *r, enum type_rank *ret)
{
	switch (r->kind) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		*ret = RANK_STRUCT;
		return true;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		/* An enumeration without constants is how BTF says "enum foo;". */
		*ret = RANK_ENUM;
		return r->vlen != 0;
	case BTF_KIND_TYPEDEF:
		*ret = RANK_TYPEDEF;
		return true;
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
		*ret = RANK_NUMBER;
		return true;
	default:
		return false;
	}
}

/* Offers type @id for its name; the first of the best rank stays. */
static bool index_type(struct btf_source *s, uint32_t id)
{
	struct btf_record r = btf_record(s->btf, id);
	enum type_rank rank, old_rank;
	if (!r.name || !rank_of(&r, &rank))
		return true;
	bool added;
	uint32_t *best = name_map_at(&s->names, r.name, &added);
	if (!best)
		return false;
	if (!added) {
		struct btf_record old = btf_record(s->btf, *best);
		if (rank_of(&old, &old_rank) && old_rank >= rank)
			return true;
	}
	*best = id;
	return true;
}

static struct err *build_index(struct btf_source *s)
{
	for (uint32_t id = btf_first(s->btf); id < btf_end(s->btf); id++)
		if (!index_type(s, id))
			return err_nomem();
	s->indexed = true;
	return NULL;
}

static struct err *find(void *self, const char *name, enum type_rank least, uint64_t *ret_id)
{
	for (struct btf_source *s = self; s; s = s->base) {
		struct err *e = s->indexed ? NULL : build_index(s);
		if (e)
			return e;
		uint32_t id;
		if (!name_map_get(&s->names, name, &id))
			continue;
		struct btf_record r = btf_record(s->btf, id);
		enum type_rank rank;
		if (rank_of(&r, &rank) && rank >= least) {
			*ret_id = id;
			return NULL;
		}
	}
	*ret_id = 0;
	return NULL;
}

static struct err *describe(void *self, uint64_t id, struct type_desc *ret)
{
	const struct btf_source *s = self;
	struct btf_record r = btf_record(s->btf, (uint32_t)id);
	struct type_desc d = { .kind = TYPE_OTHER, .name = r.name };
	switch (r.kind) {
	case BTF_KIND_VOID:
		d.kind = TYPE_VOID;
		break;
	case BTF_KIND_INT:
		d.kind = TYPE_NUMBER;
		d.size = r.size;
		d.is_signed = get_u32(r.more) >> 24 & 1; /* BTF_INT_SIGNED */
		break;
	case BTF_KIND_FLOAT:
		d.kind = TYPE_NUMBER;
		d.size = r.size;
		d.is_signed = true;
		break;
	case BTF_KIND_PTR:
		d.kind = TYPE_POINTER;
		d.size = 8;
		d.target = r.size;
		break;
	case BTF_KIND_ARRAY:
		d.kind = TYPE_ARRAY;
		d.target = get_u32(r.more);
		d.count = get_u32(r.more + 8);
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		d.kind = TYPE_STRUCT;
		d.size = r.size;
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		d.kind = r.vlen ? TYPE_ENUM : TYPE_DECLARATION;
		d.size = r.size;
		break;
	case BTF_KIND_FWD:
		d.kind = TYPE_DECLARATION;
		break;
	case BTF_KIND_TYPEDEF:
		d.kind = TYPE_ALIAS;
		d.target = r.size;
		break;
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		d.kind = TYPE_ALIAS;
		d.name = NULL; /* a type tag's name is the tag's */
		d.target = r.size;
		break;
	default:
		break;
	}
	*ret = d;
	return NULL;
}

/*
 * A bit-field has two encodings: with kind_flag the member's offset holds its size in the upper
 * eight bits; without, its type is an integer of as many bits, which may start inside its storage.
 */
static void place_field(const struct btf_source *s, bool kind_flag, uint32_t offset,
			struct type_field *f)
{
	if (kind_flag) {
		f->bit = offset & 0xffffff;
		f->bit_size = offset >> 24;
		return;
	}
	f->bit = offset;
	struct btf_record type = btf_record(s->btf, (uint32_t)f->type);
	if (type.kind != BTF_KIND_INT)
		return;
	uint32_t integer = get_u32(type.more);
	uint32_t bits = integer & 0xff, shift = integer >> 16 & 0xff;
	if (shift || bits != (uint64_t)type.size * 8) {
		f->bit += shift;
		f->bit_size = bits;
	}
}

static struct err *fields(void *self, uint64_t id, struct type_field **ret, size_t *ret_count)
{
	const struct btf_source *s = self;
	struct btf_record r = btf_record(s->btf, (uint32_t)id);
	size_t count = r.kind == BTF_KIND_STRUCT || r.kind == BTF_KIND_UNION ? r.vlen : 0;
	struct type_field *list = calloc(count + 1, sizeof(*list));
	if (!list)
		return err_nomem();
	for (size_t i = 0; i < count; i++) {
		const uint8_t *member = r.more + i * BTF_MEMBER_SIZE;
		list[i].name = btf_string(s->btf, get_u32(member));
		list[i].type = get_u32(member + 4);
		place_field(s, r.flag, get_u32(member + 8), &list[i]);
	}
	*ret = list;
	*ret_count = count;
	return NULL;
}

/* The value of the struct btf_enum or btf_enum64 at @p. */
static int64_t enum_value(const struct btf_source *s, const struct btf_record *r, const uint8_t *p)
{
	if (r->kind == BTF_KIND_ENUM64)
		return (int64_t)((uint64_t)get_u32(p + 8) << 32 | get_u32(p + 4));
	bool is_signed = r->flag || !btf_enum_flags(s->btf);
	return is_signed ? (int32_t)get_u32(p + 4) : (int64_t)get_u32(p + 4);
}

/* The value of @constant, if @id is an enumeration that has it. */
static bool value_in(const struct btf_source *s, uint32_t id, const char *constant, int64_t *ret)
{
	struct btf_record r = btf_record(s->btf, id);
	if (r.kind != BTF_KIND_ENUM && r.kind != BTF_KIND_ENUM64)
		return false;
	size_t step = r.kind == BTF_KIND_ENUM ? BTF_ENUM_SIZE : BTF_ENUM64_SIZE;
	for (const uint8_t *p = r.more, *end = p + r.vlen * step; p < end; p += step) {
		const char *name = btf_string(s->btf, get_u32(p));
		if (name && !strcmp(name, constant)) {
			*ret = enum_value(s, &r, p);
			return true;
		}
	}
	return false;
}

static struct err *enumerator(void *self, uint64_t id, const char *constant, bool *ret_found,
			      int64_t *ret)
{
	const struct btf_source *s = self;
	*ret_found = false;
	if (id) {
		*ret_found = value_in(s, (uint32_t)id, constant, ret);
		return NULL;
	}
	for (uint32_t i = 1; i < btf_end(s->btf) && !*ret_found; i++)
		*ret_found = value_in(s, i, constant, ret);
	return NULL;
}

const struct type_source_ops btf_source_ops = {
	.kind = "BTF",
	.free = source_free,
	.find = find,
	.describe = describe,
	.fields = fields,
	.enumerator = enumerator,
};
