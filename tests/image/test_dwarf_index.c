// SPDX-License-Identifier: GPL-2.0-or-later
/* The index of a program's own DWARF: of this program's, and the headers of line tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fnv.h"
#include "base/leb.h"
#include "tests/image/index_reader.h"
#include "vmcore/image/dwarf/dwarf_index.h"
#include "vmcore/image/dwarf/line_files.h"
#include "vmcore/names/types/dwarf_file.h"

static void good(struct err *e)
{
	if (e)
		fail_msg("%s", err_msg(e));
}

/* ---- what this program is made of ---- */

enum index_test_colour { INDEX_TEST_RED, INDEX_TEST_GREEN };
struct index_test_shape {
	enum index_test_colour colour;
};
union index_test_either {
	struct index_test_shape shape;
	long number;
};
typedef union index_test_either index_test_name;
struct index_test_never; /* is only declared */

index_test_name index_test_global;
static volatile index_test_name index_test_hidden;
/* From the linker; nobody here defines it. */
extern char __ehdr_start[];

static __attribute__((noinline)) long index_test_function(long n)
{
	struct index_test_never *never = NULL;
	index_test_hidden.number += n + (never ? 1 : 0) + (__ehdr_start[0] == 0);
	return index_test_hidden.number;
}

/* Kinds: 1 a type, 2 a variable, 3 a function; 8 is static. 0: not there. */
static const struct {
	const char *name;
	unsigned kind;
} expected[] = {
	{ "index_test_colour", 9 },
	{ "index_test_shape", 9 },
	{ "index_test_either", 9 },
	{ "index_test_name", 9 },
	{ "INDEX_TEST_RED", 10 },
	{ "INDEX_TEST_GREEN", 10 },
	{ "index_test_never", 0 },
	{ "index_test_global", 2 },
	{ "index_test_hidden", 10 },
	{ "index_test_function", 11 },
	{ "main", 3 },
	{ "__ehdr_start", 2 },
	{ "long int", 9 },
	{ "long", 9 },
};

static void test_own_names(void **state)
{
	(void)state;
	struct buf index = BUF_INIT;
	struct index_reader r;
	struct dwarf_file *file;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	index_test_global.number = index_test_function(1);
	struct err *e = dwarf_file_open(fd, "this program", &file);
	if (e) {
		err_free(e);
		close(fd);
		skip(); /* it was built without -g */
	}
	e = dwarf_index_make(dwarf_file_dwarf(file), &index);
	dwarf_file_close(file);
	close(fd);
	if (e && err_code(e) == ERR_UNSUPPORTED) {
		err_free(e);
		skip(); /* sanitizers bring units in C++ */
	}
	good(e);
	const char *wrong = index_open(index.data, index.len, &r);
	if (wrong)
		fail_msg("%s", wrong);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		unsigned kind = index_find(&r, expected[i].name, 0) >> 28;
		if (kind != expected[i].kind)
			fail_msg("%s is %u in the index", expected[i].name, kind);
	}
	/* A type that all units have from one header is there once. */
	assert_int_not_equal(index_find(&r, "uint64_t", 0), 0);
	assert_int_equal(index_find(&r, "uint64_t", 1), 0);
	assert_true(r.ranges > 0);
	buf_free(&index);
}

/* ---- line tables ---- */

static uint64_t place(const char *folder, const char *file)
{
	uint64_t hash = FNV_BEGIN;
	if (*folder)
		hash = fnv_add(hash, folder, strlen(folder) + 1);
	return fnv_add(hash, file, strlen(file) + 1);
}

static void begin(struct buf *b, unsigned version)
{
	leb_add_u32(b, 0); /* its length, later */
	leb_add_u16(b, (uint16_t)version);
	if (version >= 5)
		leb_add_u16(b, 8);
	leb_add_u32(b, 0); /* the header's length, which is not used */
	leb_add_u8(b, 1);
	if (version >= 4)
		leb_add_u8(b, 1);
	leb_add_u8(b, 1);
	leb_add_u8(b, (uint8_t)-5);
	leb_add_u8(b, 14);
	leb_add_u8(b, 3); /* two opcodes */
	leb_add_u16(b, 0x0101);
}

static void end(struct buf *b)
{
	assert_false(b->failed);
	put_u32(b->data, (uint32_t)b->len - 4);
}

/* DWARF 5, with what clang adds: a sum of each file. */
static void make_new(struct buf *b)
{
	begin(b, 5);
	leb_add_u8(b, 1);
	leb_add_unsigned(b, 1);	   /* DW_LNCT_path */
	leb_add_unsigned(b, 0x1f); /* DW_FORM_line_strp */
	leb_add_unsigned(b, 2);
	leb_add_u32(b, 1);
	leb_add_u32(b, 5);
	leb_add_u8(b, 3);
	leb_add_unsigned(b, 1);
	leb_add_unsigned(b, 0x08); /* DW_FORM_string */
	leb_add_unsigned(b, 2);	   /* DW_LNCT_directory_index */
	leb_add_unsigned(b, 0x0f); /* DW_FORM_udata */
	leb_add_unsigned(b, 5);	   /* DW_LNCT_MD5 */
	leb_add_unsigned(b, 0x1e); /* DW_FORM_data16 */
	leb_add_unsigned(b, 2);
	for (unsigned i = 0; i < 2; i++) {
		buf_addf(b, "%c.c", 'a' + (int)i);
		leb_add_u8(b, 0);
		leb_add_unsigned(b, i);
		buf_fill(b, 'm', 16);
	}
	end(b);
}

static void make_old(struct buf *b)
{
	begin(b, 2);
	buf_add(b, "one\0two\0", 9);
	buf_add(b, "a.c\0\0\0\0", 7);
	buf_add(b, "b.c\0\2\0\0", 8);
	end(b);
}

static const char strings[] = "\0one\0two";

static struct line_sections sections_of(const struct buf *b)
{
	return (struct line_sections){
		.line = { (const unsigned char *)b->data, b->len },
		.line_str = { (const unsigned char *)strings, sizeof(strings) },
	};
}

static void check_cut(struct buf *b, size_t count)
{
	struct line_files f = { 0 };
	/* In memory of its own, so that what reads past it is found out. */
	for (size_t len = 0; len < b->len; len++) {
		unsigned char *part = malloc(len + 1);
		memcpy(part, b->data, len);
		const struct line_sections sections = {
			.line = { part, len },
			.line_str = { (const unsigned char *)strings, sizeof(strings) },
		};
		good(line_files_read(&sections, 0, &f));
		assert_int_equal(f.count, 0);
		if (len > 4) {
			put_u32(part, (uint32_t)len - 4);
			good(line_files_read(&sections, 0, &f));
			assert_true(f.count <= count);
		}
		free(part);
	}
	line_files_free(&f);
}

static void test_new_lines(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	struct line_files f = { 0 };
	make_new(&b);
	struct line_sections sections = sections_of(&b);
	good(line_files_read(&sections, 0, &f));
	assert_int_equal(f.count, 2);
	assert_int_equal(f.names[0], place("one", "a.c"));
	assert_int_equal(f.names[1], place("two", "b.c"));
	good(line_files_read(&sections, b.len, &f));
	assert_int_equal(f.count, 0);
	sections.line_str.len = 3; /* its strings are cut off */
	good(line_files_read(&sections, 0, &f));
	assert_int_equal(f.count, 0);
	check_cut(&b, 2);
	line_files_free(&f);
	buf_free(&b);
}

static void test_old_lines(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	struct line_files f = { 0 };
	make_old(&b);
	const struct line_sections sections = sections_of(&b);
	good(line_files_read(&sections, 0, &f));
	assert_int_equal(f.count, 3);
	assert_int_equal(f.names[1], place("", "a.c"));
	assert_int_equal(f.names[2], place("two", "b.c"));
	check_cut(&b, 3);
	line_files_free(&f);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_names),
		cmocka_unit_test(test_new_lines),
		cmocka_unit_test(test_old_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
