// SPDX-License-Identifier: GPL-2.0-or-later
/* ELF dumps made by hand: the header checks, and pages at the edges of segments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <elf.h>

#include "base/buf.h"
#include "base/err.h"
#include "tests/memory/fakefile.h"
#include "vmcore/dump/dump.h"
#include "vmcore/memory/memory.h"

enum { LOADS_MAX = 8, DATA = 0x1000 };

/* A dump in the making; tests change the headers before it is opened. */
struct core {
	Elf64_Ehdr e;
	Elf64_Phdr p[LOADS_MAX];
	struct buf data; /* what lies at DATA in the file */
	struct fakefile file;
	struct dump *dump;
};

static void core_init(struct core *c)
{
	*c = (struct core){
		.e = {
			.e_ident = ELFMAG,
			.e_type = ET_CORE,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
		},
		.data = BUF_INIT,
	};
	c->e.e_ident[EI_CLASS] = ELFCLASS64;
	c->e.e_ident[EI_DATA] = ELFDATA2LSB;
	c->e.e_ident[EI_VERSION] = EV_CURRENT;
}

/* Memory at @pa, filled with @fill; the last @excluded bytes of it are not in the file. */
static Elf64_Phdr *add_load(struct core *c, uint64_t pa, size_t size, char fill, uint64_t excluded)
{
	Elf64_Phdr *p = &c->p[c->e.e_phnum++];
	*p = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_offset = DATA + c->data.len,
		.p_paddr = pa,
		.p_filesz = size,
		.p_memsz = size + excluded,
	};
	for (size_t i = 0; i < size; i++)
		buf_addch(&c->data, fill);
	return p;
}

static struct err *open_core(struct core *c)
{
	struct buf file = BUF_INIT;
	buf_add(&file, &c->e, sizeof(c->e));
	buf_add(&file, c->p, sizeof(c->p));
	while (file.len < DATA)
		buf_addch(&file, 0);
	buf_add(&file, c->data.data, c->data.len);
	assert_null(buf_error(&file));
	fakefile_make(&c->file, file.data, file.len);
	buf_free(&file);
	const char *path = c->file.path;
	return dump_open(&path, 1, NULL, &c->dump);
}

static void core_close(struct core *c)
{
	dump_close(c->dump);
	buf_free(&c->data);
	fakefile_close(&c->file);
}

/* The page holds @fill from @from to @to and nothing else. */
static void assert_page(struct core *c, uint64_t pfn, unsigned from, unsigned to, char fill)
{
	const struct page_source *s = dump_pages(c->dump);
	char page[PAGE_SIZE];
	uint16_t got_from, got_to;
	assert_ok(s->read_page(s->self, pfn, page, &got_from, &got_to));
	assert_int_equal(got_from, from);
	assert_int_equal(got_to, to);
	for (unsigned i = from; i < to; i++)
		assert_int_equal(page[i], fill);
}

static void assert_no_page(struct core *c, uint64_t pfn, int code, const char *part)
{
	const struct page_source *s = dump_pages(c->dump);
	char page[PAGE_SIZE];
	uint16_t from, to;
	assert_err(s->read_page(s->self, pfn, page, &from, &to), code, part);
}

static void assert_next(struct core *c, uint64_t pfn, uint64_t expected)
{
	const struct page_source *s = dump_pages(c->dump);
	uint64_t next;
	assert_true(s->next_page(s->self, pfn, &next));
	assert_int_equal(next, expected);
}

static void test_pages(void **state)
{
	(void)state;
	struct core c;
	core_init(&c);
	add_load(&c, 0x100000, 0x2000, 'b', 0x3000);
	add_load(&c, 0x10000, 0x1000, 'a', 0);
	assert_ok(open_core(&c));
	assert_page(&c, 0x10, 0, PAGE_SIZE, 'a');
	assert_page(&c, 0x101, 0, PAGE_SIZE, 'b');
	assert_no_page(&c, 0x102, ERR_EXCLUDED, "left out");
	assert_no_page(&c, 0x104, ERR_EXCLUDED, "left out");
	assert_no_page(&c, 0x105, ERR_MISSING, "not in the dump");
	assert_no_page(&c, 0x11, ERR_MISSING, "not in the dump");
	assert_no_page(&c, UINT64_MAX, ERR_MISSING, "not in the dump");
	assert_next(&c, 0, 0x10);
	assert_next(&c, 0x10, 0x10);
	assert_next(&c, 0x11, 0x100);
	uint64_t next;
	assert_false(dump_pages(c.dump)->next_page(dump_pages(c.dump)->self, 0x102, &next));

	const struct dump_info *info = dump_info(c.dump);
	assert_string_equal(info->format, "ELF");
	assert_string_equal(info->compression, "none");
	assert_true(info->filtered);
	assert_false(info->truncated);
	assert_int_equal(info->memory_bytes, 0x3000);
	assert_int_equal(info->max_pfn, 0x105);
	core_close(&c);
}

/* As 0x0-0x9fc00 of every PC. */
static void test_parts_of_pages(void **state)
{
	(void)state;
	struct core c;
	core_init(&c);
	add_load(&c, 0x1800, 0x1400, 'a', 0); /* 0x1800-0x2c00 */
	add_load(&c, 0x5400, 0x100, 'b', 0x800);
	/* two that touch within a page */
	add_load(&c, 0x8000, 0x123, 'c', 0);
	add_load(&c, 0x8123, 0xf00, 'c', 0);
	assert_ok(open_core(&c));
	assert_page(&c, 1, 0x800, PAGE_SIZE, 'a');
	assert_page(&c, 2, 0, 0xc00, 'a');
	assert_page(&c, 5, 0x400, 0x500, 'b');
	assert_page(&c, 8, 0, PAGE_SIZE, 'c');
	assert_page(&c, 9, 0, 0x23, 'c');
	core_close(&c);
}

/* kdump's kernel text lies within other memory, and is there twice. */
static void test_overlapping_segments(void **state)
{
	(void)state;
	struct core c;
	core_init(&c);
	add_load(&c, 0x4000, 0x2000, 't', 0x2000);
	add_load(&c, 0x1000, 0x1000, 'm', 0x9000);
	c.p[0].p_vaddr = UINT64_C(0xffffffff81000000);
	c.p[1].p_vaddr = UINT64_C(0xffff888000001000);
	add_load(&c, 0x7000, 0x2000, 'n', 0);
	add_load(&c, 0x7000, 0x1000, 'n', 0);
	/* starts within another and goes on behind it */
	add_load(&c, 0x20000, 0x2000, 'p', 0);
	add_load(&c, 0x21000, 0x1000, 'p', 0x1000)->p_filesz += 0x1000;
	for (unsigned i = 0; i < PAGE_SIZE; i++)
		buf_addch(&c.data, 'q');
	assert_ok(open_core(&c));
	/* What one segment leaves out and the other has is there. */
	assert_page(&c, 1, 0, PAGE_SIZE, 'm');
	assert_no_page(&c, 2, ERR_EXCLUDED, "left out");
	assert_page(&c, 4, 0, PAGE_SIZE, 't');
	assert_page(&c, 5, 0, PAGE_SIZE, 't');
	assert_no_page(&c, 6, ERR_EXCLUDED, "left out");
	assert_page(&c, 7, 0, PAGE_SIZE, 'n');
	assert_page(&c, 8, 0, PAGE_SIZE, 'n');
	assert_no_page(&c, 9, ERR_EXCLUDED, "left out");
	assert_no_page(&c, 11, ERR_MISSING, "not in the dump");
	assert_page(&c, 0x21, 0, PAGE_SIZE, 'p');
	assert_page(&c, 0x22, 0, PAGE_SIZE, 'q');
	assert_int_equal(dump_info(c.dump)->memory_bytes, 0x8000);
	assert_true(dump_info(c.dump)->has_phys_base);
	assert_int_equal(dump_info(c.dump)->phys_base, 0x4000 - UINT64_C(0x1000000));
	core_close(&c);
}

static void test_truncated(void **state)
{
	(void)state;
	struct core c;
	core_init(&c);
	add_load(&c, 0x1000, 0x2000, 'a', 0);
	add_load(&c, 0x8000, 0x1000, 'b', 0x1000);
	c.data.len = 0x1800;
	assert_ok(open_core(&c));
	assert_page(&c, 1, 0, PAGE_SIZE, 'a');
	assert_page(&c, 2, 0, 0x800, 'a');
	assert_no_page(&c, 8, ERR_MISSING, "cut off");
	assert_no_page(&c, 9, ERR_EXCLUDED, "left out");
	assert_true(dump_info(c.dump)->truncated);
	assert_int_equal(dump_info(c.dump)->memory_bytes, 0x1800);
	/* and cut while it is served */
	assert_int_equal(ftruncate(c.file.fd, DATA + 0x400), 0);
	assert_page(&c, 1, 0, 0x400, 'a');
	assert_no_page(&c, 2, ERR_MISSING, "cut off");
	core_close(&c);
}

static void test_incomplete_flag(void **state)
{
	(void)state;
	struct core c;
	core_init(&c);
	add_load(&c, 0x1000, 0x1000, 'a', 0);
	c.e.e_flags = 1;
	assert_ok(open_core(&c));
	assert_true(dump_info(c.dump)->truncated);
	core_close(&c);
}

/* More than 65534 segments: the number is in the first section header. */
static void test_many_segments(void **state)
{
	(void)state;
	struct core c;
	core_init(&c);
	add_load(&c, 0x1000, 0x1000, 'a', 0);
	add_load(&c, 0x5000, 0x1000, 'b', 0);
	Elf64_Shdr s = { .sh_info = 2 };
	c.e.e_shoff = DATA + c.data.len;
	c.e.e_phnum = PN_XNUM;
	buf_add(&c.data, &s, sizeof(s));
	assert_ok(open_core(&c));
	assert_page(&c, 5, 0, PAGE_SIZE, 'b');
	core_close(&c);
}

static void prepare(struct core *c)
{
	core_init(c);
	add_load(c, 0x1000, 0x1000, 'a', 0);
	add_load(c, 0x5000, 0x1000, 'b', 0);
}

static void assert_refused(struct core *c, int code, const char *part)
{
	c->dump = NULL;
	assert_err(open_core(c), code, part);
	assert_null(c->dump);
	core_close(c);
}

static void test_other_files(void **state)
{
	(void)state;
	struct core c;
	prepare(&c);
	c.e.e_machine = EM_AARCH64;
	assert_refused(&c, ERR_UNSUPPORTED, "another kind of machine (AArch64)");
	prepare(&c);
	c.e.e_machine = 4711;
	assert_refused(&c, ERR_UNSUPPORTED, "4711");
	prepare(&c);
	c.e.e_machine = EM_S390 << 8;
	c.e.e_ident[EI_DATA] = ELFDATA2MSB;
	assert_refused(&c, ERR_UNSUPPORTED, "s390x");
	prepare(&c);
	c.e.e_machine = EM_386;
	c.e.e_ident[EI_CLASS] = ELFCLASS32;
	assert_refused(&c, ERR_UNSUPPORTED, "32-bit x86");
	prepare(&c);
	c.e.e_ident[EI_CLASS] = 3;
	assert_refused(&c, ERR_FORMAT, "class 3");
	prepare(&c);
	c.e.e_type = ET_EXEC;
	assert_refused(&c, ERR_FORMAT, "--symbols");
	prepare(&c);
	c.e.e_type = ET_REL;
	assert_refused(&c, ERR_FORMAT, "kernel module");
	/* Xen's: sections, and no segments. */
	prepare(&c);
	c.e.e_phnum = 0;
	c.e.e_shnum = 5;
	assert_refused(&c, ERR_UNSUPPORTED, "xl dump-core");
}

static void test_damaged_headers(void **state)
{
	(void)state;
	struct core c;
	prepare(&c);
	c.e.e_phentsize = 57;
	assert_refused(&c, ERR_FORMAT, "program headers of 57 bytes");
	prepare(&c);
	c.e.e_phnum = 0;
	assert_refused(&c, ERR_FORMAT, "no segments");
	prepare(&c);
	c.e.e_phoff = UINT64_MAX - 8;
	assert_refused(&c, ERR_FORMAT, "truncated");
	prepare(&c);
	c.e.e_phnum = 60000;
	assert_refused(&c, ERR_FORMAT, "truncated");
	prepare(&c);
	c.e.e_phnum = PN_XNUM;
	c.e.e_shoff = UINT64_MAX;
	assert_refused(&c, ERR_FORMAT, "section header");
	prepare(&c);
	c.p[1].p_offset = UINT64_MAX - 8;
	assert_refused(&c, ERR_FORMAT, "segment 1 is damaged");
	prepare(&c);
	c.p[1].p_paddr = UINT64_MAX - 8;
	assert_refused(&c, ERR_FORMAT, "52 bits");
	prepare(&c);
	c.p[0].p_filesz = 0x2000;
	assert_refused(&c, ERR_FORMAT, "segment 0 is damaged");
	prepare(&c);
	c.p[0].p_type = c.p[1].p_type = 0;
	assert_refused(&c, ERR_FORMAT, "holds no memory");
	prepare(&c);
	c.p[0].p_type = PT_NOTE;
	c.p[0].p_filesz = UINT64_C(1) << 40;
	assert_refused(&c, ERR_FORMAT, "notes claim");
}

static void test_elf_has_no_pieces(void **state)
{
	(void)state;
	struct core c;
	prepare(&c);
	assert_ok(open_core(&c));
	const char *const paths[] = { c.file.path, c.file.path };
	struct dump *d;
	assert_err(dump_open(paths, 2, NULL, &d), ERR_FORMAT, "give it alone");
	assert_err(dump_open(paths, 0, NULL, &d), ERR_INVALID, "no dump");
	core_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_parts_of_pages),
		cmocka_unit_test(test_overlapping_segments),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_incomplete_flag),
		cmocka_unit_test(test_many_segments),
		cmocka_unit_test(test_other_files),
		cmocka_unit_test(test_damaged_headers),
		cmocka_unit_test(test_elf_has_no_pieces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
