// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether split BTF stands on the right base. It says of that no more than numbers: another base
 * (of another kernel, or of the same one by another run of pahole) has other strings at those
 * offsets, and other types of those numbers.
 */
#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/names/types/btf.h"

enum { DEPTH_MAX = 32 }; /* of typedefs, qualifiers and arrays in one another */

static struct err *other_base(uint32_t id, const char *what)
{
	return err_new(ERR_FORMAT,
		       "it builds on the BTF of another kernel, or on what another run of pahole "
		       "made of this one: %s of its type %u",
		       what, id);
}

/* Names are referred to by where they begin, which is behind the 0 of another. */
static bool is_whole(const struct btf *b, uint32_t offset)
{
	uint32_t first, len;
	if (!offset)
		return true;
	const char *s = btf_string(b, offset);
	btf_strings(b, &first, &len);
	return s && (offset == first || !s[-1]);
}

/* In bytes; false if it has none: a function, void, a declaration. */
static bool size_of(const struct btf *b, uint32_t id, uint64_t *ret)
{
	uint64_t count = 1;
	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		struct btf_record r = btf_record(b, id);
		switch (r.kind) {
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_CONST:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
			id = r.size;
			break;
		case BTF_KIND_ARRAY:
			if (__builtin_mul_overflow(count, get_u32(r.more + 8), &count))
				return false;
			id = get_u32(r.more);
			break;
		case BTF_KIND_PTR:
			return !__builtin_mul_overflow(count, 8, ret);
		case BTF_KIND_INT:
		case BTF_KIND_FLOAT:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
			return !__builtin_mul_overflow(count, r.size, ret);
		default:
			return false;
		}
	}
	return false;
}

static struct err *check_members(const struct btf *b, uint32_t id, const struct btf_record *r)
{
	const uint8_t *m = r->more;
	for (uint32_t i = 0; i < r->vlen; i++, m += BTF_MEMBER_SIZE) {
		uint32_t where = get_u32(m + 8);
		uint64_t bit = r->flag ? where & 0xffffff : where, size, end;
		if (!is_whole(b, get_u32(m)))
			return other_base(id, "the name of a member");
		if (!size_of(b, get_u32(m + 4), &size))
			return other_base(id, "the type of a member");
		/* A bit-field's type is larger than what it takes of the structure. */
		if (r->flag && where >> 24)
			continue;
		if (__builtin_mul_overflow(size, 8, &end) ||
		    __builtin_add_overflow(end, bit, &end) || end > UINT64_C(8) * r->size)
			return other_base(id, "the size of a member");
	}
	return NULL;
}

static struct err *check_names(const struct btf *b, uint32_t id, const struct btf_record *r,
			       uint32_t each)
{
	const uint8_t *p = r->more;
	for (uint32_t i = 0; i < r->vlen; i++, p += each)
		if (!is_whole(b, get_u32(p)))
			return other_base(id, "a name in it");
	return NULL;
}

static struct err *check_record(const struct btf *b, uint32_t id)
{
	struct btf_record r = btf_record(b, id);
	if (!is_whole(b, r.name_offset))
		return other_base(id, "the name");
	switch (r.kind) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return check_members(b, id, &r);
	case BTF_KIND_ENUM:
		return check_names(b, id, &r, BTF_ENUM_SIZE);
	case BTF_KIND_ENUM64:
		return check_names(b, id, &r, BTF_ENUM64_SIZE);
	case BTF_KIND_FUNC_PROTO:
		return check_names(b, id, &r, BTF_PARAM_SIZE);
	case BTF_KIND_FUNC:
		return btf_record(b, r.size).kind == BTF_KIND_FUNC_PROTO
			       ? NULL
			       : other_base(id, "the prototype");
	default:
		return NULL;
	}
}

struct err *btf_check_base(const struct btf *b)
{
	struct err *e = NULL;
	for (uint32_t id = btf_first(b); !e && id < btf_end(b); id++)
		e = check_record(b, id);
	return e;
}
