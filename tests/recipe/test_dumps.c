// SPDX-License-Identifier: GPL-2.0-or-later
/* The files: read back by libkdumpfile, and damaged as asked. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include <elf.h>
#include <endian.h>
#include <libkdumpfile/kdumpfile.h>

#include "base/bytes.h"
#include "base/err.h"
#include "tests/recipe/output.h"
#include "tests/recipe/recipe.h"

#define PIECES_MAX 4

static const char machine[] = "phys 0x200000: 1 2 3\n"
			      "phys 0x300ff8: 0x1122334455667788 42\n"
			      "zero phys 0x310000 12k\n"
			      "exclude phys 0x311000 4k\n"
			      "phys 0x80000000: \"far away\"\n"
			      "prstatus 110: rip = 0xffffffffc07a21a8 rsp = 0x10\n"
			      "prstatus 0: rip = 0xffffffff81000000\n"
			      "vmcoreinfo: text \"OSRELEASE=3.10.0\" text \"PAGESIZE=4096\"\n"
			      "utsname release \"3.10.0\"\n";

static void read_machine(struct recipe *r, const char *more)
{
	recipe_init(r);
	struct err *e = recipe_read_text(r, "machine", machine);
	if (!e)
		e = recipe_read_text(r, "test", more);
	if (e)
		fail_msg("%s", err_msg(e));
}

static void make(const struct recipe *r, unsigned int piece, struct buf *out)
{
	bool dropped;
	struct err *e = output_make(r, piece, out, &dropped);
	if (e)
		fail_msg("%s", err_msg(e));
	assert_false(dropped);
}

static int file_of(const struct buf *image)
{
	int fd = memfd_create("dump", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, image->data, image->len), image->len);
	return fd;
}

static kdump_status read_word(kdump_ctx_t *ctx, uint64_t addr, uint64_t *ret)
{
	size_t len = sizeof(*ret);
	return kdump_read(ctx, KDUMP_MACHPHYSADDR, addr, ret, &len);
}

static void assert_word(kdump_ctx_t *ctx, uint64_t addr, uint64_t expected)
{
	uint64_t got;
	assert_int_equal(read_word(ctx, addr, &got), KDUMP_OK);
	assert_int_equal(got, expected);
}

/* All pieces of the dump, opened. The contexts are left to the process's end: kdump_free() of a
 * kdump file uses freed memory in 0.5.1. */
static kdump_ctx_t *open_dump(const struct recipe *r)
{
	int fds[PIECES_MAX];
	for (unsigned int i = 0; i < r->plan.pieces; i++) {
		struct buf image = BUF_INIT;
		make(r, i + 1, &image);
		fds[i] = file_of(&image);
		buf_free(&image);
	}
	kdump_ctx_t *ctx = kdump_new();
	assert_non_null(ctx);
	if (kdump_open_fdset(ctx, r->plan.pieces, fds) != KDUMP_OK)
		fail_msg("%s", kdump_get_err(ctx));
	return ctx;
}

static void assert_is_the_machine(kdump_ctx_t *ctx)
{
	const char *release;
	kdump_num_t number;
	assert_word(ctx, 0x200000, 1);
	assert_word(ctx, 0x200010, 3);
	assert_word(ctx, 0x300ff8, 0x1122334455667788);
	assert_word(ctx, 0x301000, 42);
	assert_word(ctx, 0x310000, 0);
	assert_word(ctx, 0x312000, 0);
	assert_word(ctx, 0x80000000, 0x7961776120726166);
	uint64_t nothing;
	assert_int_equal(read_word(ctx, 0x400000, &nothing), KDUMP_ERR_NODATA);
	assert_int_equal(kdump_get_string_attr(ctx, "linux.vmcoreinfo.lines.OSRELEASE", &release),
			 KDUMP_OK);
	assert_string_equal(release, "3.10.0");
	assert_int_equal(kdump_get_number_attr(ctx, "cpu.number", &number), KDUMP_OK);
	assert_int_equal(number, 2);
	assert_int_equal(kdump_get_number_attr(ctx, "cpu.0.reg.rip", &number), KDUMP_OK);
	assert_int_equal(number, 0xffffffffc07a21a8);
}

static void libkdumpfile_reads_every_format(void **state)
{
	(void)state;
	static const char *const formats[] = {
		"format elf",	       "format kdump-none",
#ifdef HAVE_ZLIB
		"format kdump-zlib",
#endif
#ifdef HAVE_LZO
		"format kdump-lzo",
#endif
#ifdef HAVE_SNAPPY
		"format kdump-snappy",
#endif
#ifdef HAVE_ZSTD
		"format kdump-zstd",
#endif
	};
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct recipe r;
		uint64_t word;
		read_machine(&r, formats[i]);
		kdump_ctx_t *ctx = open_dump(&r);
		assert_is_the_machine(ctx);
		/* libkdumpfile fills the end of an ELF segment up with zeros. */
		if (r.plan.format == DUMP_KDUMP)
			assert_int_equal(read_word(ctx, 0x311000, &word), KDUMP_ERR_NODATA);
		recipe_free(&r);
	}
}

static void libkdumpfile_reads_pieces(void **state)
{
	(void)state;
	struct recipe r;
	read_machine(&r, "format kdump-none\nsplit 3");
	assert_is_the_machine(open_dump(&r));
	recipe_free(&r);
}

static void elf_headers_say_what_is_excluded(void **state)
{
	(void)state;
	struct recipe r;
	struct buf image = BUF_INIT;
	read_machine(&r, "segment 0xffffffff81000000 0x200000 4k");
	make(&r, 1, &image);
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr[8];
	memcpy(&ehdr, image.data, sizeof(ehdr));
	assert_int_equal(ehdr.e_phnum, 7);
	memcpy(phdr, image.data + ehdr.e_phoff, 7 * sizeof(phdr[0]));
	assert_int_equal(phdr[0].p_type, PT_NOTE);
	assert_int_equal(phdr[1].p_vaddr, 0xffffffff81000000);
	assert_int_equal(get_u64(image.data + phdr[1].p_offset), 1);
	assert_int_equal(phdr[2].p_vaddr, 0xffff880000200000);
	assert_int_equal(phdr[3].p_memsz, 0x2000);
	assert_int_equal(phdr[4].p_paddr, 0x310000);
	assert_int_equal(phdr[4].p_filesz, 0x1000);
	assert_int_equal(phdr[4].p_memsz, 0x2000);
	buf_free(&image);
	recipe_free(&r);
}

/* What makedumpfile -R does. */
static void unflatten(const struct buf *flat, struct buf *out)
{
	assert_memory_equal(flat->data, "makedumpfile\0\0\0\0", 16);
	for (size_t at = 4096;;) {
		uint64_t offset, len;
		memcpy(&offset, flat->data + at, 8);
		memcpy(&len, flat->data + at + 8, 8);
		offset = be64toh(offset);
		len = be64toh(len);
		at += 16;
		if (offset == UINT64_MAX) {
			assert_int_equal(len, UINT64_MAX);
			assert_int_equal(at, flat->len);
			return;
		}
		assert_true(len <= 1000);
		if (out->len < offset + len) {
			assert_true(buf_reserve(out, offset + len - out->len));
			out->len = offset + len;
		}
		memcpy(out->data + offset, flat->data + at, len);
		at += len;
	}
}

static void flattened_files_hold_the_same(void **state)
{
	(void)state;
	static const char *const variants[] = { "format kdump-none\nflatten record 1000",
						"format kdump-none\nflatten record 1000 reversed" };
	struct recipe plain;
	struct buf expected = BUF_INIT;
	read_machine(&plain, "format kdump-none");
	make(&plain, 1, &expected);
	for (size_t i = 0; i < 2; i++) {
		struct recipe r;
		struct buf flat = BUF_INIT, got = BUF_INIT;
		read_machine(&r, variants[i]);
		make(&r, 1, &flat);
		unflatten(&flat, &got);
		assert_int_equal(got.len, expected.len);
		assert_memory_equal(got.data, expected.data, got.len);
		buf_free(&flat);
		buf_free(&got);
		recipe_free(&r);
	}
	buf_free(&expected);
	recipe_free(&plain);
}

static void header_fields_can_be_wrong(void **state)
{
	(void)state;
	struct recipe r;
	struct buf image = BUF_INIT;
	read_machine(&r, "header e_phentsize = 57\nheader e_phnum = 0xffff\nheader e_machine = 183\n"
			 "header phdr[2].p_filesz = -1\ntruncate 5000\npatch 4999: u8 0x5a\n");
	bool dropped;
	struct err *e = output_make(&r, 1, &image, &dropped);
	assert_null(e);
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr;
	memcpy(&ehdr, image.data, sizeof(ehdr));
	memcpy(&phdr, image.data + sizeof(ehdr) + 2 * sizeof(phdr), sizeof(phdr));
	assert_int_equal(ehdr.e_phentsize, 57);
	assert_int_equal(ehdr.e_phnum, 0xffff);
	assert_int_equal(ehdr.e_machine, EM_AARCH64);
	assert_int_equal(phdr.p_filesz, UINT64_MAX);
	assert_int_equal(image.len, 5000);
	assert_int_equal(image.data[4999], 0x5a);
	buf_free(&image);
	recipe_free(&r);

	read_machine(&r, "format kdump-none\nheader signature = \"DISKDUMP\"\n"
			 "header bitmap_blocks = 0\nheader sub.end_pfn_64 = 7\n");
	make(&r, 1, &image);
	assert_memory_equal(image.data, "DISKDUMP", 8);
	assert_int_equal(get_u32(image.data + 436), 0);
	assert_int_equal(get_u64(image.data + 4096 + 88), 7);
	buf_free(&image);
	recipe_free(&r);
}

static void a_page_can_be_corrupt(void **state)
{
	(void)state;
#ifdef HAVE_ZLIB
	struct recipe r;
	uint64_t word;
	read_machine(&r, "format kdump-zlib\ncorrupt phys 0x200008\n"
			 "header page[0x80000000].size = 0xffffffff\n");
	kdump_ctx_t *ctx = open_dump(&r);
	assert_int_equal(read_word(ctx, 0x200000, &word), KDUMP_ERR_CORRUPT);
	assert_int_equal(read_word(ctx, 0x80000000, &word), KDUMP_ERR_CORRUPT);
	assert_word(ctx, 0x301000, 42);
	recipe_free(&r);
#else
	skip();
#endif
}

static void pieces_can_be_missing(void **state)
{
	(void)state;
	struct recipe r;
	struct buf image = BUF_INIT;
	bool dropped;
	read_machine(&r, "format kdump-none\nsplit 3\ndrop piece 2\ntruncate 100 piece 3\n");
	assert_null(output_make(&r, 2, &image, &dropped));
	assert_true(dropped);
	assert_int_equal(image.len, 0);
	make(&r, 3, &image);
	assert_int_equal(image.len, 100);
	buf_free(&image);
	recipe_free(&r);
}

static void impossible_files_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "split 2", "machine: an ELF dump cannot be split" },
		{ "header e_foo = 1", "test:1: no ELF header field 'e_foo'" },
		{ "header phdr[6].p_type = 1", "test:1: no program header 6" },
		{ "format kdump-none\nheader foo = 1", "test:2: no kdump header field 'foo'" },
		{ "corrupt phys 0", "test:1: an ELF dump's pages cannot be corrupt" },
		{ "format kdump-none\ncorrupt phys 0x311000",
		  "test:2: the page at 0x311000 is not in this file" },
		{ "format kdump-none\nheader page[0x7000].size = 1",
		  "test:2: the page at 0x7000 is not in this file" },
		{ "truncate 1g", "test:1: the file has only 28672 bytes" },
		{ "patch 1g: 1", "test:1: offset 0x40000000 lies outside of the file" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recipe r;
		struct buf image = BUF_INIT;
		bool dropped;
		read_machine(&r, cases[i].text);
		struct err *e = output_make(&r, 1, &image, &dropped);
		assert_non_null(e);
		assert_string_equal(err_msg(e), cases[i].message);
		err_free(e);
		buf_free(&image);
		recipe_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libkdumpfile_reads_every_format),
		cmocka_unit_test(libkdumpfile_reads_pieces),
		cmocka_unit_test(elf_headers_say_what_is_excluded),
		cmocka_unit_test(flattened_files_hold_the_same),
		cmocka_unit_test(header_fields_can_be_wrong),
		cmocka_unit_test(a_page_can_be_corrupt),
		cmocka_unit_test(pieces_can_be_missing),
		cmocka_unit_test(impossible_files_are_named),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	/* Not exit(): see open_dump(). */
	_exit(failed != 0);
}
