/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hand-made BTF, record by record, for tests that need every kind and every kind of damage. */
#ifndef TESTS_NAMES_BTF_BLOB_H
#define TESTS_NAMES_BTF_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct btf_blob {
	struct buf types, strings, layout;
	uint32_t next_id;	/* number of the next type */
	uint32_t string_offset; /* what name offsets start at: the base's strings */
	bool with_layout;	/* a header with a layout section, as since 7.1 */
};

/* An empty one; @base is NULL or what this split BTF builds on. */
void blob_init(struct btf_blob *b, const struct btf_blob *base);
void blob_free(struct btf_blob *b);

/* The offset of a new string. */
uint32_t blob_string(struct btf_blob *b, const char *s);

/* Adds struct btf_type with @kind, @vlen and kind_flag @flag; the result is its number. */
uint32_t blob_type(struct btf_blob *b, const char *name, unsigned kind, unsigned vlen, bool flag,
		   uint32_t size_or_type);

/* What follows it, as words. */
void blob_word(struct btf_blob *b, uint32_t word);
void blob_member(struct btf_blob *b, const char *name, uint32_t type, uint32_t offset);

/* Shorthands for whole types. @encoding: 1 signed. */
uint32_t blob_int(struct btf_blob *b, const char *name, uint32_t size, unsigned bits,
		  unsigned shift, unsigned encoding);
uint32_t blob_ref(struct btf_blob *b, const char *name, unsigned kind, uint32_t type);
uint32_t blob_array(struct btf_blob *b, uint32_t type, uint32_t index, uint32_t count);

/* Header and sections in one, to be freed with buf_free(). */
struct buf blob_bytes(const struct btf_blob *b);

#endif
