// SPDX-License-Identifier: GPL-2.0-or-later
/* LiME files made by hand: ranges of memory, and headers that make no sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "tests/memory/fakefile.h"
#include "vmcore/dump/dump.h"
#include "vmcore/memory/memory.h"

struct range {
	const char *magic;
	uint32_t version;
	uint64_t start, last;
	char fill;
	size_t bytes; /* behind the header */
};

static void add_number(struct buf *b, uint64_t n, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		buf_addch(b, (char)(n >> 8 * i));
}

static struct err *open_ranges(struct fakefile *f, const struct range *ranges, size_t count,
			       size_t cut, struct dump **ret)
{
	struct buf b = BUF_INIT;
	for (size_t i = 0; i < count; i++) {
		const struct range *r = &ranges[i];
		buf_addstr(&b, r->magic);
		add_number(&b, r->version, 4);
		add_number(&b, r->start, 8);
		add_number(&b, r->last, 8);
		add_number(&b, 0, 8);
		for (size_t n = 0; n < r->bytes; n++)
			buf_addch(&b, r->fill);
	}
	assert_null(buf_error(&b));
	fakefile_make(f, b.data, b.len - cut);
	buf_free(&b);
	const char *path = f->path;
	return dump_open(&path, 1, NULL, ret);
}

static void assert_page(struct dump *d, uint64_t pfn, unsigned to, char fill)
{
	const struct page_source *s = dump_pages(d);
	char page[PAGE_SIZE];
	uint16_t got_from, got_to;
	assert_ok(s->read_page(s->self, pfn, page, &got_from, &got_to));
	assert_int_equal(got_from, 0);
	assert_int_equal(got_to, to);
	for (unsigned i = 0; i < to; i++)
		assert_int_equal(page[i], fill);
}

static void assert_no_page(struct dump *d, uint64_t pfn, const char *part)
{
	const struct page_source *s = dump_pages(d);
	char page[PAGE_SIZE];
	uint16_t from, to;
	assert_err(s->read_page(s->self, pfn, page, &from, &to), ERR_MISSING, part);
}

/* The last address is the range's own. */
static const struct range good[] = {
	{ "EMiL", 1, 0x1000, 0x2fff, 'a', 0x2000 },
	{ "EMiL", 1, 0x100000, 0x100fff, 'b', 0x1000 },
};

static void ranges_are_memory(void **state)
{
	(void)state;
	struct fakefile f;
	struct dump *d;
	assert_ok(open_ranges(&f, good, 2, 0, &d));
	assert_string_equal(dump_info(d)->format, "LiME");
	assert_int_equal(dump_info(d)->memory_bytes, 0x3000);
	assert_int_equal(dump_info(d)->note_count, 0);
	assert_false(dump_info(d)->truncated);
	assert_no_page(d, 0, "not in the dump");
	assert_page(d, 1, PAGE_SIZE, 'a');
	assert_page(d, 2, PAGE_SIZE, 'a');
	assert_no_page(d, 3, "not in the dump");
	assert_page(d, 0x100, PAGE_SIZE, 'b');
	dump_close(d);
	fakefile_close(&f);
}

static void a_file_that_was_cut_off(void **state)
{
	(void)state;
	struct fakefile f;
	struct dump *d;
	assert_ok(open_ranges(&f, good, 2, 0x800, &d));
	assert_true(dump_info(d)->truncated);
	assert_page(d, 2, PAGE_SIZE, 'a');
	assert_page(d, 0x100, 0x800, 'b');
	dump_close(d);
	fakefile_close(&f);
}

static void damaged_headers(void **state)
{
	(void)state;
	static const struct {
		struct range second;
		size_t cut;
		int code;
		const char *part;
	} cases[] = {
		{ { "LiME", 1, 0x100000, 0x100fff, 'b', 0x1000 }, 0, ERR_FORMAT, "at 0x2020 of" },
		{ { "EMiL", 2, 0x100000, 0x100fff, 'b', 0x1000 }, 0, ERR_UNSUPPORTED, "format 2" },
		{ { "EMiL", 1, 0x100000, 0xfffff, 'b', 0x1000 }, 0, ERR_FORMAT, "damaged" },
		{ { "EMiL", 1, 0, UINT64_MAX, 'b', 0x1000 }, 0, ERR_FORMAT, "damaged" },
		{ { "EMiL", 1, 0, UINT64_C(1) << 52, 'b', 8 }, 0, ERR_FORMAT, "damaged" },
		{ { "EMiL", 1, 0x100000, 0x100fff, 'b', 0x1000 }, 0x1001, ERR_FORMAT, "truncated" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct range ranges[] = { good[0], cases[i].second };
		struct fakefile f;
		struct dump *d = NULL;
		assert_err(open_ranges(&f, ranges, 2, cases[i].cut, &d), cases[i].code,
			   cases[i].part);
		assert_null(d);
		fakefile_close(&f);
	}
}

static void pieces_are_refused(void **state)
{
	(void)state;
	struct fakefile f;
	struct dump *d;
	assert_ok(open_ranges(&f, good, 2, 0, &d));
	dump_close(d);
	const char *paths[] = { f.path, f.path };
	assert_err(dump_open(paths, 2, NULL, &d), ERR_FORMAT, "a LiME dump, which has no pieces");
	fakefile_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_memory),
		cmocka_unit_test(a_file_that_was_cut_off),
		cmocka_unit_test(damaged_headers),
		cmocka_unit_test(pieces_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
