// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/image/dwarf/btf_set.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/err.h"

enum {
	MAX_TYPES = 1 << 24, /* a large kernel with all of its modules has a million */
	MAX_STRINGS = 1 << 29,
	MAX_NAME = 512, /* KSYM_NAME_LEN */
};

void btf_set_free(struct btf_set *s)
{
	free(s->first);
	free(s->strings);
	*s = (struct btf_set){ 0 };
}

static struct err *number(struct btf_set *s)
{
	uint64_t types = 1, strings = 0;
	for (size_t i = 0; i < s->count; i++) {
		const struct btf *b = s->objects[i].btf;
		uint32_t base_end = i ? btf_end(s->objects[0].btf) : 1;
		uint32_t first_string, len, base_first, base_len;
		btf_strings(b, &first_string, &len);
		btf_strings(s->objects[0].btf, &base_first, &base_len);
		if (btf_first(b) != base_end || first_string != (i ? base_len : 0))
			return err_new(ERR_INVALID, "the types of %s do not build on those of %s",
				       s->objects[i].name, s->objects[0].name);
		s->first[i] = (uint32_t)types;
		s->strings[i] = (uint32_t)strings;
		types += btf_end(b) - btf_first(b);
		strings += len;
		if (types > MAX_TYPES || strings > MAX_STRINGS)
			return err_new(ERR_FORMAT, "there are too many types");
	}
	s->first[s->count] = (uint32_t)types;
	s->strings[s->count] = (uint32_t)strings;
	return NULL;
}

struct err *btf_set_init(struct btf_set *s, const struct btf_object *objects, size_t count)
{
	*s = (struct btf_set){ .objects = objects, .count = count };
	s->first = calloc(count + 1, sizeof(*s->first));
	s->strings = calloc(count + 1, sizeof(*s->strings));
	struct err *e = s->first && s->strings ? number(s) : err_nomem();
	if (e)
		btf_set_free(s);
	return e;
}

uint32_t btf_set_end(const struct btf_set *s)
{
	return s->first[s->count];
}

/* The object whose part of @starts, which ascends, holds @number. */
static uint32_t object_of(const struct btf_set *s, const uint32_t *starts, uint32_t number)
{
	size_t low = 0, high = s->count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (number < starts[middle])
			high = middle;
		else
			low = middle;
	}
	return (uint32_t)low;
}

struct btf_type btf_set_type(const struct btf_set *s, uint32_t index)
{
	uint32_t object = index ? object_of(s, s->first, index) : 0;
	const struct btf *b = s->objects[object].btf;
	uint32_t id = index ? index - s->first[object] + btf_first(b) : 0;
	return (struct btf_type){ .r = btf_record(b, id), .object = object };
}

uint32_t btf_set_index(const struct btf_set *s, uint32_t object, uint32_t id)
{
	uint32_t first = btf_first(s->objects[object].btf);
	return id < first ? id : id - first + s->first[object];
}

static bool is_name(const char *string)
{
	size_t len = 0;
	for (; string[len]; len++)
		if (len == MAX_NAME || string[len] < ' ' || string[len] > '~')
			return false;
	return len != 0;
}

uint32_t btf_set_name(const struct btf_set *s, uint32_t object, uint32_t offset)
{
	const char *string = btf_string(s->objects[object].btf, offset);
	if (!string || !is_name(string))
		return 0;
	uint32_t first, len;
	btf_strings(s->objects[object].btf, &first, &len);
	return offset < first ? offset : offset - first + s->strings[object];
}

const char *btf_set_string(const struct btf_set *s, uint32_t name)
{
	if (!name)
		return "";
	uint32_t object = object_of(s, s->strings, name);
	uint32_t first, len;
	return btf_strings(s->objects[object].btf, &first, &len) + (name - s->strings[object]);
}

/* Without kind_flag a bit-field's type is an integer of as many bits, which may start inside its
 * storage. */
static void place_old_bit_field(const struct btf *b, uint32_t id, struct btf_member *m)
{
	struct btf_record type = btf_record(b, id);
	if (type.kind != BTF_KIND_INT)
		return;
	uint32_t integer = get_u32(type.more);
	uint32_t bits = integer & 0xff, shift = integer >> 16 & 0xff;
	if (!shift && bits == (uint64_t)type.size * 8)
		return;
	m->bit_size = bits;
	m->bit = m->bit > UINT32_MAX - shift ? UINT32_MAX : m->bit + shift;
}

struct btf_member btf_set_member(const struct btf_set *s, const struct btf_type *t, uint32_t i)
{
	const uint8_t *p = t->r.more + (size_t)i * BTF_MEMBER_SIZE;
	uint32_t id = get_u32(p + 4), offset = get_u32(p + 8);
	struct btf_member m = {
		.name = btf_set_name(s, t->object, get_u32(p)),
		.type = btf_set_index(s, t->object, id),
		.bit = t->r.flag ? offset & 0xffffff : offset,
		.bit_size = t->r.flag ? offset >> 24 : 0,
	};
	if (!t->r.flag)
		place_old_bit_field(s->objects[t->object].btf, id, &m);
	return m;
}

uint32_t btf_set_references(const struct btf_type *t)
{
	switch (t->r.kind) {
	case BTF_KIND_PTR:
	case BTF_KIND_ARRAY:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
	case BTF_KIND_FUNC:
	case BTF_KIND_VAR:
		return 1;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return t->r.vlen;
	case BTF_KIND_FUNC_PROTO:
		return 1 + t->r.vlen;
	default:
		return 0;
	}
}

uint32_t btf_set_reference(const struct btf_set *s, const struct btf_type *t, uint32_t i)
{
	uint32_t id = t->r.size;
	if (t->r.kind == BTF_KIND_ARRAY)
		id = get_u32(t->r.more);
	else if (btf_is_structure(t->r.kind))
		id = get_u32(t->r.more + (size_t)i * BTF_MEMBER_SIZE + 4);
	else if (t->r.kind == BTF_KIND_FUNC_PROTO && i)
		id = get_u32(t->r.more + (size_t)(i - 1) * BTF_PARAM_SIZE + 4);
	return btf_set_index(s, t->object, id);
}
