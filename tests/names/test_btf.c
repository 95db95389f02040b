// SPDX-License-Identifier: GPL-2.0-or-later
/* BTF: every kind decodes, every kind of damage is refused, circles end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/err.h"
#include "tests/names/btf_blob.h"
#include "vmcore/names/types/btf.h"
#include "vmcore/names/types/types.h"

static struct types *read_blob(const struct btf_blob *b, struct types *base)
{
	struct buf bytes = blob_bytes(b);
	struct types *t = NULL;
	struct err *e = types_from_btf(bytes.data, bytes.len, base, &t);
	if (e)
		fail_msg("%s", err_msg(e));
	buf_free(&bytes);
	return t;
}

static void assert_refused(const void *data, size_t len, enum err_code code)
{
	struct types *t;
	struct err *e = types_from_btf(data, len, NULL, &t);
	assert_non_null(e);
	assert_int_equal(err_code(e), code);
	err_free(e);
}

static struct member member_of(struct types *t, const char *type, const char *path)
{
	struct member m = { 0 };
	struct err *e = types_member(t, type, path, &m);
	if (e)
		fail_msg("%s", err_msg(e));
	return m;
}

static void assert_error(struct err *e, enum err_code code)
{
	assert_non_null(e);
	assert_int_equal(err_code(e), code);
	err_free(e);
}

static void assert_no_member(struct types *t, const char *type, const char *path,
			     enum err_code code)
{
	struct member m;
	assert_error(types_member(t, type, path, &m), code);
	/* And the same from memory. */
	assert_error(types_member(t, type, path, &m), code);
	assert_false(types_has(t, type, path));
}

/* The numbers of the types in the sample below. */
struct sample {
	uint32_t u8, i32, u32, u64, inner, outer;
};

/*
 * struct inner { int a; char b[4]; };
 * typedef struct { struct inner *first; union { u64 whole; struct { u32 low, high; }; };
 *	const volatile struct inner mem[3]; u32 table[2][5]; u64 tail[]; } outer_t;
 */
static struct sample add_sample(struct btf_blob *b)
{
	struct sample s;
	s.u8 = blob_int(b, "unsigned char", 1, 8, 0, 0);
	s.i32 = blob_int(b, "int", 4, 32, 0, 1);
	s.u32 = blob_int(b, "unsigned int", 4, 32, 0, 0);
	s.u64 = blob_int(b, "unsigned long", 8, 64, 0, 0);
	uint32_t bytes = blob_array(b, s.u8, s.u32, 4);
	s.inner = blob_type(b, "inner", BTF_KIND_STRUCT, 2, false, 8);
	blob_member(b, "a", s.i32, 0);
	blob_member(b, "b", bytes, 32);
	uint32_t pointer = blob_ref(b, NULL, BTF_KIND_PTR, s.inner);
	uint32_t tag = blob_ref(b, "rcu", BTF_KIND_TYPE_TAG, s.inner);
	uint32_t tagged = blob_ref(b, NULL, BTF_KIND_PTR, tag);
	uint32_t halves = blob_type(b, NULL, BTF_KIND_STRUCT, 2, false, 8);
	blob_member(b, "low", s.u32, 0);
	blob_member(b, "high", s.u32, 32);
	uint32_t either = blob_type(b, NULL, BTF_KIND_UNION, 2, false, 8);
	blob_member(b, "whole", s.u64, 0);
	blob_member(b, NULL, halves, 0);
	uint32_t is_volatile = blob_ref(b, NULL, BTF_KIND_VOLATILE, s.inner);
	uint32_t is_const = blob_ref(b, NULL, BTF_KIND_CONST, is_volatile);
	uint32_t mem = blob_array(b, is_const, s.u32, 3);
	uint32_t row = blob_array(b, s.u32, s.u32, 5);
	uint32_t table = blob_array(b, row, s.u32, 2);
	uint32_t tail = blob_array(b, s.u64, s.u32, 0);
	uint32_t pointers = blob_array(b, tagged, s.u32, 2);
	s.outer = blob_type(b, NULL, BTF_KIND_STRUCT, 6, false, 96);
	blob_member(b, "first", pointer, 0);
	blob_member(b, NULL, either, 64);
	blob_member(b, "mem", mem, 128);
	blob_member(b, "table", table, 320);
	blob_member(b, "both", pointers, 640);
	blob_member(b, "tail", tail, 768);
	blob_ref(b, "outer_t", BTF_KIND_TYPEDEF, s.outer);
	return s;
}

static void members_are_found_by_path(void **state)
{
	(void)state;
	struct btf_blob b;
	blob_init(&b, NULL);
	add_sample(&b);
	struct types *t = read_blob(&b, NULL);
	assert_string_equal(types_kind(t), "BTF");

	struct member m = member_of(t, "outer_t", "first");
	assert_true(m.is_pointer && !m.is_array);
	assert_int_equal(m.size, 8);
	assert_string_equal(m.type_name, "inner");

	m = member_of(t, "outer_t", "high");
	assert_int_equal(m.offset, 12);
	assert_int_equal(m.size, 4);
	assert_int_equal(m.count, 1);
	assert_false(m.is_signed);
	assert_null(m.type_name);

	m = member_of(t, "outer_t", "mem");
	assert_true(m.is_array && !m.is_pointer);
	assert_int_equal(m.offset, 16);
	assert_int_equal(m.size, 24);
	assert_int_equal(m.count, 3);
	assert_int_equal(m.element_size, 8);
	assert_string_equal(m.type_name, "inner");

	m = member_of(t, "outer_t", "mem[2].a");
	assert_int_equal(m.offset, 32);
	assert_true(m.is_signed);
	m = member_of(t, "outer_t", "mem[1].b[3]");
	assert_int_equal(m.offset, 31);
	assert_int_equal(m.size, 1);

	m = member_of(t, "outer_t", "table");
	assert_int_equal(m.count, 10);
	assert_int_equal(m.size, 40);
	assert_int_equal(member_of(t, "outer_t", "table[7]").offset, 40 + 28);

	m = member_of(t, "outer_t", "both");
	assert_true(m.is_array && m.is_pointer);
	assert_string_equal(m.type_name, "inner");

	m = member_of(t, "outer_t", "tail");
	assert_int_equal(m.count, 0);
	assert_int_equal(m.size, 0);
	assert_int_equal(m.element_size, 8);
	assert_int_equal(member_of(t, "outer_t", "tail[1000]").offset, 96 + 8000);

	uint64_t size;
	assert_null(types_size(t, "outer_t", &size));
	assert_int_equal(size, 96);
	assert_null(types_size(t, "outer_t", &size));
	assert_int_equal(size, 96);
	assert_null(types_size(t, "unsigned long", &size));
	assert_int_equal(size, 8);
	uint64_t offset = 0;
	assert_true(types_offset(t, "inner", "b", &offset));
	assert_int_equal(offset, 4);
	types_free(t);
	blob_free(&b);
}

static void what_is_absent_is_said_and_remembered(void **state)
{
	(void)state;
	struct btf_blob b;
	blob_init(&b, NULL);
	add_sample(&b);
	struct types *t = read_blob(&b, NULL);
	assert_no_member(t, "outer_t", "nothing", ERR_NOTFOUND);
	assert_no_member(t, "nothing", "first", ERR_NOTFOUND);
	assert_no_member(t, "outer_t", "first.a", ERR_NOTFOUND); /* other memory */
	assert_no_member(t, "outer_t", "mem.a", ERR_NOTFOUND);
	assert_no_member(t, "outer_t", "mem[3].a", ERR_NOTFOUND);
	assert_no_member(t, "outer_t", "low[0]", ERR_NOTFOUND);
	assert_no_member(t, "outer_t", "lo", ERR_NOTFOUND);
	assert_no_member(t, "outer_t", "low.", ERR_INVALID);
	assert_no_member(t, "outer_t", "", ERR_INVALID);
	assert_no_member(t, "outer_t", ".low", ERR_INVALID);
	assert_no_member(t, "outer_t", "mem[", ERR_INVALID);
	assert_no_member(t, "outer_t", "mem[]", ERR_INVALID);
	assert_no_member(t, "outer_t", "mem[-1]", ERR_INVALID);
	assert_no_member(t, "outer_t", "mem[1", ERR_INVALID);
	assert_no_member(t, "outer_t", "mem[1]a", ERR_INVALID);
	assert_no_member(t, "outer_t", "tail[99999999999999999999]", ERR_INVALID);
	assert_no_member(t, "outer_t", "tail[9223372036854775807]", ERR_INVALID);
	assert_no_member(t, "inner", "a.b", ERR_NOTFOUND);
	uint64_t size;
	assert_error(types_size(t, "nothing", &size), ERR_NOTFOUND);
	assert_error(types_size(t, "nothing", &size), ERR_NOTFOUND);
	assert_false(types_has(NULL, "inner", "a"));
	types_free(t);
	blob_free(&b);
}

static void both_encodings_of_bit_fields(void **state)
{
	(void)state;
	struct btf_blob b;
	blob_init(&b, NULL);
	uint32_t u32 = blob_int(&b, "unsigned int", 4, 32, 0, 0);
	uint32_t flags = blob_ref(&b, "flags_t", BTF_KIND_TYPEDEF, u32);
	uint32_t five = blob_int(&b, NULL, 4, 5, 0, 0);
	uint32_t shifted = blob_int(&b, NULL, 4, 3, 6, 0);
	/* With kind_flag: size and offset in the member. */
	blob_type(&b, "new_way", BTF_KIND_STRUCT, 4, true, 8);
	blob_member(&b, "plain", u32, 0);
	blob_member(&b, "low", flags, 32 | 4 << 24);
	blob_member(&b, "across", flags, 36 | 7 << 24);
	blob_member(&b, "top", u32, 63 | 1 << 24);
	/* Without: the type is an integer of so many bits. */
	blob_type(&b, "old_way", BTF_KIND_STRUCT, 3, false, 8);
	blob_member(&b, "plain", u32, 0);
	blob_member(&b, "bits", five, 33);
	blob_member(&b, "inside", shifted, 32);
	struct types *t = read_blob(&b, NULL);

	static const struct {
		const char *type, *name;
		uint64_t offset, size;
		uint8_t bit_offset, bit_size;
	} expected[] = {
		{ "new_way", "plain", 0, 4, 0, 0 },  { "new_way", "low", 4, 1, 0, 4 },
		{ "new_way", "across", 4, 2, 4, 7 }, { "new_way", "top", 7, 1, 7, 1 },
		{ "old_way", "plain", 0, 4, 0, 0 },  { "old_way", "bits", 4, 1, 1, 5 },
		{ "old_way", "inside", 4, 2, 6, 3 },
	};
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct member m = member_of(t, expected[i].type, expected[i].name);
		assert_int_equal(m.offset, expected[i].offset);
		assert_int_equal(m.size, expected[i].size);
		assert_int_equal(m.bit_offset, expected[i].bit_offset);
		assert_int_equal(m.bit_size, expected[i].bit_size);
	}
	types_free(t);
	blob_free(&b);
}

static void add_enum(struct btf_blob *b, const char *name, bool flag)
{
	blob_type(b, name, BTF_KIND_ENUM, 2, flag, 4);
	blob_word(b, blob_string(b, flag ? "SIGNED" : "FIRST"));
	blob_word(b, (uint32_t)-5);
	blob_word(b, blob_string(b, flag ? "PLUS" : "SECOND"));
	blob_word(b, 2);
}

static int64_t constant(struct types *t, const char *of, const char *name)
{
	int64_t value = INT64_MIN;
	assert_null(types_enumerator(t, of, name, &value));
	return value;
}

static void enumerators_have_signs(void **state)
{
	(void)state;
	struct btf_blob b;
	blob_init(&b, NULL);
	/* Before 6.0 no enumeration has kind_flag, and all values are signed. */
	add_enum(&b, "old", false);
	struct types *t = read_blob(&b, NULL);
	assert_int_equal(constant(t, "old", "FIRST"), -5);
	types_free(t);

	add_enum(&b, "minus", true);
	blob_type(&b, NULL, BTF_KIND_ENUM64, 1, false, 8);
	blob_word(&b, blob_string(&b, "HUGE"));
	blob_word(&b, 0x89abcdef);
	blob_word(&b, 0x01234567);
	blob_type(&b, "incomplete", BTF_KIND_ENUM, 0, false, 4);
	blob_type(&b, "shared", BTF_KIND_STRUCT, 0, false, 4);
	add_enum(&b, "shared", true);
	t = read_blob(&b, NULL);
	assert_int_equal(constant(t, "old", "FIRST"), 0xfffffffb);
	assert_int_equal(constant(t, "minus", "SIGNED"), -5);
	assert_int_equal(constant(t, NULL, "HUGE"), 0x0123456789abcdef);
	assert_int_equal(constant(t, NULL, "SECOND"), 2);
	/* The name is a structure's too: any enumeration that has the constant. */
	assert_int_equal(constant(t, "shared", "PLUS"), 2);
	int64_t value;
	assert_error(types_enumerator(t, "old", "HUGE", &value), ERR_NOTFOUND);
	assert_error(types_enumerator(t, NULL, "TINY", &value), ERR_NOTFOUND);
	assert_error(types_enumerator(t, NULL, "TINY", &value), ERR_NOTFOUND);
	types_free(t);
	blob_free(&b);
}

/* The kinds that nothing asks for are stepped over, and a name means the best type that has it. */
static void every_kind_is_understood_or_stepped_over(void **state)
{
	(void)state;
	struct btf_blob b;
	blob_init(&b, NULL);
	struct sample s = add_sample(&b);
	uint32_t proto = blob_type(&b, NULL, BTF_KIND_FUNC_PROTO, 2, false, s.i32);
	blob_word(&b, blob_string(&b, "argument"));
	blob_word(&b, s.u32);
	blob_word(&b, 0);
	blob_word(&b, 0);
	uint32_t func = blob_type(&b, "inner", BTF_KIND_FUNC, 1, false, proto);
	uint32_t var = blob_type(&b, "inner", BTF_KIND_VAR, 0, false, s.inner);
	blob_word(&b, 1);
	blob_type(&b, ".data..percpu", BTF_KIND_DATASEC, 1, false, 8);
	blob_word(&b, var);
	blob_word(&b, 0);
	blob_word(&b, 8);
	blob_type(&b, "tag", BTF_KIND_DECL_TAG, 0, false, func);
	blob_word(&b, UINT32_MAX);
	blob_type(&b, "double", BTF_KIND_FLOAT, 0, false, 8);
	uint32_t restricted = blob_ref(&b, NULL, BTF_KIND_RESTRICT, s.u64);
	uint32_t fwd = blob_type(&b, "later", BTF_KIND_FWD, 0, false, 0);
	uint32_t opaque = blob_type(&b, "opaque", BTF_KIND_FWD, 0, true, 0);
	uint32_t alias = blob_ref(&b, "later", BTF_KIND_TYPEDEF, fwd);
	uint32_t to_later = blob_ref(&b, NULL, BTF_KIND_PTR, fwd);
	uint32_t to_func = blob_ref(&b, NULL, BTF_KIND_PTR, proto);
	uint32_t to_void = blob_ref(&b, NULL, BTF_KIND_PTR, 0);
	blob_type(&b, "later", BTF_KIND_STRUCT, 5, false, 32);
	blob_member(&b, "x", restricted, 0);
	blob_member(&b, "next", to_later, 64);
	blob_member(&b, "call", to_func, 128);
	blob_member(&b, "data", to_void, 192);
	blob_member(&b, "opaque", opaque, 256);
	struct types *t = read_blob(&b, NULL);
	assert_int_equal(member_of(t, "later", "x").size, 8);
	assert_string_equal(member_of(t, "later", "next").type_name, "later");
	assert_true(member_of(t, "later", "call").is_pointer);
	assert_null(member_of(t, "later", "call").type_name);
	assert_null(member_of(t, "later", "data").type_name);
	assert_string_equal(member_of(t, "later", "opaque").type_name, "opaque");
	assert_no_member(t, "later", "opaque.x", ERR_NOTFOUND);
	assert_no_member(t, "opaque", "x", ERR_NOTFOUND);
	assert_int_equal(member_of(t, "inner", "b").offset, 4);
	uint64_t size;
	assert_null(types_size(t, "double", &size));
	assert_int_equal(size, 8);
	(void)alias;
	types_free(t);
	blob_free(&b);
}

static void split_btf_builds_on_its_base(void **state)
{
	(void)state;
	struct btf_blob base, split;
	blob_init(&base, NULL);
	struct sample s = add_sample(&base);
	blob_init(&split, &base);
	uint32_t pointer = blob_ref(&split, NULL, BTF_KIND_PTR, s.inner);
	blob_type(&split, "of_module", BTF_KIND_STRUCT, 2, false, 16);
	blob_member(&split, "p", pointer, 0);
	blob_member(&split, "inner", s.inner, 64);
	struct types *vmlinux = read_blob(&base, NULL), *module = read_blob(&split, vmlinux);
	assert_string_equal(member_of(module, "of_module", "p").type_name, "inner");
	assert_int_equal(member_of(module, "of_module", "inner.b").offset, 12);
	assert_int_equal(member_of(module, "outer_t", "mem[1]").offset, 24);
	assert_false(types_has(vmlinux, "of_module", "p"));
	types_free(module);
	types_free(vmlinux);
	blob_free(&split);
	blob_free(&base);
}

/* Since 7.1 a layout section measures the kinds, those unknown here too. */
/* Whether @split is refused over @base, by what it refers to. */
static bool is_on_other_base(const struct btf_blob *split, const struct btf_blob *base)
{
	struct buf base_bytes = blob_bytes(base), split_bytes = blob_bytes(split);
	struct btf *b = NULL, *s = NULL;
	assert_false(btf_is_split(base_bytes.data, base_bytes.len));
	assert_true(btf_is_split(split_bytes.data, split_bytes.len));
	assert_null(btf_parse(base_bytes.data, base_bytes.len, NULL, &b));
	struct err *e = btf_parse(split_bytes.data, split_bytes.len, b, &s);
	if (!e)
		e = btf_check_base(s);
	bool other = e;
	if (e)
		assert_int_equal(err_code(e), ERR_FORMAT);
	err_free(e);
	btf_free(s);
	btf_free(b);
	buf_free(&base_bytes);
	buf_free(&split_bytes);
	return other;
}

/* A base of another kernel has its strings elsewhere, or other types by those numbers. */
static void split_btf_on_another_base_is_told(void **state)
{
	(void)state;
	struct btf_blob base, longer, shifted, split;
	blob_init(&base, NULL);
	struct sample s = add_sample(&base);
	blob_init(&longer, NULL);
	add_sample(&longer);
	blob_string(&longer, "one more");
	blob_init(&shifted, NULL);
	blob_ref(&shifted, NULL, BTF_KIND_PTR, 0);
	add_sample(&shifted);
	blob_init(&split, &base);
	uint32_t pointer = blob_ref(&split, NULL, BTF_KIND_PTR, s.inner);
	blob_type(&split, "of_module", BTF_KIND_STRUCT, 2, false, 16);
	blob_member(&split, "p", pointer, 0);
	blob_member(&split, "inner", s.inner, 64);
	assert_false(is_on_other_base(&split, &base));
	assert_true(is_on_other_base(&split, &longer));
	assert_true(is_on_other_base(&split, &shifted));
	blob_free(&split);
	blob_free(&shifted);
	blob_free(&longer);
	blob_free(&base);
}

static void layout_section_measures_unknown_kinds(void **state)
{
	(void)state;
	struct btf_blob b;
	blob_init(&b, NULL);
	blob_int(&b, "int", 4, 32, 0, 1);
	/* Whatever the first word of an unknown kind means, it need not be a name. */
	blob_word(&b, UINT32_MAX);
	blob_word(&b, 22 << 24 | 2);
	blob_word(&b, UINT32_MAX);
	b.next_id++;
	for (int i = 0; i < 7; i++)
		blob_word(&b, UINT32_MAX);
	blob_type(&b, "s", BTF_KIND_STRUCT, 1, false, 4);
	blob_member(&b, "a", 1, 0);
	struct buf bytes = blob_bytes(&b);
	assert_refused(bytes.data, bytes.len, ERR_UNSUPPORTED);
	buf_free(&bytes);

	b.with_layout = true;
	for (uint8_t kind = 0; kind < 23; kind++) {
		const uint8_t sizes[4] = { kind == 22 ? 4 : 0, kind == 22 ? 12 : 0, 0, 0 };
		buf_add(&b.layout, sizes, sizeof(sizes));
	}
	struct types *t = read_blob(&b, NULL);
	assert_int_equal(member_of(t, "s", "a").size, 4);
	types_free(t);
	blob_free(&b);
}

/* More members than 16 bits count. */
static void more_members_than_16_bits_count(void **state)
{
	(void)state;
	struct btf_blob b;
	blob_init(&b, NULL);
	blob_int(&b, "int", 4, 32, 0, 1);
	blob_type(&b, "wide", BTF_KIND_STRUCT, 70000, false, 280000);
	for (uint32_t i = 0; i < 70000; i++)
		blob_member(&b, i == 69999 ? "last" : "x", 1, 32 * i);
	struct types *t = read_blob(&b, NULL);
	assert_int_equal(member_of(t, "wide", "last").offset, 4 * 69999);
	types_free(t);
	blob_free(&b);
}

static void circles_end(void **state)
{
	(void)state;
	struct btf_blob b;
	blob_init(&b, NULL);
	uint32_t first = blob_ref(&b, "a", BTF_KIND_TYPEDEF, b.next_id + 1);
	blob_ref(&b, "b", BTF_KIND_TYPEDEF, first);
	/* A structure that holds itself, twice and without a name: 2^n ways through. */
	uint32_t self = blob_type(&b, "self", BTF_KIND_STRUCT, 2, false, 8);
	blob_member(&b, NULL, self, 0);
	blob_member(&b, NULL, self, 0);
	uint32_t array = blob_array(&b, b.next_id + 1, self, 2);
	uint32_t strange = blob_type(&b, "strange", BTF_KIND_STRUCT, 3, true, 8);
	blob_member(&b, "array", array, 0);
	blob_member(&b, "odd", array + 2, 3);
	blob_member(&b, "wide", array + 2, 200U << 24);
	assert_int_equal(strange, array + 1);
	blob_int(&b, "int", 4, 32, 0, 1);
	struct types *t = read_blob(&b, NULL);
	uint64_t size;
	assert_error(types_size(t, "a", &size), ERR_FORMAT);
	assert_no_member(t, "self", "x", ERR_FORMAT);
	/* An array of a structure that holds the array is legal to measure, if not to build. */
	assert_int_equal(member_of(t, "strange", "array[1].array[1]").offset, 16);
	assert_no_member(t, "strange", "odd", ERR_FORMAT);
	assert_no_member(t, "strange", "wide", ERR_FORMAT);
	types_free(t);

	uint32_t endless = blob_array(&b, b.next_id, 1, 2);
	blob_type(&b, "deep", BTF_KIND_STRUCT, 1, false, 8);
	blob_member(&b, "array", b.next_id, 0);
	(void)endless;
	blob_array(&b, b.next_id, 1, 2); /* of itself */
	t = read_blob(&b, NULL);
	assert_no_member(t, "deep", "array", ERR_FORMAT);
	types_free(t);
	blob_free(&b);
}

/* Types without strings, and every reference that does not exist. */
static void references_must_exist(void **state)
{
	(void)state;
	static const struct {
		unsigned kind, vlen;
		uint32_t third, more[3];
		unsigned words;
	} bad[] = {
		{ BTF_KIND_PTR, 0, 2, { 0 }, 0 },
		{ BTF_KIND_TYPEDEF, 0, 0xffffffff, { 0 }, 0 },
		{ BTF_KIND_CONST, 0, 99, { 0 }, 0 },
		{ BTF_KIND_TYPE_TAG, 0, 99, { 0 }, 0 },
		{ BTF_KIND_FUNC, 0, 99, { 0 }, 0 },
		{ BTF_KIND_VAR, 0, 99, { 0 }, 1 },
		{ BTF_KIND_DECL_TAG, 0, 99, { 0 }, 1 },
		{ BTF_KIND_ARRAY, 0, 0, { 99, 0, 1 }, 3 },
		{ BTF_KIND_ARRAY, 0, 0, { 0, 99, 1 }, 3 },
		{ BTF_KIND_STRUCT, 1, 4, { 0, 99, 0 }, 3 },
		{ BTF_KIND_STRUCT, 1, 4, { 99, 0, 0 }, 3 },
		{ BTF_KIND_UNION, 1, 4, { 0, 99, 0 }, 3 },
		{ BTF_KIND_ENUM, 1, 4, { 99, 0 }, 2 },
		{ BTF_KIND_ENUM64, 1, 8, { 99, 0, 0 }, 3 },
		{ BTF_KIND_FUNC_PROTO, 1, 0, { 0, 99 }, 2 },
		{ BTF_KIND_FUNC_PROTO, 1, 99, { 0, 0 }, 2 },
		{ BTF_KIND_DATASEC, 1, 4, { 99, 0, 0 }, 3 },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct btf_blob b;
		blob_init(&b, NULL);
		blob_type(&b, NULL, bad[i].kind, bad[i].vlen, false, bad[i].third);
		for (unsigned w = 0; w < bad[i].words; w++)
			blob_word(&b, bad[i].more[w]);
		struct buf bytes = blob_bytes(&b);
		assert_refused(bytes.data, bytes.len, ERR_FORMAT);
		buf_free(&bytes);
		blob_free(&b);
	}
}

static void damaged_headers_are_refused(void **state)
{
	(void)state;
	/* Where in the header, and what makes it wrong. */
	static const struct {
		size_t at;
		uint32_t value;
	} bad[] = {
		{ 0, 0x01009feb },  { 0, 0x0002eb9f }, { 4, 23 },	{ 4, 0xffffffff },
		{ 8, 0x10000 },	    { 8, 0xffffffff }, { 12, 0x10000 }, { 12, 0xffffffff },
		{ 16, 0xffffffff }, { 20, 0x10000 },   { 20, 0 },	{ 20, 0xffffffff },
		{ 12, 13 },
	};
	struct btf_blob b;
	blob_init(&b, NULL);
	add_sample(&b);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf bytes = blob_bytes(&b);
		put_u32(bytes.data + bad[i].at, bad[i].value);
		assert_refused(bytes.data, bytes.len, ERR_FORMAT);
		buf_free(&bytes);
	}
	struct buf bytes = blob_bytes(&b);
	for (size_t len = 0; len < bytes.len; len++)
		assert_refused(bytes.data, len, ERR_FORMAT);
	bytes.data[bytes.len - 1] = 'x';
	assert_refused(bytes.data, bytes.len, ERR_FORMAT);
	buf_free(&bytes);
	blob_free(&b);
}

static void more_answers_than_are_remembered(void **state)
{
	(void)state;
	struct btf_blob b;
	blob_init(&b, NULL);
	add_sample(&b);
	struct types *t = read_blob(&b, NULL);
	char path[32];
	for (int i = 0; i < 70000; i++) {
		snprintf(path, sizeof(path), "tail[%d]", i);
		uint64_t offset = 0;
		assert_true(types_offset(t, "outer_t", path, &offset));
		assert_int_equal(offset, 96 + 8 * i);
	}
	types_free(t);
	blob_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_found_by_path),
		cmocka_unit_test(what_is_absent_is_said_and_remembered),
		cmocka_unit_test(both_encodings_of_bit_fields),
		cmocka_unit_test(enumerators_have_signs),
		cmocka_unit_test(every_kind_is_understood_or_stepped_over),
		cmocka_unit_test(split_btf_builds_on_its_base),
		cmocka_unit_test(split_btf_on_another_base_is_told),
		cmocka_unit_test(layout_section_measures_unknown_kinds),
		cmocka_unit_test(more_members_than_16_bits_count),
		cmocka_unit_test(circles_end),
		cmocka_unit_test(references_must_exist),
		cmocka_unit_test(damaged_headers_are_refused),
		cmocka_unit_test(more_answers_than_are_remembered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
