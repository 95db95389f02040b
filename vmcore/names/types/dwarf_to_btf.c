// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Types are told apart by keys: texts in which all that makes a type what it is stands, types that
 * it contains by their numbers, types that it points to by their names, which ends all circles. Two
 * passes: the first gives every definition in the file its number; the second writes the records,
 * when it is known what declarations mean.
 */
#include "vmcore/names/types/dwarf_to_btf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/map.h"
#include "vmcore/names/elf_guard.h"
#include "vmcore/names/types/btf_writer.h"
#include "vmcore/names/types/dwarf_attr.h"
#include "vmcore/names/types/dwarf_types.h"
#include "vmcore/names/types/type_source.h"

enum {
	DEPTH_MAX = 64,	    /* of types within one another */
	SEVERAL = 0,	    /* in place of the number of the only definition */
	ID_BITS = 24,	    /* of a number in canon */
	KEY_MAX = 16 << 20, /* bytes; prototypes within one another may double at each step */
};

/* What becomes a record. */
struct record {
	Dwarf_Off die;
	enum btf_kind kind;
	uint32_t target; /* of what has no DIE to ask: a pointer, a qualifier, a dimension */
	uint32_t count;	 /* of a dimension */
};

/* A function's first definition. */
struct function {
	Dwarf_Off die;
	uint64_t key; /* of its prototype */
	bool several; /* there are others, of another prototype */
};

struct dwarf_to_btf {
	const struct dwarf_to_btf *base; /* borrowed; NULL: none */
	Dwarf *dwarf;			 /* borrowed, during the conversion */
	struct btf_writer out;
	struct map by_die;	/* the number of what was converted */
	struct map canon;	/* by hash: the rest of the hash, and the number */
	struct map definitions; /* by the same of kind and name: the number, or SEVERAL */
	struct record *records; /* owned; from number `first` on */
	size_t count, capacity;
	uint32_t first;
	struct function *functions; /* owned */
	size_t function_count, function_capacity;
	struct map function_at; /* by hash of the name: the rest of that, and the index */
};

static struct err *convert(struct dwarf_to_btf *c, Dwarf_Off off, unsigned depth, uint32_t *ret);

static struct err *damaged(void)
{
	return err_new(ERR_FORMAT, "DWARF: %s", dwarf_errmsg(-1));
}

/* ---- keys ---- */

static uint64_t hash_text(const struct buf *text, uint64_t seed)
{
	uint64_t h = map_hash(seed + text->len);
	size_t at = 0;
	for (; at + 8 <= text->len; at += 8)
		h = map_hash(h ^ get_u64(text->data + at)) + at;
	for (; at < text->len; at++)
		h = map_hash(h ^ (uint8_t)text->data[at]) + at;
	return h;
}

/* A text is known by 104 bits of hash, and a number of 24 goes with it. */
struct hashed {
	uint64_t key, rest;
};

static struct hashed hash_of(const struct buf *text)
{
	return (struct hashed){ hash_text(text, 1) | 1, hash_text(text, 2) >> ID_BITS };
}

static bool find_hashed(const struct map *m, struct hashed h, uint32_t *ret)
{
	uint64_t found;
	if (!map_get(m, h.key, &found) || found >> ID_BITS != h.rest)
		return false;
	*ret = (uint32_t)(found & ((1 << ID_BITS) - 1));
	return true;
}

static bool put_hashed(struct map *m, struct hashed h, uint32_t number)
{
	return map_put(m, h.key, h.rest << ID_BITS | number);
}

static bool canon_get(const struct dwarf_to_btf *c, struct hashed h, uint32_t *ret)
{
	for (; c; c = c->base)
		if (find_hashed(&c->canon, h, ret))
			return true;
	return false;
}

static struct err *add_record(struct dwarf_to_btf *c, struct record r, uint32_t *ret)
{
	if (c->count == c->capacity) {
		size_t capacity = c->capacity ? 2 * c->capacity : 4096;
		struct record *grown = reallocarray(c->records, capacity, sizeof(*grown));
		if (!grown)
			return err_nomem();
		c->records = grown;
		c->capacity = capacity;
	}
	if (c->first + c->count > BTF_WRITER_ID_MAX)
		return err_new(ERR_UNSUPPORTED, "there are more types than BTF can have");
	*ret = c->first + (uint32_t)c->count;
	c->records[c->count++] = r;
	return NULL;
}

/* The number of the type with this key (freed), which is @r if it is new. */
static struct err *number_of(struct dwarf_to_btf *c, struct buf *key, struct record r,
			     uint32_t *ret)
{
	struct err *e = buf_error(key);
	struct hashed h = hash_of(key);
	buf_free(key);
	if (e || canon_get(c, h, ret))
		return e;
	e = add_record(c, r, ret);
	if (!e && !put_hashed(&c->canon, h, *ret))
		e = err_nomem();
	return e;
}

static struct err *too_deep(void)
{
	return err_new(ERR_FORMAT, "DWARF: types go round in circles");
}

/* Numbers and names are added as they are, a letter in front and a 0 behind them: there are tens of
 * millions. */
static void key_number(struct buf *key, char what, uint64_t n)
{
	buf_addch(key, what);
	buf_add(key, &n, sizeof(n));
}

static void key_name(struct buf *key, char what, const char *name)
{
	buf_addch(key, what);
	buf_add(key, name ? name : "", name ? strlen(name) + 1 : 1);
}

static bool is_declaration(Dwarf_Die *die)
{
	return dwarf_hasattr(die, DW_AT_declaration);
}

static struct err *key_type(struct dwarf_to_btf *c, Dwarf_Off off, bool pointed, unsigned depth,
			    struct buf *key);

/* "{", then each child of @die that has the tag by @add. */
struct keying {
	struct dwarf_to_btf *c;
	struct buf *key;
	unsigned depth;
};

static struct err *key_param(void *closure, Dwarf_Die *die, bool *stop)
{
	struct keying *k = closure;
	(void)stop;
	if (dwarf_tag(die) == DW_TAG_unspecified_parameters)
		buf_addch(k->key, '.');
	if (dwarf_tag(die) != DW_TAG_formal_parameter)
		return NULL;
	buf_addch(k->key, ',');
	return key_type(k->c, dwarf_type_of(die), true, k->depth + 1, k->key);
}

static struct err *key_proto(struct dwarf_to_btf *c, Dwarf_Die *die, unsigned depth,
			     struct buf *key)
{
	struct keying k = { c, key, depth };
	const struct dwarf_visitor v = { key_param, &k };
	bool stop = false;
	buf_addch(key, '(');
	struct err *e = key_type(c, dwarf_type_of(die), true, depth + 1, key);
	if (!e)
		e = dwarf_visit_children(die, &v, &stop);
	buf_addch(key, ')');
	return e;
}

static struct err *key_dimension(void *closure, Dwarf_Die *die, bool *stop)
{
	struct keying *k = closure;
	(void)stop;
	if (dwarf_tag(die) == DW_TAG_subrange_type)
		key_number(k->key, '[', dwarf_dimension(die));
	return NULL;
}

static struct err *key_array(struct dwarf_to_btf *c, Dwarf_Die *die, bool pointed, unsigned depth,
			     struct buf *key)
{
	struct keying k = { c, key, depth };
	const struct dwarf_visitor v = { key_dimension, &k };
	bool stop = false;
	buf_addch(key, 'a');
	struct err *e = dwarf_visit_children(die, &v, &stop);
	return e ? e : key_type(c, dwarf_type_of(die), pointed, depth + 1, key);
}

/* By its number, or, behind a pointer and where it is no more than declared, by its name. */
static struct err *key_tagged(struct dwarf_to_btf *c, Dwarf_Die *die, bool pointed, unsigned depth,
			      struct buf *key)
{
	const char *name = dwarf_diename(die);
	uint32_t id;
	if (name && (pointed || is_declaration(die))) {
		key_number(key, 'd', (uint64_t)dwarf_tag(die));
		key_name(key, ':', name);
		return NULL;
	}
	struct err *e = convert(c, dwarf_dieoffset(die), depth + 1, &id);
	if (!e)
		key_number(key, '#', id);
	return e;
}

/* Adds what tells the type at @off from others; @pointed: behind a pointer. */
static struct err *key_type(struct dwarf_to_btf *c, Dwarf_Off off, bool pointed, unsigned depth,
			    struct buf *key)
{
	Dwarf_Die die;
	if (depth > DEPTH_MAX || key->len > KEY_MAX)
		return too_deep();
	if (!off) {
		buf_addch(key, 'v');
		return NULL;
	}
	if (!dwarf_offdie(c->dwarf, off, &die))
		return damaged();
	switch (dwarf_tag(&die)) {
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_typedef:
	case DW_TAG_base_type:
		return key_tagged(c, &die, pointed, depth, key);
	case DW_TAG_pointer_type:
		buf_addch(key, '*');
		return key_type(c, dwarf_type_of(&die), true, depth + 1, key);
	case DW_TAG_const_type:
		buf_addch(key, 'K');
		return key_type(c, dwarf_type_of(&die), pointed, depth + 1, key);
	case DW_TAG_volatile_type:
		buf_addch(key, 'V');
		return key_type(c, dwarf_type_of(&die), pointed, depth + 1, key);
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type:
		return key_type(c, dwarf_type_of(&die), pointed, depth + 1, key);
	case DW_TAG_array_type:
		return key_array(c, &die, pointed, depth, key);
	case DW_TAG_subroutine_type:
		return key_proto(c, &die, depth, key);
	default:
		buf_addch(key, 'v');
		return NULL;
	}
}

static struct err *key_member(void *closure, Dwarf_Die *die, bool *stop)
{
	struct keying *k = closure;
	struct type_field f = { 0 };
	const char *name = dwarf_diename(die);
	(void)stop;
	if (dwarf_tag(die) != DW_TAG_member)
		return NULL;
	struct err *e = dwarf_place_member(k->c->dwarf, die, &f);
	if (e)
		return e;
	key_name(k->key, 'm', name);
	key_number(k->key, '@', f.bit);
	key_number(k->key, '.', f.bit_size);
	return key_type(k->c, dwarf_type_of(die), false, k->depth + 1, k->key);
}

static struct err *key_constant(void *closure, Dwarf_Die *die, bool *stop)
{
	struct keying *k = closure;
	const char *name = dwarf_diename(die);
	int64_t value;
	(void)stop;
	if (dwarf_tag(die) == DW_TAG_enumerator && dwarf_constant(die, &value)) {
		key_name(k->key, 'c', name);
		key_number(k->key, '=', (uint64_t)value);
	}
	return NULL;
}

/* ---- numbers ---- */

static struct err *convert_children(struct dwarf_to_btf *c, Dwarf_Die *die, enum btf_kind kind,
				    unsigned depth, uint32_t *ret)
{
	const char *name = dwarf_diename(die);
	struct buf key = BUF_INIT;
	struct keying k = { c, &key, depth };
	const struct dwarf_visitor v = { kind == BTF_KIND_ENUM ? key_constant : key_member, &k };
	uint64_t size = 0;
	bool stop = false;
	dwarf_number(die, DW_AT_byte_size, &size);
	key_number(&key, 's', (uint64_t)dwarf_tag(die));
	key_name(&key, ':', name);
	key_number(&key, '|', size);
	struct err *e = dwarf_visit_children(die, &v, &stop);
	if (e) {
		buf_free(&key);
		return e;
	}
	return number_of(c, &key, (struct record){ dwarf_dieoffset(die), kind, 0, 0 }, ret);
}

/* What a declaration means: the one definition of its name, or the declaration. */
static struct err *convert_declaration(struct dwarf_to_btf *c, Dwarf_Die *die, uint32_t *ret)
{
	const char *name = dwarf_diename(die);
	struct buf key = BUF_INIT;
	if (!name) {
		*ret = 0;
		return NULL;
	}
	key_number(&key, 'n', (uint64_t)dwarf_tag(die));
	key_name(&key, ':', name);
	struct hashed h = hash_of(&key);
	for (const struct dwarf_to_btf *b = c; b && !key.failed; b = b->base) {
		if (!find_hashed(&b->definitions, h, ret))
			continue;
		if (*ret == SEVERAL)
			break;
		buf_free(&key);
		return NULL;
	}
	buf_addstr(&key, "declared");
	/* An enumeration without constants is how BTF declares one. */
	return number_of(c, &key,
			 (struct record){ dwarf_dieoffset(die),
					  dwarf_tag(die) == DW_TAG_enumeration_type ? BTF_KIND_ENUM
										    : BTF_KIND_FWD,
					  0, 0 },
			 ret);
}

static struct err *convert_typedef(struct dwarf_to_btf *c, Dwarf_Die *die, unsigned depth,
				   uint32_t *ret)
{
	const char *name = dwarf_diename(die);
	struct buf key = BUF_INIT;
	if (!name)
		return convert(c, dwarf_type_of(die), depth + 1, ret);
	key_name(&key, 't', name);
	struct err *e = key_type(c, dwarf_type_of(die), false, depth + 1, &key);
	if (e) {
		buf_free(&key);
		return e;
	}
	return number_of(c, &key, (struct record){ dwarf_dieoffset(die), BTF_KIND_TYPEDEF, 0, 0 },
			 ret);
}

static struct err *convert_base(struct dwarf_to_btf *c, Dwarf_Die *die, uint32_t *ret)
{
	const char *name = dwarf_diename(die);
	uint64_t size = 0, encoding = 0;
	struct buf key = BUF_INIT;
	dwarf_number(die, DW_AT_byte_size, &size);
	dwarf_number(die, DW_AT_encoding, &encoding);
	key_name(&key, 'b', name);
	key_number(&key, ':', size);
	key_number(&key, ':', encoding);
	enum btf_kind kind = encoding == DW_ATE_float ? BTF_KIND_FLOAT : BTF_KIND_INT;
	return number_of(c, &key, (struct record){ dwarf_dieoffset(die), kind, 0, 0 }, ret);
}

/* One that leads to the type @target and has no name. */
static struct err *reference(struct dwarf_to_btf *c, enum btf_kind kind, uint32_t target,
			     uint32_t count, uint32_t *ret)
{
	struct buf key = BUF_INIT;
	key_number(&key, 'r', (uint64_t)kind);
	key_number(&key, ':', target);
	key_number(&key, '[', count);
	return number_of(c, &key, (struct record){ 0, kind, target, count }, ret);
}

static struct err *convert_reference(struct dwarf_to_btf *c, Dwarf_Die *die, enum btf_kind kind,
				     unsigned depth, uint32_t *ret)
{
	uint32_t target;
	struct err *e = convert(c, dwarf_type_of(die), depth + 1, &target);
	return e ? e : reference(c, kind, target, 0, ret);
}

struct dimensions {
	uint32_t count[8];
	size_t used;
};

static struct err *take_dimension(void *closure, Dwarf_Die *die, bool *stop)
{
	struct dimensions *d = closure;
	if (dwarf_tag(die) != DW_TAG_subrange_type)
		return NULL;
	uint64_t n = dwarf_dimension(die);
	if (n > UINT32_MAX)
		return err_new(ERR_UNSUPPORTED, "an array of %" PRIu64 " elements", n);
	d->count[d->used++] = (uint32_t)n;
	*stop = d->used == sizeof(d->count) / sizeof(*d->count);
	return NULL;
}

static struct err *convert_array(struct dwarf_to_btf *c, Dwarf_Die *die, unsigned depth,
				 uint32_t *ret)
{
	struct dimensions d = { .used = 0 };
	const struct dwarf_visitor v = { take_dimension, &d };
	bool stop = false;
	struct err *e = dwarf_visit_children(die, &v, &stop);
	if (!e && !d.used)
		d.count[d.used++] = 0;
	if (!e)
		e = convert(c, dwarf_type_of(die), depth + 1, ret);
	while (!e && d.used)
		e = reference(c, BTF_KIND_ARRAY, *ret, d.count[--d.used], ret);
	return e;
}

/* A prototype, with the names of its parameters where there are any. */
struct params {
	struct dwarf_to_btf *c;
	unsigned depth;
	struct btf_param {
		const char *name;
		uint32_t type;
	} * list; /* owned */
	size_t count, capacity;
};

static struct err *add_param(struct params *p, const char *name, uint32_t type)
{
	if (p->count == p->capacity) {
		size_t capacity = p->capacity ? 2 * p->capacity : 8;
		void *grown = reallocarray(p->list, capacity, sizeof(*p->list));
		if (!grown)
			return err_nomem();
		p->list = grown;
		p->capacity = capacity;
	}
	p->list[p->count].name = name;
	p->list[p->count++].type = type;
	return NULL;
}

static struct err *take_param(void *closure, Dwarf_Die *die, bool *stop)
{
	struct params *p = closure;
	uint32_t type = 0;
	(void)stop;
	if (dwarf_tag(die) == DW_TAG_unspecified_parameters)
		return add_param(p, NULL, 0);
	if (dwarf_tag(die) != DW_TAG_formal_parameter)
		return NULL;
	struct err *e = convert(p->c, dwarf_type_of(die), p->depth + 1, &type);
	return e ? e : add_param(p, dwarf_diename(die), type);
}

static struct err *take_params(struct dwarf_to_btf *c, Dwarf_Die *die, unsigned depth,
			       struct params *ret)
{
	*ret = (struct params){ .c = c, .depth = depth };
	const struct dwarf_visitor v = { take_param, ret };
	bool stop = false;
	struct err *e = dwarf_visit_children(die, &v, &stop);
	if (e)
		free(ret->list);
	return e;
}

static struct err *convert_proto(struct dwarf_to_btf *c, Dwarf_Die *die, unsigned depth,
				 uint32_t *ret)
{
	struct params p;
	uint32_t result = 0;
	struct buf key = BUF_INIT;
	struct err *e = convert(c, dwarf_type_of(die), depth + 1, &result);
	if (!e)
		e = take_params(c, die, depth, &p);
	if (e)
		return e;
	key_number(&key, 'p', result);
	for (size_t i = 0; i < p.count; i++) {
		key_name(&key, ',', p.list[i].name);
		key_number(&key, ':', p.list[i].type);
	}
	free(p.list);
	return number_of(c, &key,
			 (struct record){ dwarf_dieoffset(die), BTF_KIND_FUNC_PROTO, 0, 0 }, ret);
}

static struct err *convert_die(struct dwarf_to_btf *c, Dwarf_Die *die, unsigned depth,
			       uint32_t *ret)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
		if (is_declaration(die))
			return convert_declaration(c, die, ret);
		return convert_children(c, die,
					dwarf_tag(die) == DW_TAG_structure_type ? BTF_KIND_STRUCT
					: dwarf_tag(die) == DW_TAG_union_type	? BTF_KIND_UNION
										: BTF_KIND_ENUM,
					depth, ret);
	case DW_TAG_typedef:
		return convert_typedef(c, die, depth, ret);
	case DW_TAG_base_type:
		return convert_base(c, die, ret);
	case DW_TAG_pointer_type:
		return convert_reference(c, die, BTF_KIND_PTR, depth, ret);
	case DW_TAG_const_type:
		return convert_reference(c, die, BTF_KIND_CONST, depth, ret);
	case DW_TAG_volatile_type:
		return convert_reference(c, die, BTF_KIND_VOLATILE, depth, ret);
	case DW_TAG_restrict_type:
		return convert_reference(c, die, BTF_KIND_RESTRICT, depth, ret);
	case DW_TAG_atomic_type:
		return convert(c, dwarf_type_of(die), depth + 1, ret);
	case DW_TAG_array_type:
		return convert_array(c, die, depth, ret);
	case DW_TAG_subroutine_type:
		return convert_proto(c, die, depth, ret);
	default:
		*ret = 0;
		return NULL;
	}
}

/* The number of the type whose DIE is at @off (0: void). */
static struct err *convert(struct dwarf_to_btf *c, Dwarf_Off off, unsigned depth, uint32_t *ret)
{
	uint64_t known;
	Dwarf_Die die;
	*ret = 0;
	if (!off)
		return NULL;
	if (map_get(&c->by_die, off, &known)) {
		*ret = (uint32_t)known;
		return NULL;
	}
	if (depth > DEPTH_MAX)
		return too_deep();
	if (!dwarf_offdie(c->dwarf, off, &die))
		return damaged();
	struct err *e = convert_die(c, &die, depth, ret);
	if (!e && !map_put(&c->by_die, off, *ret))
		e = err_nomem();
	return e;
}

/* ---- the first pass ---- */

static struct err *note_definition(struct dwarf_to_btf *c, Dwarf_Die *die, uint32_t id)
{
	const char *name = dwarf_diename(die);
	struct buf key = BUF_INIT;
	uint32_t known;
	key_number(&key, 'n', (uint64_t)dwarf_tag(die));
	key_name(&key, ':', name);
	struct hashed h = hash_of(&key);
	bool failed = key.failed, found = find_hashed(&c->definitions, h, &known);
	buf_free(&key);
	if (found && known == id)
		return NULL;
	return failed || !put_hashed(&c->definitions, h, found ? SEVERAL : id) ? err_nomem() : NULL;
}

static bool is_inlined(Dwarf_Die *die)
{
	uint64_t how;
	return dwarf_number(die, DW_AT_inline, &how) &&
	       (how == DW_INL_inlined || how == DW_INL_declared_inlined);
}

static struct err *add_function(struct dwarf_to_btf *c, struct function f)
{
	if (c->function_count == c->function_capacity) {
		size_t capacity = c->function_capacity ? 2 * c->function_capacity : 4096;
		struct function *grown = reallocarray(c->functions, capacity, sizeof(*grown));
		if (!grown)
			return err_nomem();
		c->functions = grown;
		c->function_capacity = capacity;
	}
	if (c->function_count > BTF_WRITER_ID_MAX)
		return err_new(ERR_UNSUPPORTED, "there are more functions than BTF can have");
	c->functions[c->function_count++] = f;
	return NULL;
}

static struct err *note_function(struct dwarf_to_btf *c, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);
	struct buf key = BUF_INIT;
	uint32_t known;
	if (!name || is_declaration(die) || is_inlined(die))
		return NULL;
	buf_addstr(&key, name);
	struct hashed h = hash_of(&key);
	struct err *e = buf_error(&key);
	buf_cut(&key, 0);
	if (!e)
		e = key_proto(c, die, 0, &key);
	if (!e)
		e = buf_error(&key);
	uint64_t proto = hash_text(&key, 3);
	buf_free(&key);
	if (e)
		return e;
	if (find_hashed(&c->function_at, h, &known)) {
		c->functions[known].several |= c->functions[known].key != proto;
		return NULL;
	}
	e = add_function(c, (struct function){ dwarf_dieoffset(die), proto, false });
	if (!e && !put_hashed(&c->function_at, h, (uint32_t)c->function_count - 1))
		e = err_nomem();
	return e;
}

static struct err *visit_top(void *closure, Dwarf_Die *die, bool *stop)
{
	struct dwarf_to_btf *c = closure;
	uint32_t id;
	struct err *e;
	(void)stop;
	switch (dwarf_tag(die)) {
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
		if (is_declaration(die) || !dwarf_diename(die))
			return NULL;
		e = convert(c, dwarf_dieoffset(die), 0, &id);
		return e ? e : note_definition(c, die, id);
	case DW_TAG_typedef:
	case DW_TAG_base_type:
		return dwarf_diename(die) ? convert(c, dwarf_dieoffset(die), 0, &id) : NULL;
	case DW_TAG_subprogram:
		return note_function(c, die);
	default:
		return NULL;
	}
}

static struct err *visit_units(struct dwarf_to_btf *c)
{
	const struct dwarf_visitor v = { visit_top, c };
	for (Dwarf_CU *unit = NULL;;) {
		Dwarf_Die die;
		bool stop = false;
		struct err *e = dwarf_next_c_unit(c->dwarf, &unit, &die);
		if (!e && unit)
			e = dwarf_visit_children(&die, &v, &stop);
		if (e || !unit)
			return e;
	}
}

/* ---- the second pass: records ---- */

struct member {
	const char *name;
	struct type_field field;
	uint32_t type;
};

struct members {
	struct dwarf_to_btf *c;
	struct member *list; /* owned */
	size_t count, capacity;
	bool bits, too_far; /* there are bit-fields; one lies where BTF cannot say it */
};

static struct err *take_member(void *closure, Dwarf_Die *die, bool *stop)
{
	struct members *m = closure;
	struct member one = { .name = dwarf_diename(die) };
	(void)stop;
	if (dwarf_tag(die) != DW_TAG_member)
		return NULL;
	if (m->count == m->capacity) {
		size_t capacity = m->capacity ? 2 * m->capacity : 32;
		struct member *grown = reallocarray(m->list, capacity, sizeof(*grown));
		if (!grown)
			return err_nomem();
		m->list = grown;
		m->capacity = capacity;
	}
	struct err *e = dwarf_place_member(m->c->dwarf, die, &one.field);
	if (!e)
		e = convert(m->c, dwarf_type_of(die), 0, &one.type);
	if (e)
		return e;
	m->list[m->count++] = one;
	m->bits = m->bits || one.field.bit_size;
	m->too_far = m->too_far || one.field.bit > UINT32_MAX || one.field.bit_size > 0xff;
	return NULL;
}

/* With bit-fields there are 24 bits for a place, without 32. What cannot be said is left out: its
 * structure has its size alone then. */
static struct err *write_struct(struct dwarf_to_btf *c, Dwarf_Die *die, enum btf_kind kind)
{
	struct members m = { .c = c };
	const struct dwarf_visitor v = { take_member, &m };
	uint64_t size = 0;
	bool stop = false;
	struct err *e = dwarf_visit_children(die, &v, &stop);
	dwarf_number(die, DW_AT_byte_size, &size);
	for (size_t i = 0; !e && m.bits && i < m.count; i++)
		m.too_far = m.too_far || m.list[i].field.bit > 0xffffff;
	if (m.too_far || m.count > BTF_WRITER_VLEN_MAX || size > UINT32_MAX)
		m.count = 0;
	if (!e)
		btf_writer_record(&c->out, dwarf_diename(die), kind, (uint32_t)m.count, m.bits,
				  (uint32_t)size);
	for (size_t i = 0; !e && i < m.count; i++) {
		btf_writer_word(&c->out, btf_writer_string(&c->out, m.list[i].name));
		btf_writer_word(&c->out, m.list[i].type);
		btf_writer_word(&c->out,
				m.list[i].field.bit_size << 24 | (uint32_t)m.list[i].field.bit);
	}
	free(m.list);
	return e;
}

struct constants {
	struct constant {
		const char *name;
		int64_t value;
	} * list; /* owned */
	size_t count, capacity;
	bool is_signed, wide;
};

static struct err *take_constant(void *closure, Dwarf_Die *die, bool *stop)
{
	struct constants *l = closure;
	struct constant one = { .name = dwarf_diename(die) };
	(void)stop;
	if (dwarf_tag(die) != DW_TAG_enumerator || !dwarf_constant(die, &one.value))
		return NULL;
	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? 2 * l->capacity : 32;
		struct constant *grown = reallocarray(l->list, capacity, sizeof(*grown));
		if (!grown)
			return err_nomem();
		l->list = grown;
		l->capacity = capacity;
	}
	l->list[l->count++] = one;
	l->is_signed = l->is_signed || one.value < 0;
	l->wide = l->wide || one.value < INT32_MIN || one.value > UINT32_MAX;
	return NULL;
}

static struct err *write_enum(struct dwarf_to_btf *c, Dwarf_Die *die)
{
	struct constants l = { .count = 0 };
	const struct dwarf_visitor v = { take_constant, &l };
	uint64_t size = 4;
	bool stop = false;
	struct err *e = is_declaration(die) ? NULL : dwarf_visit_children(die, &v, &stop);
	dwarf_number(die, DW_AT_byte_size, &size);
	/* Of 64 bits, negative numbers and such that look so are not told apart. */
	bool wide = l.wide || (l.is_signed && size > 4);
	if (l.count > BTF_WRITER_VLEN_MAX)
		l.count = BTF_WRITER_VLEN_MAX;
	if (!e)
		btf_writer_record(&c->out, dwarf_diename(die),
				  wide ? BTF_KIND_ENUM64 : BTF_KIND_ENUM, (uint32_t)l.count,
				  l.is_signed, (uint32_t)size);
	for (size_t i = 0; !e && i < l.count; i++) {
		btf_writer_word(&c->out, btf_writer_string(&c->out, l.list[i].name));
		btf_writer_word(&c->out, (uint32_t)l.list[i].value);
		if (wide)
			btf_writer_word(&c->out, (uint32_t)((uint64_t)l.list[i].value >> 32));
	}
	free(l.list);
	return e;
}

static struct err *write_proto(struct dwarf_to_btf *c, Dwarf_Die *die)
{
	struct params p;
	uint32_t result;
	struct err *e = convert(c, dwarf_type_of(die), 0, &result);
	if (!e)
		e = take_params(c, die, 0, &p);
	if (e)
		return e;
	btf_writer_record(&c->out, NULL, BTF_KIND_FUNC_PROTO, (uint32_t)p.count, false, result);
	for (size_t i = 0; i < p.count; i++) {
		btf_writer_word(&c->out, btf_writer_string(&c->out, p.list[i].name));
		btf_writer_word(&c->out, p.list[i].type);
	}
	free(p.list);
	return NULL;
}

static struct err *write_base(struct dwarf_to_btf *c, Dwarf_Die *die, enum btf_kind kind)
{
	uint64_t size = 0, encoding = 0;
	dwarf_number(die, DW_AT_byte_size, &size);
	dwarf_number(die, DW_AT_encoding, &encoding);
	btf_writer_record(&c->out, dwarf_diename(die), kind, 0, false, (uint32_t)size);
	if (kind == BTF_KIND_FLOAT)
		return NULL;
	uint32_t how = encoding == DW_ATE_signed || encoding == DW_ATE_signed_char ? 1
		       : encoding == DW_ATE_boolean				   ? 4
										   : 0;
	btf_writer_word(&c->out, how << 24 | ((uint32_t)(size * 8) & 0xff));
	return NULL;
}

static struct err *write_typedef(struct dwarf_to_btf *c, Dwarf_Die *die)
{
	uint32_t target;
	struct err *e = convert(c, dwarf_type_of(die), 0, &target);
	if (!e)
		btf_writer_record(&c->out, dwarf_diename(die), BTF_KIND_TYPEDEF, 0, false, target);
	return e;
}

/* The index of arrays is of a type in BTF. That it is not there is void's number: readers ask it
 * for nothing. */
static struct err *write_reference(struct dwarf_to_btf *c, const struct record *r)
{
	bool array = r->kind == BTF_KIND_ARRAY;
	btf_writer_record(&c->out, NULL, r->kind, 0, false, array ? 0 : r->target);
	if (array) {
		btf_writer_word(&c->out, r->target);
		btf_writer_word(&c->out, 1);
		btf_writer_word(&c->out, r->count);
	}
	return NULL;
}

static struct err *write_record(struct dwarf_to_btf *c, const struct record *r)
{
	Dwarf_Die die;
	if (!r->die)
		return write_reference(c, r);
	if (!dwarf_offdie(c->dwarf, r->die, &die))
		return damaged();
	switch (r->kind) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return write_struct(c, &die, r->kind);
	case BTF_KIND_ENUM:
		return write_enum(c, &die);
	case BTF_KIND_FUNC_PROTO:
		return write_proto(c, &die);
	case BTF_KIND_TYPEDEF:
		return write_typedef(c, &die);
	case BTF_KIND_FWD:
		btf_writer_record(&c->out, dwarf_diename(&die), r->kind, 0,
				  dwarf_tag(&die) == DW_TAG_union_type, 0);
		return NULL;
	case BTF_KIND_FUNC:
		btf_writer_record(&c->out, dwarf_diename(&die), r->kind,
				  dwarf_hasattr(&die, DW_AT_external) ? BTF_LINKAGE_GLOBAL
								      : BTF_LINKAGE_STATIC,
				  false, r->target);
		return NULL;
	default:
		return write_base(c, &die, r->kind);
	}
}

static struct err *add_functions(struct dwarf_to_btf *c)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < c->function_count; i++) {
		Dwarf_Die die;
		uint32_t proto, id;
		if (c->functions[i].several)
			continue;
		if (!dwarf_offdie(c->dwarf, c->functions[i].die, &die))
			return damaged();
		e = convert_proto(c, &die, 0, &proto);
		if (!e)
			e = add_record(
				c, (struct record){ c->functions[i].die, BTF_KIND_FUNC, proto, 0 },
				&id);
	}
	return e;
}

/* Each may add more at the end. A copy: the list may move. */
static struct err *write_records(struct dwarf_to_btf *c)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < c->count; i++) {
		struct record r = c->records[i];
		e = write_record(c, &r);
	}
	return e;
}

/* The first of all numbers is an integer's, which arrays have for their index. */
static struct err *add_index_type(struct dwarf_to_btf *c)
{
	if (c->base)
		return NULL;
	btf_writer_record(&c->out, "__ARRAY_SIZE_TYPE__", BTF_KIND_INT, 0, false, 4);
	btf_writer_word(&c->out, 32);
	return NULL;
}

/* What a module's conversion does not ask of the kernel's. */
static void forget(struct dwarf_to_btf *c)
{
	map_free(&c->by_die);
	free(c->records);
	free(c->functions);
	map_free(&c->function_at);
	c->by_die = (struct map)MAP_INIT;
	c->records = NULL;
	c->functions = NULL;
	c->function_at = (struct map)MAP_INIT;
	c->dwarf = NULL;
}

void dwarf_to_btf_free(struct dwarf_to_btf *c)
{
	if (!c)
		return;
	forget(c);
	map_free(&c->canon);
	map_free(&c->definitions);
	btf_writer_free(&c->out);
	free(c);
}

struct err *dwarf_to_btf(Dwarf *dwarf, const struct dwarf_to_btf *base, struct buf *out,
			 struct dwarf_to_btf **ret)
{
	struct dwarf_to_btf *c = calloc(1, sizeof(*c));
	if (!c)
		return err_nomem();
	c->dwarf = dwarf;
	c->base = base;
	btf_writer_init(&c->out, base ? &base->out : NULL);
	struct err *e = add_index_type(c);
	c->first = c->out.next_id;
	if (!e)
		e = visit_units(c);
	if (!e)
		e = add_functions(c);
	if (!e)
		e = write_records(c);
	if (!e)
		e = elf_guard_check(dwarf_getelf(dwarf));
	if (!e)
		e = btf_writer_finish(&c->out, out);
	forget(c);
	if (e)
		dwarf_to_btf_free(c);
	else
		*ret = c;
	return e;
}
