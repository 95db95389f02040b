// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/names/btf_blob.h"

#include <string.h>

#include "base/bytes.h"
#include "vmcore/names/types/btf.h"

static void add_u32(struct buf *b, uint32_t v)
{
	uint8_t raw[4];
	put_u32(raw, v);
	buf_add(b, raw, sizeof(raw));
}

void blob_init(struct btf_blob *b, const struct btf_blob *base)
{
	*b = (struct btf_blob){ .types = BUF_INIT, .strings = BUF_INIT, .layout = BUF_INIT };
	b->next_id = base ? base->next_id : 1;
	if (base)
		b->string_offset = base->string_offset + (uint32_t)base->strings.len;
	else
		buf_addch(&b->strings, 0);
}

void blob_free(struct btf_blob *b)
{
	buf_free(&b->types);
	buf_free(&b->strings);
	buf_free(&b->layout);
}

uint32_t blob_string(struct btf_blob *b, const char *s)
{
	if (!s)
		return 0;
	uint32_t at = b->string_offset + (uint32_t)b->strings.len;
	buf_add(&b->strings, s, strlen(s) + 1);
	return at;
}

uint32_t blob_type(struct btf_blob *b, const char *name, unsigned kind, unsigned vlen, bool flag,
		   uint32_t size_or_type)
{
	add_u32(&b->types, blob_string(b, name));
	add_u32(&b->types, (uint32_t)flag << 31 | (uint32_t)kind << 24 | vlen);
	add_u32(&b->types, size_or_type);
	return b->next_id++;
}

void blob_word(struct btf_blob *b, uint32_t word)
{
	add_u32(&b->types, word);
}

void blob_member(struct btf_blob *b, const char *name, uint32_t type, uint32_t offset)
{
	blob_word(b, blob_string(b, name));
	blob_word(b, type);
	blob_word(b, offset);
}

uint32_t blob_int(struct btf_blob *b, const char *name, uint32_t size, unsigned bits,
		  unsigned shift, unsigned encoding)
{
	uint32_t id = blob_type(b, name, BTF_KIND_INT, 0, false, size);
	blob_word(b, encoding << 24 | shift << 16 | bits);
	return id;
}

uint32_t blob_ref(struct btf_blob *b, const char *name, unsigned kind, uint32_t type)
{
	return blob_type(b, name, kind, 0, false, type);
}

uint32_t blob_array(struct btf_blob *b, uint32_t type, uint32_t index, uint32_t count)
{
	uint32_t id = blob_type(b, NULL, BTF_KIND_ARRAY, 0, false, 0);
	blob_word(b, type);
	blob_word(b, index);
	blob_word(b, count);
	return id;
}

struct buf blob_bytes(const struct btf_blob *b)
{
	struct buf out = BUF_INIT;
	uint32_t types = (uint32_t)b->types.len, strings = (uint32_t)b->strings.len;
	buf_add(&out, "\x9f\xeb\x01", 4);
	add_u32(&out, b->with_layout ? 32 : 24);
	add_u32(&out, 0);
	add_u32(&out, types);
	add_u32(&out, types);
	add_u32(&out, strings);
	if (b->with_layout) {
		add_u32(&out, types + strings);
		add_u32(&out, (uint32_t)b->layout.len);
	}
	buf_add(&out, b->types.data, types);
	buf_add(&out, b->strings.data, strings);
	buf_add(&out, b->layout.data, b->layout.len);
	return out;
}
