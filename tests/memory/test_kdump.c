// SPDX-License-Identifier: GPL-2.0-or-later
/* kdump-compressed dumps, whole, in pieces, flattened, damaged: what can be read, and what is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/err.h"
#include "tests/memory/kdump_oracle.h"
#include "tests/memory/recipedump.h"
#include "vmcore/dump/dump.h"
#include "vmcore/memory/memory.h"

/* What every encoding of the machine must answer. */
static void assert_machine(struct dump *d)
{
	assert_word(d, 0x200000, 1);
	assert_word(d, 0x200010, 3);
	assert_word(d, 0x300ff8, UINT64_C(0x1122334455667788));
	assert_word(d, 0x301000, 42);
	assert_word(d, 0x310000, 0);
	assert_word(d, 0x312ff8, 0);
	assert_word(d, 0x80000000, UINT64_C(0x7961776120726166));
	assert_no_word(d, 0x311000, ERR_EXCLUDED, "left out");
	assert_no_word(d, 0x400000, ERR_MISSING, "not in the dump");
	assert_no_word(d, UINT64_C(0x100000000), ERR_MISSING, "not in the dump");
	assert_no_word(d, UINT64_MAX, ERR_MISSING, "not in the dump");
}

static void assert_next(struct dump *d, uint64_t pfn, uint64_t expected)
{
	uint64_t next;
	const struct page_source *s = dump_pages(d);
	assert_true(s->next_page(s->self, pfn, &next));
	assert_int_equal(next, expected);
}

static void check_format(const char *recipe, const char *format, const char *compression)
{
	struct dump *d;
	assert_ok(recipedump_open(recipe, &d));
	assert_machine(d);
	assert_next(d, 0, 0x200);
	assert_next(d, 0x201, 0x300);
	assert_next(d, 0x311, 0x312);

	const struct dump_info *info = dump_info(d);
	assert_string_equal(info->format, format);
	assert_string_equal(info->compression, compression);
	assert_true(info->filtered);
	assert_false(info->truncated);
	assert_int_equal(info->memory_bytes, 6 * PAGE_SIZE);
	assert_int_equal(info->note_count, 3);
	assert_string_equal(info->notes[0].name, "CORE");
	assert_int_equal(info->notes[0].len, 336);
	assert_non_null(info->vmcoreinfo);
	assert_non_null(strstr(info->vmcoreinfo, "OSRELEASE=3.10.0\n"));
	dump_close(d);
}

/* Of every encoding, whole, in pieces and damaged, libkdumpfile reads the same. */
static void test_libkdumpfile_agrees(void **state)
{
	(void)state;
	static const char *const recipes[] = {
		"format kdump-none\n",
		"format kdump-zlib\n",
		"format kdump-lzo\n",
		"format kdump-snappy\n",
		"format kdump-zstd\n",
		"format kdump-zlib\nsplit 3\n",
		"format kdump-zstd\nflatten record 100 reversed\n",
		"format kdump-zlib\ncorrupt phys 0x301000\n",
		"format kdump-lzo\ncorrupt phys 0x301000\n",
		"format kdump-snappy\ncorrupt phys 0x301000\n",
		"format kdump-zstd\ncorrupt phys 0x301000\n",
	};
	for (size_t i = 0; i < sizeof(recipes) / sizeof(recipes[0]); i++) {
		struct recipedump r;
		struct kdump_oracle found = { 0 };
		bool damaged = strstr(recipes[i], "corrupt");
		recipedump_make(&r, recipes[i]);
		assert_ok(kdump_oracle_compare(r.paths, r.count, 1, &found));
		assert_int_equal(found.equal, damaged ? 5 : 6);
		recipedump_close(&r);
	}
}

static void test_formats(void **state)
{
	(void)state;
	check_format("format elf\n", "ELF", "none");
	check_format("format kdump-none\n", "kdump-compressed", "none");
	check_format("format kdump-zlib\n", "kdump-compressed", "zlib");
	check_format("format kdump-lzo\n", "kdump-compressed", "lzo");
	check_format("format kdump-snappy\n", "kdump-compressed", "snappy");
	check_format("format kdump-zstd\n", "kdump-compressed", "zstd");
	check_format("format kdump-lzo\nsplit 3\n", "split kdump-compressed", "lzo");
}

static void test_flattened(void **state)
{
	(void)state;
	check_format("format kdump-zlib\nflatten\n", "flattened kdump-compressed", "zlib");
	check_format("format kdump-lzo\nflatten record 100 reversed\n",
		     "flattened kdump-compressed", "lzo");
	check_format("format elf\nflatten record 4096\n", "flattened ELF", "none");
	check_format("format kdump-lzo\nsplit 2\nflatten\n", "flattened split kdump-compressed",
		     "lzo");
}

static void test_header_facts(void **state)
{
	(void)state;
	struct dump *d;
	assert_ok(recipedump_open("format kdump-zlib\ndump-level 31\n"
				  "header timestamp.tv_sec = 1700000000\n",
				  &d));
	assert_int_equal(dump_info(d)->dump_level, 31);
	assert_int_equal(dump_info(d)->date, 1700000000);
	dump_close(d);
	assert_ok(recipedump_open("format kdump-zlib\nphys-base 0x1234000\n", &d));
	assert_true(dump_info(d)->has_phys_base);
	assert_int_equal(dump_info(d)->phys_base, 0x1234000);
	dump_close(d);
	/* QEMU says 1 and filters nothing */
	assert_ok(recipedump_open("format kdump-zlib\ndump-level 1\nzero phys 0x311000 4k\n", &d));
	assert_false(dump_info(d)->filtered);
	assert_int_equal(dump_info(d)->dump_level, 0);
	dump_close(d);
	/* makedumpfile ran out of room */
	assert_ok(recipedump_open("format kdump-zlib\nheader status = 9\n"
				  "header page[0x200000].offset = 0\n",
				  &d));
	assert_true(dump_info(d)->truncated);
	assert_no_word(d, 0x200000, ERR_MISSING, "never written");
	assert_word(d, 0x301000, 42);
	dump_close(d);
	/* as QEMU leaves it */
	assert_ok(recipedump_open("format kdump-zlib\nutsname release \"\" machine \"\"\n", &d));
	assert_machine(d);
	dump_close(d);
}

static void test_pieces_in_any_order(void **state)
{
	(void)state;
	struct recipedump r;
	struct dump *d;
	recipedump_make(&r, "format kdump-lzo\nsplit 3\n");
	const char *const order[] = { r.paths[2], r.paths[0], r.paths[1] };
	assert_ok(dump_open(order, 3, NULL, &d));
	assert_machine(d);
	assert_int_equal(dump_info(d)->pieces, 3);
	dump_close(d);

	assert_err(dump_open(order, 2, NULL, &d), ERR_FORMAT, "piece of the split dump is missing");
	assert_err(dump_open(order + 1, 2, NULL, &d), ERR_FORMAT, "is missing");
	assert_err(dump_open(order + 1, 1, NULL, &d), ERR_FORMAT, "others are needed");
	const char *const twice[] = { r.paths[0], r.paths[1], r.paths[2], r.paths[1] };
	assert_err(dump_open(twice, 4, NULL, &d), ERR_FORMAT, "both have page frame");
	recipedump_close(&r);
}

/* The sentence names the page frames that are not there. */
static void test_missing_piece_is_named(void **state)
{
	(void)state;
	struct dump *d;
	assert_err(recipedump_open("format kdump-lzo\nsplit 2\ndrop piece 2\n", &d), ERR_FORMAT,
		   "0x80000 are in none");
	assert_err(recipedump_open("format kdump-lzo\nsplit 3\n"
				   "header sub.start_pfn_64 = 0x10 piece 1\n",
				   &d),
		   ERR_FORMAT, "page frames 0x0 to 0xf");
}

static void test_pieces_of_different_dumps(void **state)
{
	(void)state;
	struct recipedump a, b;
	struct dump *d;
	recipedump_make(&a, "format kdump-lzo\nsplit 2\n");
	recipedump_make(&b, "zero phys 0x500000 4k\nformat kdump-lzo\nsplit 2\n");
	const char *const mixed[] = { a.paths[0], b.paths[1] };
	struct err *e = dump_open(mixed, 2, NULL, &d);
	assert_non_null(e);
	assert_int_equal(err_code(e), ERR_FORMAT);
	err_free(e);
	recipedump_close(&b);
	/* the same ranges, but not the same pages */
	recipedump_make(&b, "exclude phys 0x312000 4k\nzero phys 0x311000 4k\n"
			    "format kdump-lzo\nsplit 2\n");
	const char *const mixed_again[] = { a.paths[0], b.paths[1] };
	assert_err(dump_open(mixed_again, 2, NULL, &d), ERR_FORMAT, "different dumps");
	recipedump_close(&b);
	recipedump_make(&b, "format kdump-zlib\n");
	const char *const whole[] = { a.paths[0], b.paths[0] };
	assert_err(dump_open(whole, 2, NULL, &d), ERR_FORMAT, "is a whole dump");
	recipedump_close(&b);
	recipedump_close(&a);
}

static void refuse(const char *damage, int code, const char *part)
{
	char recipe[256];
	struct dump *d;
	snprintf(recipe, sizeof(recipe), "format kdump-zlib\n%s\n", damage);
	assert_err(recipedump_open(recipe, &d), code, part);
}

static void test_damaged_headers(void **state)
{
	(void)state;
	refuse("header signature = \"DISKDUMP\"", ERR_UNSUPPORTED, "diskdump");
	refuse("header signature = \"XDUMP   \"", ERR_FORMAT, "neither");
	refuse("header header_version = 99", ERR_FORMAT, "header version 99");
	refuse("header header_version = -1", ERR_FORMAT, "header version");
	refuse("header block_size = 0", ERR_FORMAT, "block size");
	refuse("header block_size = 65536", ERR_UNSUPPORTED, "65536");
	refuse("header block_size = 0x100000", ERR_UNSUPPORTED, "big-endian");
	refuse("header sub_hdr_size = 0", ERR_FORMAT, "sub header");
	refuse("header sub_hdr_size = -1", ERR_FORMAT, "sub header");
	refuse("header bitmap_blocks = 0xffffffff", ERR_FORMAT, "bitmaps");
	refuse("header bitmap_blocks = 0", ERR_FORMAT, "bitmaps");
	refuse("header bitmap_blocks = 0x7fffffff", ERR_FORMAT, "truncated within its bitmaps");
	refuse("header sub.max_mapnr_64 = -1", ERR_FORMAT, "page frames");
	/* 128 TiB, and 4 PiB: a kernel with five levels of page tables. */
	refuse("header bitmap_blocks = 0x200000\nheader sub.max_mapnr_64 = 0x800000000", ERR_FORMAT,
	       "truncated within its bitmaps");
	refuse("header bitmap_blocks = 0x4000000\nheader sub.max_mapnr_64 = 0x10000000000",
	       ERR_FORMAT, "truncated within its bitmaps");
	refuse("header bitmap_blocks = 0x4000001\nheader sub.max_mapnr_64 = 0x10000000001",
	       ERR_FORMAT, "page frames");
	refuse("header sub.max_mapnr_64 = 0", ERR_FORMAT, "page frames");
	refuse("header sub.offset_note = -8", ERR_FORMAT, "ELF notes");
	refuse("header sub.size_note = -1", ERR_FORMAT, "ELF notes");
	refuse("header sub.size_vmcoreinfo = 0x100000000", ERR_FORMAT, "VMCOREINFO");
	refuse("header sub.size_eraseinfo = -1", ERR_FORMAT, "erase information");
	refuse("utsname machine \"aarch64\"", ERR_UNSUPPORTED, "\"aarch64\"");
	refuse("utsname machine \"s390x\"", ERR_UNSUPPORTED, "\"s390x\"");
	refuse("utsname machine \"i686\"", ERR_UNSUPPORTED, "\"i686\"");
	refuse("truncate 200", ERR_FORMAT, "truncated");
	refuse("truncate 4100", ERR_FORMAT, "sub header");
	refuse("truncate 8192", ERR_FORMAT, "truncated");
}

static void test_damaged_pages(void **state)
{
	(void)state;
	struct dump *d;
	assert_ok(recipedump_open("format kdump-zlib\ncorrupt phys 0x301000\n"
				  "header page[0x200000].size = 0xffffffff\n"
				  "header page[0x300000].offset = 0x7fffffffffffffff\n"
				  "header page[0x80000000].size = 0\n",
				  &d));
	assert_no_word(d, 0x200000, ERR_CORRUPT, "descriptor");
	assert_no_word(d, 0x300000, ERR_MISSING, "cut off");
	assert_no_word(d, 0x301000, ERR_CORRUPT, "no page compressed by zlib");
	assert_no_word(d, 0x80000000, ERR_CORRUPT, "descriptor");
	assert_word(d, 0x310000, 0);
	dump_close(d);
	/* a page that says it is not compressed must have a page's size */
	assert_ok(recipedump_open("format kdump-none\nheader page[0x200000].size = 4095\n", &d));
	assert_no_word(d, 0x200000, ERR_CORRUPT, "descriptor");
	dump_close(d);
}

/* However short the file: what is read is right, and the rest says why not. */
static void truncate_at(const char *format, unsigned size)
{
	static const struct {
		uint64_t pa, value;
	} words[] = { { 0x200010, 3 }, { 0x301000, 42 }, { 0x310000, 0 }, { 0x312000, 0 } };
	char recipe[256];
	struct dump *d;
	snprintf(recipe, sizeof(recipe), "format %s\ntruncate %u\n", format, size);
	struct err *e = recipedump_open(recipe, &d);
	if (e) {
		assert_int_equal(err_code(e), ERR_FORMAT);
		err_free(e);
		return;
	}
	assert_true(dump_info(d)->truncated);
	struct memory *m;
	assert_ok(memory_new(dump_pages(d), 4 * PAGE_SIZE, &m));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		uint64_t value;
		size_t done;
		e = memory_read_phys(m, words[i].pa, &value, sizeof(value), &done);
		if (e)
			assert_int_equal(err_code(e), ERR_MISSING);
		else if (done == sizeof(value))
			assert_int_equal(value, words[i].value);
		err_free(e);
	}
	memory_free(m);
	dump_close(d);
}

static size_t size_of(const char *format)
{
	struct recipedump r;
	struct dump *d;
	recipedump_make(&r, format);
	assert_ok(dump_open(r.paths, 1, NULL, &d));
	size_t size = dump_info(d)->file_bytes;
	dump_close(d);
	recipedump_close(&r);
	return size;
}

static void test_truncated(void **state)
{
	(void)state;
	static const char *const formats[] = { "elf", "kdump-none", "kdump-zlib" };
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		char recipe[64];
		snprintf(recipe, sizeof(recipe), "format %s\n", formats[i]);
		unsigned size = (unsigned)size_of(recipe);
		for (unsigned cut = 1; cut < 60 && cut < size; cut += 7)
			truncate_at(formats[i], size - cut);
		for (unsigned at = 1; at < size; at += size / 23)
			truncate_at(formats[i], at);
	}
}

struct told {
	unsigned calls, warnings;
	uint64_t done, total;
};

static void progress(void *closure, const char *doing, uint64_t done, uint64_t total)
{
	struct told *t = closure;
	assert_non_null(doing);
	assert_true(done >= t->done && done <= total);
	t->calls++;
	t->done = done;
	t->total = total;
}

static void warn(void *warn_closure, const char *sentence)
{
	assert_non_null(sentence);
	((struct told *)warn_closure)->warnings++;
}

static void test_callbacks(void **state)
{
	(void)state;
	struct recipedump r;
	struct dump *d;
	struct told told = { 0 };
	const struct dump_options options = { progress, &told, warn, &told };
	recipedump_make(&r, "format kdump-zlib\nflatten record 64\n");
	assert_ok(dump_open(r.paths, 1, &options, &d));
	assert_true(told.calls > 0);
	assert_int_equal(told.done, told.total);
	assert_int_equal(told.warnings, 0);
	dump_close(d);
	recipedump_close(&r);
	/* cut in the middle of the stream */
	told = (struct told){ 0 };
	recipedump_make(&r, "format elf\nflatten\ntruncate 20000\n");
	assert_ok(dump_open(r.paths, 1, &options, &d));
	assert_true(dump_info(d)->truncated);
	assert_true(told.warnings > 0);
	dump_close(d);
	recipedump_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_libkdumpfile_agrees),
		cmocka_unit_test(test_flattened),
		cmocka_unit_test(test_header_facts),
		cmocka_unit_test(test_pieces_in_any_order),
		cmocka_unit_test(test_missing_piece_is_named),
		cmocka_unit_test(test_pieces_of_different_dumps),
		cmocka_unit_test(test_damaged_headers),
		cmocka_unit_test(test_damaged_pages),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_callbacks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
