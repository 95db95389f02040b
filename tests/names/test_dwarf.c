// SPDX-License-Identifier: GPL-2.0-or-later
/* DWARF of versions 2 to 5 against what the compiler of this test itself says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "tests/names/sample_files.h"
#include "tests/names/sample_types.h"
#include "vmcore/names/types/types.h"

static const char *const files[] = { "dwarf2.elf", "dwarf3.elf", "dwarf4.elf", "dwarf5.elf",
				     "zlib.elf",   "rust.elf",	 "module.ko",  "two-units.elf" };
enum { FILES = sizeof(files) / sizeof(files[0]) };

static struct types *open_types(const char *name, int *ret_fd)
{
	struct types *t = NULL;
	*ret_fd = open(sample_path(name), O_RDONLY | O_CLOEXEC);
	assert_true(*ret_fd >= 0);
	struct err *e = types_from_dwarf(*ret_fd, name, &t);
	if (e)
		fail_msg("%s", err_msg(e));
	return t;
}

static struct member member_of(struct types *t, const char *type, const char *path)
{
	struct member m = { 0 };
	struct err *e = types_member(t, type, path, &m);
	if (e)
		fail_msg("%s", err_msg(e));
	return m;
}

/* Calls @check with the types of every sample. */
static void for_each_file(void (*check)(struct types *t))
{
	for (size_t i = 0; i < FILES; i++) {
		/* Only the file that takes a rewritten assembly can be missing. */
		if (!strcmp(files[i], "rust.elf") && !sample_exists(files[i]))
			continue;
		int fd;
		struct types *t = open_types(files[i], &fd);
		assert_string_equal(types_kind(t), "DWARF");
		check(t);
		types_free(t);
		close(fd);
	}
}

struct expected {
	const char *type, *path;
	size_t offset, size;
};
#define PLAIN(type, path)                                           \
	{                                                           \
#type, #path, offsetof(struct type, path),          \
			sizeof(((struct type *)(uintptr_t)0)->path) \
	}

static const struct expected expected[] = {
	PLAIN(sample_list, next),
	PLAIN(sample_list, prev),
	PLAIN(sample_bits, before),
	PLAIN(sample_unpacked_bits, after),
	PLAIN(sample_inner, a),
	PLAIN(sample_inner, b),
	PLAIN(sample_inner, b[5]),
	PLAIN(sample_inner, list),
	PLAIN(sample_outer, first),
	PLAIN(sample_outer, inner),
	PLAIN(sample_outer, inner.list),
	PLAIN(sample_outer, either),
	PLAIN(sample_outer, either.whole),
	PLAIN(sample_outer, either.high),
	PLAIN(sample_outer, pointer),
	PLAIN(sample_outer, deep),
	PLAIN(sample_outer, deeper),
	PLAIN(sample_outer, number),
	PLAIN(sample_outer, mem),
	PLAIN(sample_outer, mem[0]),
	PLAIN(sample_outer, mem[2].b[3]),
	PLAIN(sample_outer, table),
	PLAIN(sample_outer, pointers),
	PLAIN(sample_outer, pointers[1]),
	PLAIN(sample_outer, users),
	PLAIN(sample_outer, users.counter),
	PLAIN(sample_outer, users_pointer),
	PLAIN(sample_outer, opaque),
	PLAIN(sample_outer, state),
	PLAIN(sample_outer, call),
	PLAIN(sample_outer, bits),
	PLAIN(sample_outer, bits.before),
	PLAIN(sample_outer, more_bits.after),
	PLAIN(sample_outer, small),
	PLAIN(sample_outer, real),
	PLAIN(sample_outer, unnamed_type.named_member),
	PLAIN(sample_outer, big),
	PLAIN(sample_outer, big[255]),
	PLAIN(sample_outer, none),
};

static void check_members(struct types *t)
{
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct member m = member_of(t, expected[i].type, expected[i].path);
		if (m.offset != expected[i].offset || m.size != expected[i].size)
			fail_msg("%s.%s: offset %zu, size %zu", expected[i].type, expected[i].path,
				 (size_t)m.offset, (size_t)m.size);
		assert_int_equal(m.bit_size, 0);
	}
}

static void members_are_where_the_compiler_puts_them(void **state)
{
	(void)state;
	for_each_file(check_members);
}

static void check_shapes(struct types *t)
{
	struct member m = member_of(t, "sample_outer", "mem");
	assert_true(m.is_array && !m.is_pointer);
	assert_int_equal(m.count, 3);
	assert_int_equal(m.element_size, sizeof(struct sample_inner));
	assert_string_equal(m.type_name, "sample_inner");

	m = member_of(t, "sample_outer", "table");
	assert_int_equal(m.count, 20);
	assert_int_equal(m.element_size, sizeof(int));
	assert_true(m.is_signed);
	assert_int_equal(member_of(t, "sample_outer", "table[7]").offset,
			 offsetof(struct sample_outer, table[1][2]));

	m = member_of(t, "sample_outer", "pointers");
	assert_true(m.is_array && m.is_pointer);
	assert_string_equal(m.type_name, "sample_inner");
	assert_string_equal(member_of(t, "sample_inner", "list").type_name, "sample_list");
	assert_string_equal(member_of(t, "sample_outer", "users").type_name, "sample_atomic_t");
	assert_string_equal(member_of(t, "sample_outer", "users_pointer").type_name,
			    "sample_atomic_t");
	assert_string_equal(member_of(t, "sample_outer", "opaque").type_name,
			    "sample_never_defined");
	assert_string_equal(member_of(t, "sample_outer", "state").type_name, "sample_state");
	assert_null(member_of(t, "sample_outer", "call").type_name);
	assert_true(member_of(t, "sample_outer", "call").is_pointer);
	assert_null(member_of(t, "sample_outer", "unnamed_type").type_name);

	m = member_of(t, "sample_outer", "tail");
	assert_true(m.is_array);
	assert_int_equal(m.count, 0);
	assert_int_equal(m.offset, offsetof(struct sample_outer, tail));
	assert_int_equal(member_of(t, "sample_outer", "tail[9].prev").offset,
			 offsetof(struct sample_outer, tail[9].prev));

	assert_true(member_of(t, "sample_outer", "small").is_signed);
	assert_false(member_of(t, "sample_outer", "deep").is_signed);
	assert_int_equal(member_of(t, "sample_atomic_t", "counter").size, 4);
}

static void shapes_are_described(void **state)
{
	(void)state;
	for_each_file(check_shapes);
}

/* Where a bit-field is: filled with ones in a structure of zeros by the compiler, and looked for.
 */
static void find_bits(const void *bytes, size_t len, unsigned *ret_first, unsigned *ret_count)
{
	const uint8_t *p = bytes;
	*ret_count = 0;
	for (unsigned i = 8 * (unsigned)len; i-- > 0;) {
		if (!(p[i / 8] >> i % 8 & 1))
			continue;
		*ret_first = i;
		++*ret_count;
	}
}

static void check_bits(struct types *t, const char *type, const char *name, const void *bytes,
		       size_t len)
{
	unsigned first = 0, count;
	find_bits(bytes, len, &first, &count);
	struct member m = member_of(t, type, name);
	assert_int_equal(8 * m.offset + m.bit_offset, first);
	assert_int_equal(m.bit_size, count);
	assert_true(m.bit_offset < 8);
	assert_int_equal(m.size, (m.bit_offset + m.bit_size + 7) / 8);
}

#define BITS(t, type, field)                                           \
	do {                                                           \
		struct type object;                                    \
		memset(&object, 0, sizeof(object));                    \
		object.field--; /* all ones, whatever the width */     \
		check_bits(t, #type, #field, &object, sizeof(object)); \
	} while (0)

static void check_bit_fields(struct types *t)
{
	BITS(t, sample_bits, one);
	BITS(t, sample_bits, four);
	BITS(t, sample_bits, across);
	BITS(t, sample_bits, negative);
	BITS(t, sample_bits, wide);
	BITS(t, sample_bits, byte);
	BITS(t, sample_unpacked_bits, a);
	BITS(t, sample_unpacked_bits, b);
	BITS(t, sample_unpacked_bits, c);
	BITS(t, sample_unpacked_bits, d);
	struct sample_unpacked_bits object;
	memset(&object, 0, sizeof(object));
	object.e = true;
	check_bits(t, "sample_unpacked_bits", "e", &object, sizeof(object));
	assert_true(member_of(t, "sample_bits", "negative").is_signed);
	assert_false(member_of(t, "sample_bits", "across").is_signed);
}

static void bit_fields_are_where_the_compiler_puts_them(void **state)
{
	(void)state;
	for_each_file(check_bit_fields);
}

static void check_sizes_and_constants(struct types *t)
{
	static const struct {
		const char *name;
		size_t size;
	} sizes[] = {
		{ "sample_outer", sizeof(struct sample_outer) },
		{ "sample_either", sizeof(union sample_either) },
		{ "sample_bits", sizeof(struct sample_bits) },
		{ "sample_atomic_t", sizeof(sample_atomic_t) },
		{ "sample_state", sizeof(enum sample_state) },
	};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t size;
		assert_null(types_size(t, sizes[i].name, &size));
		assert_int_equal(size, sizes[i].size);
	}
	static const struct {
		const char *of, *name;
		int64_t value;
	} constants[] = {
		{ "sample_state", "STATE_IDLE", STATE_IDLE },
		{ "sample_state", "STATE_BUSY", STATE_BUSY },
		{ "sample_state", "STATE_LATE", STATE_LATE },
		{ "sample_state", "STATE_NEGATIVE", STATE_NEGATIVE },
		{ NULL, "STATE_BUSY", STATE_BUSY },
		{ NULL, "SAMPLE_ANONYMOUS_CONSTANT", SAMPLE_ANONYMOUS_CONSTANT },
	};
	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {
		int64_t value;
		assert_null(types_enumerator(t, constants[i].of, constants[i].name, &value));
		assert_int_equal(value, constants[i].value);
	}
}

static void sizes_and_constants(void **state)
{
	(void)state;
	for_each_file(check_sizes_and_constants);
}

static void assert_error(struct err *e, enum err_code code)
{
	assert_non_null(e);
	assert_int_equal(err_code(e), code);
	err_free(e);
}

static void check_absent(struct types *t)
{
	struct member m;
	uint64_t size;
	int64_t value;
	for (int again = 0; again < 2; again++) {
		assert_error(types_member(t, "sample_outer", "nothing", &m), ERR_NOTFOUND);
		assert_error(types_member(t, "nothing", "a", &m), ERR_NOTFOUND);
		assert_error(types_size(t, "sample_never_defined", &size), ERR_NOTFOUND);
		assert_error(types_enumerator(t, NULL, "NOTHING", &value), ERR_NOTFOUND);
		/* Only a unit in Rust has it. */
		assert_error(types_size(t, "sample_decoy", &size), ERR_NOTFOUND);
	}
}

static void what_is_absent_is_said_and_remembered(void **state)
{
	(void)state;
	for_each_file(check_absent);
}

static void files_without_dwarf(void **state)
{
	(void)state;
	struct types *t;
	int fd = open(sample_path("stripped.elf"), O_RDONLY | O_CLOEXEC);
	assert_error(types_from_dwarf(fd, "stripped.elf", &t), ERR_NOTFOUND);
	close(fd);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_error(types_from_dwarf(fd, "/dev/null", &t), ERR_NOTFOUND);
	close(fd);
	if (!sample_exists("zstd.elf"))
		return;
	/* Newer versions of libdw can read it. */
	fd = open(sample_path("zstd.elf"), O_RDONLY | O_CLOEXEC);
	struct err *e = types_from_dwarf(fd, "zstd.elf", &t);
	if (e) {
		assert_non_null(strstr(err_msg(e), "zstd"));
		assert_error(e, ERR_UNSUPPORTED);
	} else {
		check_members(t);
		types_free(t);
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_where_the_compiler_puts_them),
		cmocka_unit_test(shapes_are_described),
		cmocka_unit_test(bit_fields_are_where_the_compiler_puts_them),
		cmocka_unit_test(sizes_and_constants),
		cmocka_unit_test(what_is_absent_is_said_and_remembered),
		cmocka_unit_test(files_without_dwarf),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
