// SPDX-License-Identifier: GPL-2.0-or-later
/* The small parts: bitmaps with ranks, notes, and what a file is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/err.h"
#include "tests/memory/fakefile.h"
#include "vmcore/dump/bitmap.h"
#include "vmcore/dump/file.h"
#include "vmcore/dump/identify.h"
#include "vmcore/dump/notes.h"

/* A bitmap of @bits bits behind some bytes of a file. */
struct bitmap_file {
	struct fakefile fake;
	struct dump_file file;
	struct bitmap bitmap;
};

enum { BEFORE_BITMAP = 4096, BLOCK_BITS = 4096 * 8 };

static void open_bitmap(struct bitmap_file *f, const uint8_t *bytes, uint64_t bits)
{
	size_t len = (bits + 7) / 8;
	uint8_t *all = calloc(1, BEFORE_BITMAP + len);
	assert_non_null(all);
	memcpy(all + BEFORE_BITMAP, bytes, len);
	fakefile_make(&f->fake, all, BEFORE_BITMAP + len);
	free(all);
	assert_ok(dump_file_open(f->fake.path, &f->file));
	assert_ok(bitmap_open(&f->bitmap, &f->file, BEFORE_BITMAP, bits));
}

static void close_bitmap(struct bitmap_file *f)
{
	bitmap_free(&f->bitmap);
	dump_file_close(&f->file);
	fakefile_close(&f->fake);
}

static void assert_bit(struct bitmap *b, uint64_t bit, bool expected, uint64_t expected_rank)
{
	bool set;
	uint64_t rank;
	assert_ok(bitmap_find(b, bit, &set, &rank));
	assert_int_equal(set, expected);
	assert_int_equal(rank, expected_rank);
}

/* Compares with counting bit by bit. */
static void check_bitmap(const uint8_t *bytes, uint64_t bits)
{
	struct bitmap_file f;
	open_bitmap(&f, bytes, bits);
	struct bitmap *b = &f.bitmap;
	uint64_t rank = 0, runs = 0, found;
	bool last = false;
	for (uint64_t i = 0; i < bits; i++) {
		bool set = bytes[i / 8] >> i % 8 & 1;
		assert_bit(b, i, set, rank);
		if (set) {
			assert_true(bitmap_next(b, i, &found));
			assert_int_equal(found, i);
		}
		rank += set;
		runs += set && !last;
		last = set;
	}
	assert_bit(b, bits, false, rank);
	assert_bit(b, UINT64_MAX, false, rank);
	assert_int_equal(b->set, rank);
	assert_ok(bitmap_runs(b, &found));
	assert_int_equal(found, runs);
	assert_false(bitmap_next(b, bits, &found));
	assert_false(bitmap_next(b, UINT64_MAX, &found));
	close_bitmap(&f);
}

static void test_bitmap(void **state)
{
	(void)state;
	static uint8_t bytes[5 * BLOCK_BITS / 8];
	uint64_t x = 1;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		x = x * UINT64_C(6364136223846793005) + 1;
		bytes[i] = (uint8_t)(x >> 33 & x >> 50);
	}
	static const uint64_t sizes[] = {
		1,	    7,
		8,	    63,
		64,	    65,
		511,	    512,
		513,	    1023,
		1024,	    BLOCK_BITS - 1,
		BLOCK_BITS, BLOCK_BITS + 1,
	};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		check_bitmap(bytes, sizes[i]);
	/* A block without a bit, and one that is full. */
	memset(bytes + BLOCK_BITS / 8, 0, BLOCK_BITS / 8);
	memset(bytes + 3 * BLOCK_BITS / 8, 0xff, BLOCK_BITS / 8);
	check_bitmap(bytes, 4 * BLOCK_BITS + 100);
	memset(bytes, 0xff, sizeof(bytes));
	check_bitmap(bytes, 1000);
	check_bitmap(bytes, 2 * BLOCK_BITS);
	memset(bytes, 0, sizeof(bytes));
	check_bitmap(bytes, 1000);
}

static void test_bitmap_next(void **state)
{
	(void)state;
	struct bitmap_file f;
	uint64_t found;
	uint8_t bytes[125] = { [0] = 1 << 5, [79] = 0x80 };
	/* behind the last bit: not there */
	bytes[124] = 1 << 6;
	open_bitmap(&f, bytes, 998);
	assert_int_equal(f.bitmap.set, 2);
	assert_true(bitmap_next(&f.bitmap, 0, &found));
	assert_int_equal(found, 5);
	assert_true(bitmap_next(&f.bitmap, 6, &found));
	assert_int_equal(found, 639);
	assert_false(bitmap_next(&f.bitmap, 640, &found));
	close_bitmap(&f);
}

/* 4 PiB of memory: nothing but a few blocks of 128 GiB of bitmap is in the file. */
static void test_bitmap_of_holes(void **state)
{
	(void)state;
	static const uint64_t bits = UINT64_C(1) << 40, far = (UINT64_C(1) << 40) - 77;
	struct bitmap_file f;
	uint8_t byte = 1 << 3;
	uint64_t found;
	fakefile_make(&f.fake, &byte, 1);
	if (ftruncate(f.fake.fd, (off_t)(bits / 8)) < 0)
		skip();
	assert_int_equal(pwrite(f.fake.fd, &byte, 1, (off_t)(far / 8)), 1);
	assert_ok(dump_file_open(f.fake.path, &f.file));
	assert_ok(bitmap_open(&f.bitmap, &f.file, 0, bits));
	assert_int_equal(f.bitmap.set, 2);
	assert_int_equal(f.bitmap.count, 2);
	assert_bit(&f.bitmap, 3, true, 0);
	assert_bit(&f.bitmap, bits / 2, false, 1);
	assert_true(bitmap_next(&f.bitmap, 4, &found));
	assert_int_equal(found, far / 8 * 8 + 3);
	assert_bit(&f.bitmap, found, true, 1);
	assert_bit(&f.bitmap, bits - 1, false, 2);

	bool same;
	assert_ok(bitmap_compare(&f.file, 0, &f.file, bits / 16, bits / 16, &same));
	assert_false(same); /* the first byte */
	assert_ok(bitmap_compare(&f.file, 4096, &f.file, bits / 16, bits / 32, &same));
	assert_true(same);
	close_bitmap(&f);
}

/* A file that was cut after it was opened: that is said, and what may be there is not left out. */
static void test_bitmap_cut(void **state)
{
	(void)state;
	struct bitmap_file f;
	bool set;
	uint64_t rank, found;
	uint8_t bytes[64] = { [63] = 1 };
	open_bitmap(&f, bytes, 512);
	assert_int_equal(ftruncate(f.fake.fd, BEFORE_BITMAP), 0);
	assert_err(bitmap_find(&f.bitmap, 504, &set, &rank), ERR_FORMAT, "the bitmap of pages");
	assert_true(bitmap_next(&f.bitmap, 100, &found));
	assert_int_equal(found, 100);
	close_bitmap(&f);

	struct dump_file file = DUMP_FILE_INIT;
	struct bitmap b;
	fakefile_make(&f.fake, bytes, sizeof(bytes));
	assert_ok(dump_file_open(f.fake.path, &file));
	assert_err(bitmap_open(&b, &file, 0, 513), ERR_FORMAT, "truncated");
	bitmap_free(&b);
	dump_file_close(&file);
	fakefile_close(&f.fake);
}

/* Appends a note to @out; returns its size. */
static size_t put_note(uint8_t *out, const char *name, uint32_t type, const void *desc,
		       uint32_t len)
{
	uint32_t name_len = (uint32_t)strlen(name) + 1;
	uint32_t desc_at = 12 + ((name_len + 3) & ~3u);
	memset(out, 0, desc_at + len + 3);
	put_u32(out, name_len);
	put_u32(out + 4, len);
	put_u32(out + 8, type);
	memcpy(out + 12, name, name_len);
	memcpy(out + desc_at, desc, len);
	return desc_at + ((len + 3) & ~3u);
}

static void test_notes(void **state)
{
	(void)state;
	uint8_t bytes[256];
	struct notes n = NOTES_INIT;
	size_t damage_at, len = put_note(bytes, "CORE", 1, "abcdef", 6);
	memset(bytes + len, 0, 24); /* two CPUs that were never online */
	len += 24;
	len += put_note(bytes + len, "VMCOREINFO", 0, "A=1\nB=2\n\0\0\0", 11);
	assert_ok(notes_parse(&n, bytes, len, &damage_at));
	assert_int_equal(damage_at, len);
	assert_int_equal(n.count, 2);
	assert_string_equal(n.list[0].name, "CORE");
	assert_int_equal(n.list[0].type, 1);
	assert_int_equal(n.list[0].len, 6);
	assert_memory_equal(n.list[0].desc, "abcdef", 6);
	assert_ok(notes_find_vmcoreinfo(&n));
	assert_string_equal(n.vmcoreinfo, "A=1\nB=2\n");
	assert_int_equal(n.vmcoreinfo_len, 8);
	notes_free(&n);

	/* the last note's padding may be missing */
	len = put_note(bytes, "X", 7, "abcde", 5);
	assert_ok(notes_parse(&n, bytes, len - 3, &damage_at));
	assert_int_equal(damage_at, len - 3);
	assert_int_equal(n.count, 1);
	notes_free(&n);
}

static void test_damaged_notes(void **state)
{
	(void)state;
	static const struct {
		unsigned at;
		uint32_t value;
	} damages[] = {
		{ 0, 0xffffffff }, { 0, 0xfffffffd }, { 4, 0xffffffff },
		{ 4, 0xfffffff0 }, { 0, 1000 },	      { 4, 1000 },
	};
	uint8_t bytes[256];
	size_t first = put_note(bytes, "CORE", 1, "abcdef", 6), damage_at;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct notes n = NOTES_INIT;
		size_t len = first + put_note(bytes + first, "CORE", 1, "ghijkl", 6);
		put_u32(bytes + first + damages[i].at, damages[i].value);
		assert_ok(notes_parse(&n, bytes, len, &damage_at));
		assert_int_equal(n.count, 1);
		assert_int_equal(damage_at, first);
		notes_free(&n);
	}
	/* all lengths: never a read behind the end (run under AddressSanitizer) */
	for (size_t len = 0; len <= first; len++) {
		struct notes n = NOTES_INIT;
		uint8_t *exact = malloc(len + !len);
		memcpy(exact, bytes, len);
		assert_ok(notes_parse(&n, exact, len, &damage_at));
		notes_free(&n);
		free(exact);
	}
}

static struct err *identify(const void *bytes, size_t len, enum dump_kind *ret)
{
	struct fakefile fake;
	struct dump_file f = DUMP_FILE_INIT;
	fakefile_make(&fake, bytes, len);
	struct err *e = dump_file_open(fake.path, &f);
	if (!e)
		e = dump_identify(&f, ret);
	dump_file_close(&f);
	fakefile_close(&fake);
	return e;
}

static void test_identify(void **state)
{
	(void)state;
	char bytes[600] = "\177ELF";
	enum dump_kind kind;
	assert_ok(identify(bytes, sizeof(bytes), &kind));
	assert_int_equal(kind, DUMP_ELF);
	assert_ok(identify("KDUMP   ", 8, &kind));
	assert_int_equal(kind, DUMP_KDUMP);
	assert_ok(identify("makedumpfile\0\0\0\0", 16, &kind));
	assert_int_equal(kind, DUMP_FLATTENED);

	assert_err(identify("makedumpfile --help\n", 20, &kind), ERR_FORMAT, "text");
	assert_err(identify("", 0, &kind), ERR_FORMAT, "empty");
	assert_err(identify("\x1f\x8b\x08", 3, &kind), ERR_FORMAT, "gzip");
	assert_err(identify("QFI\xfb", 4, &kind), ERR_FORMAT, "qcow2");
	assert_err(identify("LibvirtQemudSave", 16, &kind), ERR_UNSUPPORTED, "--memory-only");
	assert_err(identify("QEVM\0\0", 6, &kind), ERR_UNSUPPORTED, "QEMU machine state");
	assert_err(identify("\0\0\0\0\0", 5, &kind), ERR_FORMAT, "zeros");
	assert_err(identify("\1\2\3", 3, &kind), ERR_FORMAT, "neither");
	assert_err(identify("a", 1, &kind), ERR_FORMAT, "text");
	memset(bytes, 0x90, sizeof(bytes));
	memcpy(bytes + 0x202, "HdrS", 4);
	assert_err(identify(bytes, sizeof(bytes), &kind), ERR_FORMAT, "bzImage");
}

static void test_no_regular_files(void **state)
{
	(void)state;
	struct dump_file f = DUMP_FILE_INIT;
	char folder[] = "/tmp/test-memory-XXXXXX", fifo[64];
	assert_non_null(mkdtemp(folder));
	snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_err(dump_file_open(folder, &f), ERR_FORMAT, "directory");
	/* must not wait for someone to write */
	assert_err(dump_file_open(fifo, &f), ERR_FORMAT, "pipe");
	assert_err(dump_file_open("/dev/zero", &f), ERR_FORMAT, "character device");
	unlink(fifo);
	assert_err(dump_file_open(fifo, &f), ERR_IO, "No such file");
	rmdir(folder);
}

static void test_file_bounds(void **state)
{
	(void)state;
	struct fakefile fake;
	struct dump_file f;
	char out[16];
	size_t done;
	fakefile_make(&fake, "0123456789", 10);
	assert_ok(dump_file_open(fake.path, &f));
	assert_int_equal(f.size, 10);
	assert_ok(dump_file_read(&f, 8, out, 2, "x"));
	assert_memory_equal(out, "89", 2);
	assert_err(dump_file_read(&f, 8, out, 3, "the end"), ERR_FORMAT,
		   "the end should be at 0x8");
	assert_err(dump_file_read(&f, UINT64_MAX, out, 2, "x"), ERR_FORMAT, "truncated");
	assert_ok(dump_file_read_part(&f, 8, out, 16, &done));
	assert_int_equal(done, 2);
	assert_ok(dump_file_read_part(&f, UINT64_MAX - 1, out, 16, &done));
	assert_int_equal(done, 0);
	/* shorter than it was */
	assert_int_equal(ftruncate(fake.fd, 4), 0);
	assert_ok(dump_file_read_part(&f, 2, out, 8, &done));
	assert_int_equal(done, 2);
	assert_err(dump_file_read(&f, 2, out, 8, "x"), ERR_FORMAT, "truncated");
	dump_file_close(&f);
	fakefile_close(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bitmap),		cmocka_unit_test(test_bitmap_next),
		cmocka_unit_test(test_bitmap_of_holes), cmocka_unit_test(test_bitmap_cut),
		cmocka_unit_test(test_notes),		cmocka_unit_test(test_damaged_notes),
		cmocka_unit_test(test_identify),	cmocka_unit_test(test_no_regular_files),
		cmocka_unit_test(test_file_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
