// SPDX-License-Identifier: GPL-2.0-or-later
/* The flattened format, record by record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include <endian.h>

#include "base/buf.h"
#include "base/err.h"
#include "tests/memory/fakefile.h"
#include "vmcore/dump/dump.h"
#include "vmcore/dump/file.h"
#include "vmcore/dump/flatten.h"

static const struct dump_options no_options;

/* Starts a stream. */
static void begin(struct buf *b, uint64_t type, uint64_t version)
{
	char header[4096] = "makedumpfile";
	type = htobe64(type);
	version = htobe64(version);
	memcpy(header + 16, &type, sizeof(type));
	memcpy(header + 24, &version, sizeof(version));
	buf_init(b);
	buf_add(b, header, sizeof(header));
}

static void record_header(struct buf *b, uint64_t offset, uint64_t size)
{
	offset = htobe64(offset);
	size = htobe64(size);
	buf_add(b, &offset, sizeof(offset));
	buf_add(b, &size, sizeof(size));
}

static void record(struct buf *b, uint64_t offset, const void *bytes, size_t len)
{
	record_header(b, offset, len);
	buf_add(b, bytes, len);
}

static void end(struct buf *b)
{
	record_header(b, UINT64_MAX, UINT64_MAX);
}

/* Frees the stream. */
static struct err *undo(struct buf *b, struct dump_file *f)
{
	struct fakefile fake;
	*f = (struct dump_file)DUMP_FILE_INIT;
	assert_null(buf_error(b));
	fakefile_make(&fake, b->data, b->len);
	buf_free(b);
	assert_ok(dump_file_open(fake.path, f));
	fakefile_close(&fake);
	return flatten_undo(f, &no_options);
}

static void assert_file(struct dump_file *f, const void *bytes, size_t len)
{
	char out[64];
	assert_true(len <= sizeof(out));
	assert_int_equal(f->size, len);
	assert_ok(dump_file_read(f, 0, out, len, "it"));
	assert_memory_equal(out, bytes, len);
}

static void test_records(void **state)
{
	(void)state;
	struct buf b;
	struct dump_file f;
	begin(&b, 1, 1);
	record(&b, 6, "world", 5);
	record(&b, 0, "hello ", 6);
	end(&b);
	buf_addstr(&b, "what is behind the end is not looked at");
	assert_ok(undo(&b, &f));
	assert_file(&f, "hello world", 11);
	assert_true(f.flattened);
	assert_false(f.cut);
	dump_file_close(&f);
}

/* makedumpfile writes the header anew when it has finished, and zeros may be in that. */
static void test_later_records_win(void **state)
{
	(void)state;
	struct buf b;
	struct dump_file f;
	begin(&b, 1, 1);
	record(&b, 0, "abcdefgh", 8);
	record(&b, 2, "\0\0\0", 3);
	record(&b, 12, "\0\0", 2);
	end(&b);
	assert_ok(undo(&b, &f));
	assert_file(&f, "ab\0\0\0fgh\0\0\0\0\0\0", 14);
	dump_file_close(&f);
}

static void test_zeros_are_holes(void **state)
{
	(void)state;
	static const char zeros[3 << 20];
	struct buf b;
	struct dump_file f;
	struct stat st;
	begin(&b, 1, 1);
	record(&b, 0, "x", 1);
	record(&b, 4096, zeros, sizeof(zeros));
	end(&b);
	assert_ok(undo(&b, &f));
	assert_int_equal(f.size, 4096 + sizeof(zeros));
	assert_int_equal(fstat(f.fd, &st), 0);
	assert_true(st.st_blocks * 512 < 64 << 10);
	/* no name, and nobody else's */
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	dump_file_close(&f);
}

static void test_cut(void **state)
{
	(void)state;
	struct buf b;
	struct dump_file f;
	begin(&b, 1, 1);
	record(&b, 0, "hello", 5);
	assert_ok(undo(&b, &f));
	assert_true(f.cut);
	assert_file(&f, "hello", 5);
	dump_file_close(&f);

	begin(&b, 1, 1);
	record_header(&b, 0, 1000);
	buf_addstr(&b, "hello");
	assert_ok(undo(&b, &f));
	assert_true(f.cut);
	assert_file(&f, "hello", 5);
	dump_file_close(&f);

	begin(&b, 1, 1);
	end(&b);
	assert_err(undo(&b, &f), ERR_FORMAT, "nothing in it");
	dump_file_close(&f);

	begin(&b, 1, 1);
	buf_cut(&b, 100);
	assert_err(undo(&b, &f), ERR_FORMAT, "truncated");
	dump_file_close(&f);
}

static void test_damaged(void **state)
{
	(void)state;
	static const struct {
		uint64_t offset, size;
	} damages[] = {
		{ UINT64_MAX - 1, 5 }, { UINT64_C(1) << 50, 5 }, { 0, 0 },
		{ 0, UINT64_MAX },     { 5, INT64_MAX },	 { INT64_MAX, INT64_MAX },
	};
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct buf b;
		struct dump_file f;
		begin(&b, 1, 1);
		record(&b, 0, "hello", 5);
		record_header(&b, damages[i].offset, damages[i].size);
		assert_err(undo(&b, &f), ERR_FORMAT, "the record at 0x1015");
		dump_file_close(&f);
	}
	struct buf b;
	struct dump_file f;
	begin(&b, 1, 2);
	assert_err(undo(&b, &f), ERR_UNSUPPORTED, "version 2");
	dump_file_close(&f);
}

static void test_no_place(void **state)
{
	(void)state;
	struct buf b;
	struct dump_file f;
	char *saved = getenv("TMPDIR");
	saved = saved ? strdup(saved) : NULL;
	setenv("TMPDIR", "/proc/self/no-such-folder", 1);
	begin(&b, 1, 1);
	record(&b, 0, "hello", 5);
	assert_err(undo(&b, &f), ERR_IO, "set TMPDIR");
	dump_file_close(&f);
	if (saved)
		setenv("TMPDIR", saved, 1);
	else
		unsetenv("TMPDIR");
	free(saved);
}

/* A flattened file in a flattened file is a bomb, not a dump. */
static void test_twice(void **state)
{
	(void)state;
	struct buf inner, b;
	struct fakefile fake;
	struct dump *d;
	begin(&inner, 1, 1);
	end(&inner);
	begin(&b, 1, 1);
	record(&b, 0, inner.data, inner.len);
	end(&b);
	fakefile_make(&fake, b.data, b.len);
	buf_free(&inner);
	buf_free(&b);
	const char *path = fake.path;
	assert_err(dump_open(&path, 1, NULL, &d), ERR_FORMAT, "flattened twice");
	fakefile_close(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),		cmocka_unit_test(test_later_records_win),
		cmocka_unit_test(test_zeros_are_holes), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_damaged),		cmocka_unit_test(test_no_place),
		cmocka_unit_test(test_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
