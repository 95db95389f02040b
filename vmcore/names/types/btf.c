// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/types/btf.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"

/* include/uapi/linux/btf.h */
enum {
	BTF_MAGIC = 0xeb9f,
	BTF_VERSION = 1,
	HEADER_SIZE = 24,	 /* struct btf_header up to str_len */
	LAYOUT_HEADER_SIZE = 32, /* with layout_off and layout_len (7.1) */
	LAYOUT_SIZE = 4,	 /* struct btf_layout */
	TYPE_SIZE = 12,		 /* struct btf_type */
	MAX_ID = 0xfffff,	 /* BTF_MAX_TYPE */
	KIND_LIMIT = 0x80,	 /* seven bits */
};

/* How many bytes follow struct btf_type: some once, some for each of vlen elements. */
struct kind_size {
	bool known;
	uint8_t once, each;
};

static const struct kind_size known_sizes[BTF_KIND_KNOWN] = {
	[BTF_KIND_INT] = { true, 4, 0 },	[BTF_KIND_PTR] = { true, 0, 0 },
	[BTF_KIND_ARRAY] = { true, 12, 0 },	[BTF_KIND_STRUCT] = { true, 0, 12 },
	[BTF_KIND_UNION] = { true, 0, 12 },	[BTF_KIND_ENUM] = { true, 0, 8 },
	[BTF_KIND_FWD] = { true, 0, 0 },	[BTF_KIND_TYPEDEF] = { true, 0, 0 },
	[BTF_KIND_VOLATILE] = { true, 0, 0 },	[BTF_KIND_CONST] = { true, 0, 0 },
	[BTF_KIND_RESTRICT] = { true, 0, 0 },	[BTF_KIND_FUNC] = { true, 0, 0 },
	[BTF_KIND_FUNC_PROTO] = { true, 0, 8 }, [BTF_KIND_VAR] = { true, 4, 0 },
	[BTF_KIND_DATASEC] = { true, 0, 12 },	[BTF_KIND_FLOAT] = { true, 0, 0 },
	[BTF_KIND_DECL_TAG] = { true, 4, 0 },	[BTF_KIND_TYPE_TAG] = { true, 0, 0 },
	[BTF_KIND_ENUM64] = { true, 0, 12 },
};

struct btf {
	const struct btf *base; /* borrowed; NULL for vmlinux */
	uint8_t *data;		/* owned: type section, then string section */
	size_t types_len;	/* bytes of the type section */
	const char *strings;	/* in data; the last byte is 0 */
	uint32_t strings_len;	/* may be 0 for split BTF */
	uint32_t first_string;	/* name offset of strings[0]: the base's come before */
	uint32_t first_id;	/* number of the first type here */
	uint32_t end_id;	/* one more than that of the last */
	uint32_t *offsets;	/* owned; of type first_id + i in data */
	bool enum_flags;	/* kind_flag of enumerations means something: 6.0 and later */
};

void btf_free(struct btf *b)
{
	if (!b)
		return;
	free(b->offsets);
	free(b->data);
	free(b);
}

uint32_t btf_first(const struct btf *b)
{
	return b->first_id;
}

uint32_t btf_end(const struct btf *b)
{
	return b->end_id;
}

bool btf_enum_flags(const struct btf *b)
{
	return b->enum_flags;
}

/* Whether @offset is one of a string, here or in the base. All of them end in time: a string
 * section whose last byte is not 0 is refused. */
static bool string_exists(const struct btf *b, uint32_t offset)
{
	return offset < b->first_string || offset - b->first_string < b->strings_len || !offset;
}

const char *btf_string(const struct btf *b, uint32_t offset)
{
	while (b->base && offset < b->first_string)
		b = b->base;
	if (!b->strings_len)
		return NULL;
	const char *s = b->strings + (offset - b->first_string);
	return *s ? s : NULL;
}

const char *btf_strings(const struct btf *b, uint32_t *ret_first, uint32_t *ret_len)
{
	*ret_first = b->first_string;
	*ret_len = b->strings_len;
	return b->strings;
}

static enum btf_kind info_kind(uint32_t info)
{
	return (enum btf_kind)(info >> 24 & 0x7f);
}

/* Up to 7.0 the count has 16 bits and those above it are 0; then it has 24. */
static uint32_t info_vlen(uint32_t info)
{
	return info & 0xffffff;
}

struct btf_record btf_record(const struct btf *b, uint32_t id)
{
	if (!id)
		return (struct btf_record){ .kind = BTF_KIND_VOID };
	while (id < b->first_id)
		b = b->base;
	const uint8_t *p = b->data + b->offsets[id - b->first_id];
	uint32_t info = get_u32(p + 4);
	return (struct btf_record){
		.more = p + TYPE_SIZE,
		.name = info_kind(info) < BTF_KIND_KNOWN ? btf_string(b, get_u32(p)) : NULL,
		.name_offset = info_kind(info) < BTF_KIND_KNOWN ? get_u32(p) : 0,
		.kind = info_kind(info),
		.flag = info >> 31,
		.vlen = info_vlen(info),
		.size = get_u32(p + 8),
	};
}

/* The header in numbers; offsets are from the start of the blob. */
struct layout {
	uint64_t types, types_len, strings, strings_len;
	struct kind_size sizes[KIND_LIMIT];
};

/* struct btf_layout for each kind the encoder knew: how to step over kinds that we do not know. */
static struct err *read_kind_sizes(const uint8_t *data, size_t len, uint32_t header_len,
				   struct layout *l)
{
	memcpy(l->sizes, known_sizes, sizeof(known_sizes));
	if (header_len < LAYOUT_HEADER_SIZE)
		return NULL;
	uint64_t at = (uint64_t)header_len + get_u32(data + 24);
	uint32_t size = get_u32(data + 28);
	if (!range_within(at, size, len))
		return err_new(ERR_FORMAT, "its layout section lies outside of it");
	for (uint32_t kind = BTF_KIND_KNOWN; kind < KIND_LIMIT && kind < size / LAYOUT_SIZE;
	     kind++) {
		const uint8_t *p = data + at + kind * LAYOUT_SIZE;
		l->sizes[kind] = (struct kind_size){ true, p[0], p[1] };
	}
	return NULL;
}

static struct err *read_header(const uint8_t *data, size_t len, struct layout *ret)
{
	if (len < HEADER_SIZE || get_u16(data) != BTF_MAGIC)
		return err_new(ERR_FORMAT, "no BTF magic");
	if (data[2] != BTF_VERSION)
		return err_new(ERR_FORMAT, "BTF version %u is unknown", data[2]);
	uint32_t header_len = get_u32(data + 4);
	if (header_len < HEADER_SIZE || header_len > len)
		return err_new(ERR_FORMAT, "header of %u bytes", header_len);
	struct layout l = {
		.types = (uint64_t)header_len + get_u32(data + 8),
		.types_len = get_u32(data + 12),
		.strings = (uint64_t)header_len + get_u32(data + 16),
		.strings_len = get_u32(data + 20),
	};
	if (!range_within(l.types, l.types_len, len))
		return err_new(ERR_FORMAT, "its types lie outside of it");
	if (!range_within(l.strings, l.strings_len, len))
		return err_new(ERR_FORMAT, "its strings lie outside of it");
	if (l.strings_len && data[l.strings + l.strings_len - 1])
		return err_new(ERR_FORMAT, "its last string has no end");
	struct err *e = read_kind_sizes(data, len, header_len, &l);
	if (e)
		return e;
	*ret = l;
	return NULL;
}

/* Steps through the types and says where each starts, in *offsets unless it is NULL. */
static struct err *find_records(const struct btf *b, const struct layout *l, uint32_t *offsets,
				uint32_t *ret_count)
{
	uint32_t count = 0;
	for (uint64_t at = 0; at < b->types_len; count++) {
		if (!range_within(at, TYPE_SIZE, b->types_len))
			return err_new(ERR_FORMAT, "type %u is cut off", b->first_id + count);
		uint32_t info = get_u32(b->data + at + 4);
		const struct kind_size *size = &l->sizes[info_kind(info)];
		if (!size->known)
			return err_new(ERR_UNSUPPORTED, "type %u is of unknown kind %u",
				       b->first_id + count, (unsigned)info_kind(info));
		if (offsets)
			offsets[count] = (uint32_t)at;
		at += TYPE_SIZE + size->once + (uint64_t)size->each * info_vlen(info);
		if (at > b->types_len)
			return err_new(ERR_FORMAT, "type %u is cut off", b->first_id + count);
		if (count >= MAX_ID - b->first_id)
			return err_new(ERR_FORMAT, "more than %d types", MAX_ID);
	}
	*ret_count = count;
	return NULL;
}

/* Where in its elements a kind keeps names and type numbers; -1: it has none. */
struct element_refs {
	int name, type;
};

static struct element_refs element_refs(enum btf_kind kind)
{
	switch (kind) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_FUNC_PROTO:
		return (struct element_refs){ .name = 0, .type = 4 };
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return (struct element_refs){ .name = 0, .type = -1 };
	case BTF_KIND_DATASEC:
		return (struct element_refs){ .name = -1, .type = 0 };
	default:
		return (struct element_refs){ .name = -1, .type = -1 };
	}
}

static bool elements_valid(const struct btf *b, enum btf_kind kind, const uint8_t *p,
			   uint32_t count)
{
	struct element_refs refs = element_refs(kind);
	if (refs.name < 0 && refs.type < 0)
		return true;
	for (uint32_t i = 0; i < count; i++, p += known_sizes[kind].each) {
		if (refs.name >= 0 && !string_exists(b, get_u32(p + refs.name)))
			return false;
		if (refs.type >= 0 && get_u32(p + refs.type) >= b->end_id)
			return false;
	}
	return true;
}

/* Whether the third word of struct btf_type is a type number. */
static bool refers(enum btf_kind kind)
{
	switch (kind) {
	case BTF_KIND_PTR:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FUNC_PROTO:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
	case BTF_KIND_TYPE_TAG:
		return true;
	default:
		return false;
	}
}

/* Whether every name and type number in the record at @p exists. */
static bool record_valid(const struct btf *b, const uint8_t *p)
{
	uint32_t info = get_u32(p + 4);
	enum btf_kind kind = info_kind(info);
	const uint8_t *more = p + TYPE_SIZE;
	if (kind >= BTF_KIND_KNOWN)
		return true; /* nothing else of it is looked at */
	if (!string_exists(b, get_u32(p)))
		return false;
	if (refers(kind) && get_u32(p + 8) >= b->end_id)
		return false;
	if (kind == BTF_KIND_ARRAY &&
	    (get_u32(more) >= b->end_id || get_u32(more + 4) >= b->end_id))
		return false;
	return elements_valid(b, kind, more, info_vlen(info));
}

static struct err *read_types(struct btf *b, const struct layout *l)
{
	uint32_t count;
	struct err *e = find_records(b, l, NULL, &count);
	if (e)
		return e;
	b->end_id = b->first_id + count;
	b->offsets = calloc((size_t)count + 1, sizeof(*b->offsets));
	if (!b->offsets)
		return err_nomem();
	e = find_records(b, l, b->offsets, &count);
	if (e)
		return e;
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *p = b->data + b->offsets[i];
		if (!record_valid(b, p))
			return err_new(ERR_FORMAT, "type %u refers to what does not exist",
				       b->first_id + i);
		uint32_t info = get_u32(p + 4);
		b->enum_flags |= info_kind(info) == BTF_KIND_ENUM && info >> 31;
	}
	return NULL;
}

static struct err *parse(struct btf *b, const uint8_t *data, size_t len)
{
	struct layout l;
	struct err *e = read_header(data, len, &l);
	if (e)
		return e;
	if (!b->base && !l.strings_len)
		return err_new(ERR_FORMAT, "it has no strings");
	b->data = malloc(l.types_len + l.strings_len + 1);
	if (!b->data)
		return err_nomem();
	memcpy(b->data, data + l.types, l.types_len);
	memcpy(b->data + l.types_len, data + l.strings, l.strings_len);
	b->types_len = l.types_len;
	b->strings = (const char *)b->data + l.types_len;
	b->strings_len = (uint32_t)l.strings_len;
	return read_types(b, &l);
}

bool btf_is_split(const void *data, size_t len)
{
	struct layout l;
	struct err *e = read_header(data, len, &l);
	bool split = !e && (!l.strings_len || ((const char *)data)[l.strings]);
	err_free(e);
	return split;
}

struct err *btf_parse(const void *data, size_t len, const struct btf *base, struct btf **ret)
{
	struct btf *b = calloc(1, sizeof(*b));
	if (!b)
		return err_nomem();
	b->base = base;
	b->enum_flags = base && base->enum_flags;
	b->first_id = base ? base->end_id : 1;
	b->first_string = base ? base->first_string + base->strings_len : 0;
	struct err *e = parse(b, data, len);
	if (e) {
		btf_free(b);
		return err_wrap(e, "BTF");
	}
	*ret = b;
	return NULL;
}
