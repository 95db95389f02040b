// SPDX-License-Identifier: GPL-2.0-or-later
/* The writer of .gdb_index, read by the book, and names that mean no good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "tests/image/index_reader.h"
#include "vmcore/image/dwarf/gdb_index.h"

enum { STATIC = 8 }; /* beside the kind in the upper four bits of an element */

struct scene {
	struct gdb_index *index;
	struct buf section;
	struct index_reader reader;
};

static void good(struct err *e)
{
	if (e)
		fail_msg("%s", err_msg(e));
}

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	buf_init(&s->section);
	good(gdb_index_new(&s->index));
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;
	gdb_index_free(s->index);
	buf_free(&s->section);
	free(s);
	return 0;
}

static void write_section(struct scene *s)
{
	good(gdb_index_write(s->index, &s->section));
	const char *wrong = index_open(s->section.data, s->section.len, &s->reader);
	if (wrong)
		fail_msg("%s", wrong);
}

static uint32_t element(unsigned unit, unsigned kind)
{
	return unit | kind << 28;
}

static void test_names(void **state)
{
	struct scene *s = *state;
	gdb_index_begin_unit(s->index, 0);
	gdb_index_add(s->index, "kvm", GDB_INDEX_TYPE, true);
	gdb_index_add(s->index, "kvm", GDB_INDEX_TYPE, true);
	gdb_index_add(s->index, "kvm", GDB_INDEX_FUNCTION, false);
	gdb_index_add(s->index, "KVM", GDB_INDEX_VARIABLE, true);
	gdb_index_add(s->index, "alone", GDB_INDEX_FUNCTION, false);
	gdb_index_add_range(s->index, 0xffffffff81000000, 0xffffffff81000010);
	gdb_index_end_unit(s->index, 100);
	gdb_index_begin_unit(s->index, 100);
	gdb_index_add(s->index, "kvm", GDB_INDEX_TYPE, true);
	gdb_index_add_range(s->index, 0xffffffffc0000000, 0xffffffffc0000001);
	gdb_index_end_unit(s->index, 23);
	write_section(s);
	const struct index_reader *r = &s->reader;
	assert_int_equal(r->names, 3);
	assert_int_equal(index_find(r, "kvm", 0), element(0, GDB_INDEX_TYPE | STATIC));
	assert_int_equal(index_find(r, "kvm", 1), element(0, GDB_INDEX_FUNCTION));
	assert_int_equal(index_find(r, "kvm", 2), element(1, GDB_INDEX_TYPE | STATIC));
	assert_int_equal(index_find(r, "kvm", 3), 0);
	assert_int_equal(index_find(r, "KVM", 0), element(0, GDB_INDEX_VARIABLE | STATIC));
	assert_int_equal(index_find(r, "alone", 0), element(0, GDB_INDEX_FUNCTION));
	assert_int_equal(index_find(r, "Kvm", 0), 0);
	assert_int_equal(r->units, 2);
	assert_int_equal(get_u64(r->bytes + r->unit_at + 16), 100);
	assert_int_equal(get_u64(r->bytes + r->unit_at + 24), 23);
	assert_int_equal(r->ranges, 2);
	assert_int_equal(get_u64(r->bytes + r->range_at + 20), 0xffffffffc0000000);
	assert_int_equal(get_u64(r->bytes + r->range_at + 28), 0xffffffffc0000001);
	assert_int_equal(get_u32(r->bytes + r->range_at + 36), 1);
}

static void test_nothing(void **state)
{
	struct scene *s = *state;
	gdb_index_begin_unit(s->index, 0);
	gdb_index_end_unit(s->index, 11);
	write_section(s);
	assert_int_equal(s->reader.names, 0);
	assert_int_equal(index_find(&s->reader, "anything", 0), 0);
}

/* Adds @count names of @width characters; returns them. */
static char *add_names(struct scene *s, size_t count, size_t width,
		       void (*make)(char *name, size_t width, size_t number))
{
	char *names = calloc(count, width + 1);
	assert_non_null(names);
	gdb_index_begin_unit(s->index, 0);
	for (size_t i = 0; i < count; i++) {
		make(names + i * (width + 1), width, i);
		gdb_index_add(s->index, names + i * (width + 1), GDB_INDEX_TYPE, true);
	}
	gdb_index_end_unit(s->index, 11);
	return names;
}

static void numbered(char *name, size_t width, size_t number)
{
	snprintf(name, width + 1, "task_%zu", number);
}

/* Names of one kind and unit share their vector: the pool holds little but themselves. */
static void test_many(void **state)
{
	struct scene *s = *state;
	char *names = add_names(s, 100000, 12, numbered);
	write_section(s);
	assert_int_equal(s->reader.names, 100000);
	assert_int_equal(s->reader.slots, 262144);
	assert_int_equal(index_find(&s->reader, "task_99999", 0),
			 element(0, GDB_INDEX_TYPE | STATIC));
	assert_true(s->reader.size - s->reader.pool_at < 8 + 100000 * 11);
	free(names);
}

static void test_too_many(void **state)
{
	struct scene *s = *state;
	char *names = add_names(s, GDB_INDEX_NAMES_MAX + 1, 12, numbered);
	good(gdb_index_write(s->index, &s->section));
	assert_int_equal(s->section.len, 0);
	free(names);
}

/* "1z" and "27" count as the same: 67 * '1' + 'z' == 67 * '2' + '7'. */
static void colliding(char *name, size_t width, size_t number)
{
	for (size_t i = 0; i < width; i += 2, number /= 2)
		memcpy(name + i, number % 2 ? "1z" : "27", 2);
}

static void test_few_collisions(void **state)
{
	struct scene *s = *state;
	char *names = add_names(s, 16, 8, colliding);
	write_section(s);
	assert_int_equal(s->reader.names, 16);
	free(names);
}

/* Each would be tried in all the places of those before it. */
static void test_made_collisions(void **state)
{
	struct scene *s = *state;
	char *names = add_names(s, 1 << 20, 40, colliding);
	good(gdb_index_write(s->index, &s->section));
	assert_int_equal(s->section.len, 0);
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_few_collisions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_made_collisions, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
