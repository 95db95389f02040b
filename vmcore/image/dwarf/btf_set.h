/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The BTF of a kernel and of its modules as one: every type of every object has an index of its
 * own, and every string an offset in all string sections laid end to end. Nothing is copied.
 */
#ifndef VMCORE_IMAGE_DWARF_BTF_SET_H
#define VMCORE_IMAGE_DWARF_BTF_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmcore/names/types/btf.h"

struct err;

/* The kernel ("vmlinux") or a module ("kvm"). Both are borrowed. */
struct btf_object {
	const char *name;
	const struct btf *btf;
};

struct btf_set {
	const struct btf_object *objects; /* borrowed; the first is what all others build on */
	size_t count;			  /* at least 1 */
	uint32_t *first;   /* owned; the index of each object's first type, then the end */
	uint32_t *strings; /* owned; where each object's strings start, then the end */
};

/* Types are numbered from 1 over all objects; 0 is void, as in BTF. */
struct btf_type {
	struct btf_record r;
	uint32_t object; /* which it belongs to */
};

/* What struct btf_member says, in either of its encodings. */
struct btf_member {
	uint32_t name;	   /* offset in the set's strings; 0: it has none */
	uint32_t type;	   /* index; may be 0 in damaged BTF */
	uint32_t bit;	   /* where it starts in its structure */
	uint32_t bit_size; /* 0 for what is no bit-field */
};

/*
 * Numbers the types of @count (1 or more) @objects, which must stay. ERR_INVALID when one was not
 * parsed on top of the first one, ERR_FORMAT when all of them are absurdly large.
 */
__attribute__((warn_unused_result)) struct err *
btf_set_init(struct btf_set *s, const struct btf_object *objects, size_t count);
void btf_set_free(struct btf_set *s);

/* One more than the highest index. */
uint32_t btf_set_end(const struct btf_set *s);

/* The type @index, below btf_set_end(). */
struct btf_type btf_set_type(const struct btf_set *s, uint32_t index);

/* The index of what @object calls type @id. */
uint32_t btf_set_index(const struct btf_set *s, uint32_t object, uint32_t id);

/*
 * What @object's record calls the string @offset, as an offset in all strings; 0 for the empty one
 * and for what can be no name in C source: longer than 512 bytes, or with bytes that are not
 * printable ASCII. A name ends up in a debugger's tables and on somebody's terminal.
 */
uint32_t btf_set_name(const struct btf_set *s, uint32_t object, uint32_t offset);

/* The string at such an offset, "" for 0. */
const char *btf_set_string(const struct btf_set *s, uint32_t name);

/* Member @i (below r.vlen) of the structure or union @t. */
struct btf_member btf_set_member(const struct btf_set *s, const struct btf_type *t, uint32_t i);

/* How many types @t refers to, and which: what it is made of or points to; of a prototype the
 * returned one first; of a structure those of its members in order. */
uint32_t btf_set_references(const struct btf_type *t);
uint32_t btf_set_reference(const struct btf_set *s, const struct btf_type *t, uint32_t i);

static inline bool btf_is_structure(enum btf_kind kind)
{
	return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION;
}

static inline bool btf_is_enum(enum btf_kind kind)
{
	return kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64;
}

#endif
