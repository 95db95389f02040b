// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/types/btf_writer.h"

#include <string.h>

#include "base/bytes.h"
#include "base/err.h"

enum {
	HEADER_SIZE = 24, /* struct btf_header */
	BYTES_MAX = 64 << 20,
};

void btf_writer_init(struct btf_writer *w, const struct btf_writer *base)
{
	*w = (struct btf_writer){ .base = base, .next_id = base ? base->next_id : 1 };
	buf_init(&w->types);
	buf_init(&w->strings);
	/* Only what builds on nothing begins with the empty string. */
	if (base)
		w->first_string = base->first_string + (uint32_t)base->strings.len;
	else
		buf_addch(&w->strings, 0);
}

void btf_writer_free(struct btf_writer *w)
{
	buf_free(&w->types);
	buf_free(&w->strings);
	map_free(&w->string_at);
}

static uint64_t hash_string(const char *s, size_t len)
{
	uint64_t h = len;
	for (size_t i = 0; i < len; i++)
		h = map_hash(h ^ (uint8_t)s[i]) + i;
	return h;
}

/* Whether @w has @s, of this hash; of others that share it the keys are the next numbers, and *key
 * is the first that is free. */
static bool find_string(const struct btf_writer *w, const char *s, uint64_t *key, uint32_t *ret)
{
	uint64_t at;
	for (; map_get(&w->string_at, *key, &at); ++*key) {
		if (strcmp(w->strings.data + at, s) != 0)
			continue;
		*ret = w->first_string + (uint32_t)at;
		return true;
	}
	return false;
}

uint32_t btf_writer_string(struct btf_writer *w, const char *s)
{
	size_t len = s ? strlen(s) : 0;
	uint32_t offset;
	if (!len)
		return 0;
	uint64_t hash = hash_string(s, len), key = hash;
	for (const struct btf_writer *b = w->base; b; b = b->base, key = hash)
		if (find_string(b, s, &key, &offset))
			return offset;
	if (find_string(w, s, &key, &offset))
		return offset;
	if (w->strings.len > BYTES_MAX || len > BYTES_MAX ||
	    !map_put(&w->string_at, key, w->strings.len)) {
		w->failed = true;
		return 0;
	}
	offset = w->first_string + (uint32_t)w->strings.len;
	buf_add(&w->strings, s, len + 1);
	if (w->strings.failed)
		map_remove(&w->string_at, key);
	return offset;
}

void btf_writer_word(struct btf_writer *w, uint32_t word)
{
	uint8_t bytes[4];
	put_u32(bytes, word);
	buf_add(&w->types, bytes, sizeof(bytes));
}

void btf_writer_record(struct btf_writer *w, const char *name, enum btf_kind kind, uint32_t vlen,
		       bool flag, uint32_t size)
{
	w->failed = w->failed || w->next_id > BTF_WRITER_ID_MAX || vlen > BTF_WRITER_VLEN_MAX ||
		    w->types.len > BYTES_MAX;
	btf_writer_word(w, btf_writer_string(w, name));
	btf_writer_word(w, (uint32_t)flag << 31 | (uint32_t)kind << 24 | vlen);
	btf_writer_word(w, size);
	w->next_id++;
}

struct err *btf_writer_finish(const struct btf_writer *w, struct buf *out)
{
	uint8_t header[HEADER_SIZE] = { 0x9f, 0xeb, 1 };
	if (w->types.failed || w->strings.failed)
		return err_nomem();
	if (w->failed)
		return err_new(ERR_UNSUPPORTED, "there are more types than BTF can have");
	put_u32(header + 4, HEADER_SIZE);
	put_u32(header + 12, (uint32_t)w->types.len);
	put_u32(header + 16, (uint32_t)w->types.len);
	put_u32(header + 20, (uint32_t)w->strings.len);
	buf_add(out, header, sizeof(header));
	buf_add(out, w->types.data, w->types.len);
	buf_add(out, w->strings.data, w->strings.len);
	return buf_error(out);
}
