// SPDX-License-Identifier: GPL-2.0-or-later
/* BTF made by hand, converted, and read back by libdw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dwarf.h>
#include <elfutils/libdw.h>

#include "base/bytes.h"
#include "base/err.h"
#include "tests/image/index_reader.h"
#include "tests/names/btf_blob.h"
#include "vmcore/image/dwarf/dwarf_from_btf.h"
#include "vmcore/image/elf_writer.h"

enum { MODULES = 3 };

/* What is converted, and what came out of it. */
struct scene {
	struct btf_blob blobs[1 + MODULES];
	struct btf *btf[1 + MODULES];
	size_t count;
	struct dwarf_sections sections;
	struct buf file;
	struct buf index_bytes;
	struct index_reader index;
	Elf *elf;
	Dwarf *dwarf;
};

/* Symbols: two functions and what overlaps them, a variable, names that are not unique, and as many
 * "many_N" as one likes, each right below the one before. */
static bool place(void *self, size_t object, const char *name, struct dwarf_place *ret)
{
	static const struct {
		const char *name;
		struct dwarf_place place;
	} symbols[] = {
		{ "first", { 0x1000, 0x100, true } },  { "second", { 0x1100, 0x80, false } },
		{ "inside", { 0x1180 - 8, 4, true } }, { "per_cpu", { 0x40, 8, false } },
		{ "twice", { 0x5000, 16, false } },    { "init_task", { 0x8000, 64, true } },
		{ "modules", { 0x9000, 8, true } },
	};
	unsigned number;
	(void)self;
	if (!object && sscanf(name, "many_%u", &number) == 1) {
		*ret = (struct dwarf_place){ 0x100000 - 16 * number, 16, true };
		return true;
	}
	for (size_t i = 0; !object && i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		if (strcmp(name, symbols[i].name) != 0)
			continue;
		*ret = symbols[i].place;
		return true;
	}
	return false;
}

static void good(struct err *e)
{
	if (e)
		fail_msg("%s", err_msg(e));
}

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	blob_init(&s->blobs[0], NULL);
	s->count = 1;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;
	dwarf_end(s->dwarf);
	elf_end(s->elf);
	buf_free(&s->file);
	buf_free(&s->index_bytes);
	for (size_t i = s->count; i-- > 0;) {
		btf_free(s->btf[i]);
		blob_free(&s->blobs[i]);
	}
	free(s);
	return 0;
}

/* Another module, when the kernel's BTF is complete. */
static struct btf_blob *add_module(struct scene *s)
{
	blob_init(&s->blobs[s->count], &s->blobs[0]);
	return &s->blobs[s->count++];
}

static void add_section(struct elf_writer *w, const char *name, struct buf *content)
{
	struct elf_section section = { .name = name, .type = SHT_PROGBITS, .align = 1 };
	unsigned unused;
	good(elf_writer_section(w, &section, content, &unused));
}

static void convert(struct scene *s)
{
	static const char *const names[] = { "vmlinux", "kvm", "kvm_amd", "kvm_intel" };
	const struct dwarf_places places = { NULL, place, place };
	struct btf_object objects[1 + MODULES];
	for (size_t i = 0; i < s->count; i++) {
		struct buf bytes = blob_bytes(&s->blobs[i]);
		good(btf_parse(bytes.data, bytes.len, i ? s->btf[0] : NULL, &s->btf[i]));
		buf_free(&bytes);
		objects[i] = (struct btf_object){ names[i], s->btf[i] };
	}
	good(dwarf_from_btf(objects, s->count, &places, &s->sections));
	struct elf_writer *w;
	good(elf_writer_new(&w));
	add_section(w, ".debug_info", &s->sections.info);
	add_section(w, ".debug_abbrev", &s->sections.abbrev);
	add_section(w, ".debug_str", &s->sections.str);
	add_section(w, ".debug_ranges", &s->sections.ranges);
	add_section(w, ".debug_aranges", &s->sections.aranges);
	s->index_bytes = s->sections.gdb_index;
	buf_init(&s->sections.gdb_index);
	const char *wrong = index_open(s->index_bytes.data, s->index_bytes.len, &s->index);
	if (wrong)
		fail_msg(".gdb_index: %s", wrong);
	dwarf_sections_free(&s->sections);
	buf_init(&s->file);
	good(elf_writer_finish(w, EM_X86_64, &s->file));
	elf_writer_free(w);
	elf_version(EV_CURRENT);
	s->elf = elf_memory(s->file.data, s->file.len);
	s->dwarf = dwarf_begin_elf(s->elf, DWARF_C_READ, NULL);
	assert_non_null(s->dwarf);
}

static bool is_called(Dwarf_Die *die, const char *name)
{
	const char *its = dwarf_diename(die);
	return name ? its && !strcmp(its, name) : !its;
}

/* The @nth (from 0) DIE with @tag and @name among all units' own. */
static bool find(struct scene *s, unsigned tag, const char *name, int nth, Dwarf_Die *ret)
{
	Dwarf_Off next, offset = 0;
	size_t header;
	for (; !dwarf_nextcu(s->dwarf, offset, &next, &header, NULL, NULL, NULL); offset = next) {
		Dwarf_Die unit;
		assert_non_null(dwarf_offdie(s->dwarf, offset + header, &unit));
		if (dwarf_child(&unit, ret) != 0)
			continue;
		do {
			if ((unsigned)dwarf_tag(ret) == tag && is_called(ret, name) && !nth--)
				return true;
		} while (dwarf_siblingof(ret, ret) == 0);
	}
	return false;
}

static Dwarf_Die get(struct scene *s, unsigned tag, const char *name)
{
	Dwarf_Die die;
	if (!find(s, tag, name, 0, &die))
		fail_msg("no %s", name ? name : "such thing");
	return die;
}

static Dwarf_Die child(Dwarf_Die *parent, int nth)
{
	Dwarf_Die die;
	assert_int_equal(dwarf_child(parent, &die), 0);
	while (nth--)
		assert_int_equal(dwarf_siblingof(&die, &die), 0);
	return die;
}

static int children(Dwarf_Die *parent)
{
	Dwarf_Die die;
	int count = 0;
	for (int more = dwarf_child(parent, &die); more == 0; count++)
		more = dwarf_siblingof(&die, &die);
	return count;
}

static bool number(Dwarf_Die *die, unsigned name, uint64_t *ret)
{
	Dwarf_Attribute a;
	Dwarf_Word word;
	if (!dwarf_attr(die, name, &a) || dwarf_formudata(&a, &word))
		return false;
	*ret = word;
	return true;
}

static uint64_t value(Dwarf_Die *die, unsigned name)
{
	uint64_t v = 0;
	if (!number(die, name, &v))
		fail_msg("no attribute %#x", name);
	return v;
}

static Dwarf_Die type_of(Dwarf_Die *die)
{
	Dwarf_Attribute a;
	Dwarf_Die type;
	assert_non_null(dwarf_attr(die, DW_AT_type, &a));
	assert_non_null(dwarf_formref_die(&a, &type));
	return type;
}

/* Both encodings of a bit-field end up as the same. */
static void test_members(void **state)
{
	struct scene *s = *state;
	struct btf_blob *b = &s->blobs[0];
	uint32_t number_type = blob_int(b, "unsigned int", 4, 32, 0, 0);
	uint32_t three = blob_int(b, "unsigned int", 4, 3, 2, 0);
	uint32_t array = blob_array(b, number_type, number_type, 0);
	uint32_t inner = blob_type(b, NULL, BTF_KIND_UNION, 1, false, 4);
	blob_member(b, "in_union", number_type, 0);
	blob_type(b, "new", BTF_KIND_STRUCT, 4, true, 8);
	blob_member(b, "whole", number_type, 0);
	blob_member(b, "bits", number_type, 3U << 24 | 37);
	blob_member(b, "beyond", number_type, 64);
	blob_member(b, "crooked", number_type, 4);
	blob_type(b, "old", BTF_KIND_STRUCT, 3, false, 8);
	blob_member(b, "bits", three, 32);
	blob_member(b, NULL, inner, 0);
	blob_member(b, "flexible", array, 64);
	convert(s);
	Dwarf_Die st = get(s, DW_TAG_structure_type, "new");
	assert_int_equal(value(&st, DW_AT_byte_size), 8);
	assert_int_equal(children(&st), 2);
	Dwarf_Die m = child(&st, 1);
	assert_int_equal(value(&m, DW_AT_data_bit_offset), 37);
	assert_int_equal(value(&m, DW_AT_bit_size), 3);
	st = get(s, DW_TAG_structure_type, "old");
	assert_int_equal(children(&st), 3);
	m = child(&st, 0);
	assert_int_equal(value(&m, DW_AT_data_bit_offset), 34);
	assert_int_equal(value(&m, DW_AT_bit_size), 3);
	m = child(&st, 1);
	assert_null(dwarf_diename(&m));
	assert_int_equal(dwarf_tag((Dwarf_Die[]){ type_of(&m) }), DW_TAG_union_type);
	m = child(&st, 2);
	assert_int_equal(value(&m, DW_AT_data_member_location), 8);
}

static void test_numbers(void **state)
{
	struct scene *s = *state;
	struct btf_blob *b = &s->blobs[0];
	blob_int(b, "char", 1, 8, 0, 1);
	blob_int(b, "_Bool", 1, 8, 0, 4);
	blob_type(b, "double", BTF_KIND_FLOAT, 0, false, 8);
	blob_type(b, "negative", BTF_KIND_ENUM, 1, true, 4);
	blob_word(b, blob_string(b, "MINUS_ONE"));
	blob_word(b, UINT32_MAX);
	blob_type(b, "large", BTF_KIND_ENUM64, 1, false, 8);
	blob_word(b, blob_string(b, "LARGE"));
	blob_word(b, 5);
	blob_word(b, 0x80000000);
	convert(s);
	Dwarf_Die d = get(s, DW_TAG_base_type, "char");
	assert_int_equal(value(&d, DW_AT_encoding), DW_ATE_signed_char);
	d = get(s, DW_TAG_base_type, "_Bool");
	assert_int_equal(value(&d, DW_AT_encoding), DW_ATE_boolean);
	d = get(s, DW_TAG_base_type, "double");
	assert_int_equal(value(&d, DW_AT_encoding), DW_ATE_float);
	Dwarf_Attribute a;
	Dwarf_Sword minus;
	d = get(s, DW_TAG_enumeration_type, "negative");
	d = child(&d, 0);
	assert_non_null(dwarf_attr(&d, DW_AT_const_value, &a));
	assert_int_equal(dwarf_formsdata(&a, &minus), 0);
	assert_int_equal(minus, -1);
	d = get(s, DW_TAG_enumeration_type, "large");
	d = child(&d, 0);
	assert_int_equal(value(&d, DW_AT_const_value), UINT64_C(0x8000000000000005));
}

/* Types that hold or spell themselves; names for no terminal. */
static void test_absurd(void **state)
{
	struct scene *s = *state;
	struct btf_blob *b = &s->blobs[0];
	uint32_t self = b->next_id;
	blob_ref(b, "loop", BTF_KIND_TYPEDEF, self + 1);
	blob_ref(b, NULL, BTF_KIND_CONST, self);
	self = b->next_id;
	blob_type(b, "matryoshka", BTF_KIND_STRUCT, 1, false, 8);
	blob_member(b, "itself", self, 0);
	self = b->next_id;
	blob_ref(b, NULL, BTF_KIND_PTR, self);
	uint32_t last = blob_int(b, "int", 4, 32, 0, 1);
	for (int i = 0; i < 1000; i++)
		last = blob_ref(b, "deep", BTF_KIND_TYPEDEF, last);
	blob_ref(b, "\033[2J", BTF_KIND_TYPEDEF, 0);
	uint32_t tag = b->next_id;
	blob_ref(b, "user", BTF_KIND_TYPE_TAG, tag);
	blob_ref(b, "tagged", BTF_KIND_TYPEDEF, tag);
	convert(s);
	Dwarf_Die d, unused;
	for (int i = 0; find(s, DW_TAG_typedef, "deep", i, &d); i++)
		for (int depth = 0; dwarf_hasattr(&d, DW_AT_type); depth++) {
			assert_true(depth < 200);
			d = type_of(&d);
		}
	d = get(s, DW_TAG_structure_type, "matryoshka");
	assert_int_equal(children(&d), 0);
	assert_false(find(s, DW_TAG_typedef, "\033[2J", 0, &unused));
	assert_true(find(s, DW_TAG_typedef, NULL, 0, &unused));
	d = get(s, DW_TAG_typedef, "loop");
	for (int depth = 0; dwarf_hasattr(&d, DW_AT_type); depth++) {
		assert_true(depth < 2);
		d = type_of(&d);
	}
	d = get(s, DW_TAG_typedef, "tagged");
	assert_false(dwarf_hasattr(&d, DW_AT_type));
}

static void add_struct(struct btf_blob *b, const char *name, const char *member, uint32_t type)
{
	blob_type(b, name, BTF_KIND_STRUCT, 1, false, 4);
	blob_member(b, member, type, 0);
}

/* A typedef of each declaration leads to its one definition, or to the declaration. */
static void test_forwards(void **state)
{
	static const char *const names[] = { "here", "in_module", "in_copies", "unlike",
					     "nowhere" };
	struct scene *s = *state;
	struct btf_blob *b = &s->blobs[0];
	uint32_t number_type = blob_int(b, "int", 4, 32, 0, 1);
	for (int i = 0; i < 5; i++) {
		uint32_t forward = blob_type(b, names[i], BTF_KIND_FWD, 0, false, 0);
		blob_ref(b, names[i], BTF_KIND_TYPEDEF, forward);
	}
	add_struct(b, "here", "a", number_type);
	for (int i = 0; i < 2; i++) {
		struct btf_blob *m = add_module(s);
		add_struct(m, "in_copies", "a", number_type);
		add_struct(m, "unlike", i ? "a" : "b", number_type);
		if (i)
			add_struct(m, "in_module", "a", number_type);
	}
	convert(s);
	for (int i = 0; i < 5; i++) {
		Dwarf_Die d = get(s, DW_TAG_typedef, names[i]);
		d = type_of(&d);
		assert_string_equal(dwarf_diename(&d), names[i]);
		assert_int_equal(dwarf_hasattr(&d, DW_AT_declaration), i >= 3);
		assert_int_equal(children(&d), i < 3);
	}
}

static uint32_t add_function(struct btf_blob *b, const char *name, uint32_t result, uint32_t type)
{
	uint32_t proto = blob_type(b, NULL, BTF_KIND_FUNC_PROTO, 2, false, result);
	blob_word(b, blob_string(b, "argument"));
	blob_word(b, type);
	blob_word(b, 0);
	blob_word(b, 0);
	return blob_ref(b, name, BTF_KIND_FUNC, proto);
}

static void test_functions(void **state)
{
	struct scene *s = *state;
	struct btf_blob *b = &s->blobs[0];
	uint32_t number_type = blob_int(b, "int", 4, 32, 0, 1);
	uint32_t word = blob_int(b, "long int", 8, 64, 0, 1);
	add_function(b, "inside", 0, word);
	add_function(b, "second", 0, word);
	add_function(b, "first", number_type, word);
	add_function(b, "first", number_type, word);
	add_function(b, "twice", 0, number_type);
	add_function(b, "twice", 0, word);
	add_function(b, "without_symbol", 0, word);
	convert(s);
	Dwarf_Die d = get(s, DW_TAG_subprogram, "first");
	Dwarf_Addr low, high;
	assert_int_equal(dwarf_lowpc(&d, &low), 0);
	assert_int_equal(dwarf_highpc(&d, &high), 0);
	assert_int_equal(low, 0x1000);
	assert_int_equal(high, 0x1100);
	assert_true(dwarf_hasattr(&d, DW_AT_external));
	assert_string_equal(dwarf_diename((Dwarf_Die[]){ type_of(&d) }), "int");
	Dwarf_Die parameter = child(&d, 0);
	assert_string_equal(dwarf_diename(&parameter), "argument");
	assert_string_equal(dwarf_diename((Dwarf_Die[]){ type_of(&parameter) }), "long int");
	parameter = child(&d, 1);
	assert_int_equal(dwarf_tag(&parameter), DW_TAG_unspecified_parameters);
	assert_false(find(s, DW_TAG_subprogram, "first", 1, &d)); /* once is enough */
	static const char *const unplaced[] = { "inside", "twice", "without_symbol" };
	for (int i = 0; i < 3; i++) {
		d = get(s, DW_TAG_subprogram, unplaced[i]);
		assert_true(dwarf_hasattr(&d, DW_AT_declaration));
		assert_false(dwarf_hasattr(&d, DW_AT_low_pc));
	}
	assert_non_null(dwarf_addrdie(s->dwarf, 0x117f, &d));
	assert_null(dwarf_addrdie(s->dwarf, 0x1180, &d));
}

static uint64_t address_of(Dwarf_Die *die)
{
	Dwarf_Attribute a;
	Dwarf_Op *ops;
	size_t count;
	assert_non_null(dwarf_attr(die, DW_AT_location, &a));
	assert_int_equal(dwarf_getlocation(&a, &ops, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(ops[0].atom, DW_OP_addr);
	return ops[0].number;
}

/* Variables of BTF, and the well-known ones whose type has room where the symbol is. */
static void test_variables(void **state)
{
	struct scene *s = *state;
	struct btf_blob *b = &s->blobs[0];
	uint32_t number_type = blob_int(b, "int", 4, 32, 0, 1);
	add_struct(b, "task_struct", "comm", number_type);
	blob_type(b, "list_head", BTF_KIND_STRUCT, 2, false, 16);
	blob_member(b, "next", number_type, 0);
	blob_member(b, "prev", number_type, 64);
	blob_ref(b, "per_cpu", BTF_KIND_VAR, number_type);
	blob_word(b, 0);
	for (int i = 0; i < 2; i++) {
		blob_ref(b, "twice", BTF_KIND_VAR, number_type);
		blob_word(b, 0);
	}
	convert(s);
	Dwarf_Die d = get(s, DW_TAG_variable, "per_cpu"), unused;
	assert_int_equal(address_of(&d), 0x40);
	d = get(s, DW_TAG_variable, "twice");
	assert_false(dwarf_hasattr(&d, DW_AT_location));
	d = get(s, DW_TAG_variable, "init_task");
	assert_int_equal(address_of(&d), 0x8000);
	assert_string_equal(dwarf_diename((Dwarf_Die[]){ type_of(&d) }), "task_struct");
	assert_false(
		find(s, DW_TAG_variable, "modules", 0, &unused)); /* 8 bytes are no list head */
}

/* What gdb's own indexer would find: definitions, and what is defined elsewhere for all to see. */
static void test_index(void **state)
{
	static const struct {
		const char *name;
		uint32_t element; /* its unit, kind, and whether it is static; 0: not there */
	} expected[] = {
		{ "int", 0x90000000 },
		{ "st", 0x90000000 },
		{ "un", 0x90000000 },
		{ "en", 0x90000000 },
		{ "CONSTANT", 0xa0000000 },
		{ "td", 0x90000000 },
		{ "first", 0x30000001 },
		{ "second", 0xb0000001 },
		{ "twice", 0 },
		{ "per_cpu", 0xa0000000 },
		{ "somewhere", 0x20000000 },
		{ "nowhere", 0 },
		{ "forward", 0 },
		{ "member", 0 },
		{ "argument", 0 },
		{ "of_module", 0x90000003 }, /* behind functions that have no place */
		{ "vmlinux.btf", 0 },
		{ "long unsigned int", 0x90000000 },
		{ "unsigned long", 0x90000000 },
	};
	struct scene *s = *state;
	struct btf_blob *b = &s->blobs[0];
	uint32_t number_type = blob_int(b, "int", 4, 32, 0, 1);
	blob_int(b, "long unsigned int", 8, 64, 0, 0);
	add_struct(b, "st", "member", number_type);
	blob_type(b, "un", BTF_KIND_UNION, 1, false, 4);
	blob_member(b, "member", number_type, 0);
	blob_type(b, "en", BTF_KIND_ENUM, 1, false, 4);
	blob_word(b, blob_string(b, "CONSTANT"));
	blob_word(b, 1);
	blob_ref(b, "td", BTF_KIND_TYPEDEF, number_type);
	blob_type(b, "forward", BTF_KIND_FWD, 0, false, 0);
	add_function(b, "first", 0, number_type);
	add_function(b, "second", 0, number_type);
	add_function(b, "twice", 0, number_type);
	add_function(b, "twice", number_type, number_type);
	static const char *const variables[] = { "per_cpu", "nowhere", "somewhere" };
	for (uint32_t i = 0; i < 3; i++) {
		blob_ref(b, variables[i], BTF_KIND_VAR, number_type);
		blob_word(b, i / 2); /* static, static, global */
	}
	add_struct(add_module(s), "of_module", "member", number_type);
	convert(s);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		uint32_t seen = index_find(&s->index, expected[i].name, 0);
		if (seen != expected[i].element)
			fail_msg("%s: %#x", expected[i].name, seen);
	}
	assert_int_equal(s->index.units, 4);
	assert_int_equal(s->index.ranges, 1); /* both functions, which touch */
	assert_int_equal(get_u64(s->index.bytes + s->index.range_at), 0x1000);
	assert_int_equal(get_u64(s->index.bytes + s->index.range_at + 8), 0x1180);
}

/* A debugger that shows a function reads all of its unit: that is not all of the kernel. */
static void test_many_functions(void **state)
{
	enum { MANY = 1200 };
	struct scene *s = *state;
	struct btf_blob *b = &s->blobs[0];
	uint32_t number_type = blob_int(b, "int", 4, 32, 0, 1);
	char name[16];
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "many_%d", i);
		add_function(b, name, number_type, number_type);
	}
	convert(s);
	assert_int_equal(s->index.units, 1 + 3); /* of types, and of 512 functions or less */
	assert_int_equal(s->index.ranges, 3);
	for (int i = 0; i < MANY; i++) {
		Dwarf_Die unit, d;
		Dwarf_Addr low, address = 0x100000 - 16 * (Dwarf_Addr)i;
		snprintf(name, sizeof(name), "many_%d", i);
		assert_non_null(dwarf_addrdie(s->dwarf, address, &unit));
		assert_int_equal(dwarf_haspc(&unit, address), 1);
		assert_int_equal(dwarf_child(&unit, &d), 0);
		while (!is_called(&d, name))
			assert_int_equal(dwarf_siblingof(&d, &d), 0);
		assert_int_equal(dwarf_lowpc(&d, &low), 0);
		assert_int_equal(low, address);
		assert_string_equal(dwarf_diename((Dwarf_Die[]){ type_of(&d) }), "int");
	}
}

/* What was not parsed on top of the kernel's is no module of it. */
static void test_strangers(void **state)
{
	struct scene *s = *state;
	blob_int(&s->blobs[0], "int", 4, 32, 0, 1);
	struct buf bytes = blob_bytes(&s->blobs[0]);
	struct btf *b = NULL;
	good(btf_parse(bytes.data, bytes.len, NULL, &b));
	buf_free(&bytes);
	const struct btf_object objects[2] = { { "vmlinux", b }, { "kvm", b } };
	const struct dwarf_places places = { NULL, place, place };
	struct err *e = dwarf_from_btf(objects, 2, &places, &s->sections);
	assert_int_equal(err_code(e), ERR_INVALID);
	err_free(e);
	btf_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_members, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_absurd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forwards, setup, teardown),
		cmocka_unit_test_setup_teardown(test_functions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_variables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_index, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_functions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strangers, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
