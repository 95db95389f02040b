// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/memory/recipedump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/err.h"
#include "tests/recipe/output.h"
#include "tests/recipe/recipe.h"
#include "vmcore/dump/dump.h"
#include "vmcore/memory/memory.h"

static const char machine[] = "phys 0x200000: 1 2 3\n"
			      "phys 0x300ff8: 0x1122334455667788 42\n"
			      "zero phys 0x310000 12k\n"
			      "exclude phys 0x311000 4k\n"
			      "phys 0x80000000: \"far away\"\n"
			      "prstatus 110: rip = 0xffffffffc07a21a8 rsp = 0x10\n"
			      "prstatus 0: rip = 0xffffffff81000000\n"
			      "vmcoreinfo: text \"OSRELEASE=3.10.0\" text \"PAGESIZE=4096\"\n"
			      "utsname release \"3.10.0\" machine \"x86_64\"\n";

void recipedump_make(struct recipedump *r, const char *more)
{
	struct recipe recipe;
	recipe_init(&recipe);
	assert_ok(recipe_read_text(&recipe, "machine", machine));
	assert_ok(recipe_read_text(&recipe, "test", more));
	*r = (struct recipedump){ 0 };
	unsigned pieces = recipe.plan.pieces ? recipe.plan.pieces : 1;
	for (unsigned i = 1; i <= pieces; i++) {
		struct buf bytes = BUF_INIT;
		bool dropped;
		assert_true(i <= PIECES_MAX);
		assert_ok(output_make(&recipe, i, &bytes, &dropped));
		if (!dropped) {
			fakefile_make(&r->files[r->count], bytes.data, bytes.len);
			r->paths[r->count] = r->files[r->count].path;
			r->count++;
		}
		buf_free(&bytes);
	}
	recipe_free(&recipe);
}

void recipedump_close(struct recipedump *r)
{
	for (size_t i = 0; i < r->count; i++)
		fakefile_close(&r->files[i]);
}

struct err *recipedump_open(const char *more, struct dump **ret)
{
	struct recipedump r;
	recipedump_make(&r, more);
	struct err *e = dump_open(r.paths, r.count, NULL, ret);
	recipedump_close(&r);
	return e;
}

void assert_word(struct dump *d, uint64_t pa, uint64_t value)
{
	const struct page_source *s = dump_pages(d);
	uint8_t page[PAGE_SIZE];
	uint16_t from, to;
	assert_ok(s->read_page(s->self, pa >> PAGE_SHIFT, page, &from, &to));
	assert_int_equal(from, 0);
	assert_int_equal(to, PAGE_SIZE);
	assert_int_equal(get_u64(page + pa % PAGE_SIZE), value);
}

void assert_no_word(struct dump *d, uint64_t pa, int code, const char *part)
{
	const struct page_source *s = dump_pages(d);
	uint8_t page[PAGE_SIZE];
	uint16_t from, to;
	assert_err(s->read_page(s->self, pa >> PAGE_SHIFT, page, &from, &to), code, part);
}
