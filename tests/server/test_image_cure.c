// SPDX-License-Identifier: GPL-2.0-or-later
/* What is changed in an image that is served, and headers that lie. */
#define _GNU_SOURCE 1
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/err.h"
#include "server/files/image_cure.h"
#include "server/files/overlay.h"

#define TEXT UINT64_C(0xffffffff81000000)

struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segments[3];
	Elf64_Shdr sections[5];
};

/* A kernel with a text segment, a per-CPU one at 0 and a note. */
static struct image kernel(void)
{
	return (struct image){
		.header = { .e_ident = ELFMAG,
			    .e_type = ET_EXEC,
			    .e_phoff = offsetof(struct image, segments),
			    .e_phentsize = sizeof(Elf64_Phdr),
			    .e_phnum = 3,
			    .e_shoff = offsetof(struct image, sections),
			    .e_shentsize = sizeof(Elf64_Shdr),
			    .e_shnum = 5 },
		.segments = { { .p_type = PT_LOAD, .p_vaddr = TEXT },
			      { .p_type = PT_LOAD, .p_vaddr = 0, .p_memsz = 0x1000 },
			      { .p_type = PT_NOTE, .p_vaddr = 0 } },
		.sections = { { 0 },
			      { .sh_type = SHT_PROGBITS,
				.sh_flags = SHF_ALLOC,
				.sh_addr = TEXT,
				.sh_size = 16 },
			      { .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, .sh_size = 16 },
			      { .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC },
			      { .sh_type = SHT_PROGBITS, .sh_size = 16 } },
	};
}

static struct err *cure(const struct image *image, size_t len, struct overlay *ret)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, image, len), len);
	*ret = (struct overlay)OVERLAY_INIT;
	struct err *e = image_cure(fd, ret);
	close(fd);
	return e;
}

static void expect_refused(const struct image *image, size_t len)
{
	struct overlay overlay;
	struct err *e = cure(image, len, &overlay);
	assert_non_null(e);
	assert_int_equal(err_code(e), ERR_FORMAT);
	err_free(e);
	overlay_free(&overlay);
}

static void per_cpu_segment(void **state)
{
	(void)state;
	struct image image = kernel(), expected = image;
	struct overlay overlay;
	assert_null(cure(&image, sizeof(image), &overlay));
	expected.segments[1].p_type = PT_NULL;
	expected.sections[2].sh_type = SHT_NOBITS;
	overlay_apply(&overlay, 0, &image, sizeof(image));
	assert_memory_equal(&image, &expected, sizeof(image));
	overlay_free(&overlay);
}

/* Kernels whose per-CPU variables lie among the others, or that can be loaded anywhere. */
static void nothing_to_cure(void **state)
{
	(void)state;
	struct image image = kernel();
	struct overlay overlay;
	image.segments[1].p_vaddr = TEXT + 0x100000;
	image.sections[2].sh_addr = TEXT + 0x100000;
	assert_null(cure(&image, sizeof(image), &overlay));
	assert_int_equal(overlay.count, 0);
	image = kernel();
	image.header.e_type = ET_DYN;
	assert_null(cure(&image, sizeof(image), &overlay));
	assert_int_equal(overlay.count, 0);
	image = kernel();
	image.header.e_phnum = image.header.e_shnum = 0;
	assert_null(cure(&image, sizeof(image), &overlay));
	assert_int_equal(overlay.count, 0);
}

static void damaged_headers(void **state)
{
	(void)state;
	struct image image = kernel();
	for (size_t len = 0; len < sizeof(image); len++)
		expect_refused(&image, len);
	image.header.e_phentsize = 8;
	expect_refused(&image, sizeof(image));
	image = kernel();
	image.header.e_shentsize = 0;
	expect_refused(&image, sizeof(image));
	image = kernel();
	image.header.e_phoff = UINT64_MAX - 8;
	expect_refused(&image, sizeof(image));
	image = kernel();
	image.header.e_shoff = INT64_MAX;
	expect_refused(&image, sizeof(image));
	image = kernel();
	image.header.e_phnum = image.header.e_shnum = 0xffff;
	expect_refused(&image, sizeof(image));
	/* One table on top of the other: the same bytes cannot be patched twice. */
	image = kernel();
	image.header.e_shoff = image.header.e_phoff;
	struct overlay overlay;
	err_free(cure(&image, sizeof(image), &overlay));
	overlay_free(&overlay);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(per_cpu_segment),
		cmocka_unit_test(nothing_to_cure),
		cmocka_unit_test(damaged_headers),
	};
	return cmocka_run_group_tests_name("image_cure", tests, NULL, NULL);
}
