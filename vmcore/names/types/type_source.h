/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What types.c asks of BTF and of DWARF: a graph of numbered types. A source only decodes what is
 * written; following names, typedefs and anonymous members is done once, in types.c.
 */
#ifndef VMCORE_NAMES_TYPES_TYPE_SOURCE_H
#define VMCORE_NAMES_TYPES_TYPE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum type_kind {
	TYPE_VOID,
	TYPE_NUMBER, /* integers, characters, booleans, floating point */
	TYPE_POINTER,
	TYPE_ARRAY,
	TYPE_STRUCT, /* and unions: every member says where it is */
	TYPE_ENUM,
	TYPE_ALIAS,	  /* a typedef (it has a name), a qualifier or a tag (they have none) */
	TYPE_DECLARATION, /* "struct foo;": its members are elsewhere, or nowhere */
	TYPE_OTHER,	  /* functions, and what nothing here looks at */
};

/* Types are numbered as the source likes; 0 is void. */
struct type_desc {
	enum type_kind kind;
	const char *name; /* borrowed from the source; NULL if it has none */
	uint64_t size;	  /* bytes of numbers, structures, unions, enumerations, pointers */
	uint64_t target;  /* what an alias or a pointer leads to; an array's element type */
	uint64_t count;	  /* of an array: elements in all dimensions; 0 if it is flexible */
	bool is_signed;	  /* of a number */
};

struct type_field {
	const char *name; /* NULL: anonymous */
	uint64_t type;
	uint64_t bit;	   /* from the start of the structure */
	uint32_t bit_size; /* 0 for what is no bit-field */
};

/* Types of several kinds can share a name; the higher rank answers for it. */
enum type_rank { RANK_NUMBER, RANK_TYPEDEF, RANK_ENUM, RANK_STRUCT };

struct type_source_ops {
	const char *kind; /* "BTF", "DWARF" */
	void (*free)(void *self);

	/* A defined (not merely declared) type called @name, at least of rank @least; *ret_id is 0
	 * if there is none. */
	struct err *(*find)(void *self, const char *name, enum type_rank least, uint64_t *ret_id);

	struct err *(*describe)(void *self, uint64_t id, struct type_desc *ret);

	/* The members of the structure or union @id, in order, in an array that the caller frees.
	 */
	struct err *(*fields)(void *self, uint64_t id, struct type_field **ret, size_t *ret_count);

	/* The value of @constant in the enumeration @id, or, where @id is 0, in any. */
	struct err *(*enumerator)(void *self, uint64_t id, const char *constant, bool *ret_found,
				  int64_t *ret);
};

#endif
