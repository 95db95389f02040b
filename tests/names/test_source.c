// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a kernel's source is: what distributions call it, and where the compiler saw it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "tests/names/sample_files.h"
#include "vmcore/names/files/source_package.h"
#include "vmcore/names/files/source_roots.h"

/* Banners and releases as the distributions' kernels have them (/proc/version, uname -r). */
static void test_packages(void **state)
{
	static const struct {
		const char *release, *banner, *how, *folder;
	} rows[] = {
		{ "6.1.0-57-cloud-amd64",
		  "Linux version 6.1.0-57-cloud-amd64 (debian-kernel@lists.debian.org) (gcc-12 "
		  "(Debian "
		  "12.2.0-14+deb12u1) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40) #1 SMP "
		  "PREEMPT_DYNAMIC Debian 6.1.192-3 (2026-11-26)\n",
		  "package linux-source-6.1 (Debian; version 6.1.192-3), unpacked in /usr/src",
		  "/usr/src/linux-source-6.1" },
		{ "6.12.9+bpo-amd64",
		  "Linux version 6.12.9+bpo-amd64 (debian-kernel@lists.debian.org) "
		  "(x86_64-linux-gnu-"
		  "gcc-12 (Debian 12.2.0-14) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40) #1 SMP "
		  "PREEMPT_DYNAMIC Debian 6.12.9-1~bpo12+1 (2025-01-19)\n",
		  "package linux-source-6.12 (Debian; version 6.12.9-1~bpo12+1), unpacked in "
		  "/usr/src",
		  "/usr/src/linux-source-6.12" },
		{ "4.15.0-20-generic",
		  "Linux version 4.15.0-20-generic (buildd@lgw01-amd64-039) (gcc version 7.3.0 "
		  "(Ubuntu "
		  "7.3.0-16ubuntu3)) #21-Ubuntu SMP Tue Apr 24 06:16:15 UTC 2018 (Ubuntu "
		  "4.15.0-20.21-generic 4.15.17)\n",
		  "package linux-source-4.15.0 (Ubuntu; version 4.15.0-20.21-generic), unpacked in "
		  "/usr/src",
		  "/usr/src/linux-source-4.15.0" },
		{ "5.15.0-25-generic",
		  "Linux version 5.15.0-25-generic (buildd@x) (gcc (Ubuntu 9.4.0-1ubuntu1~20.04.1) "
		  "9.4.0) #25~20.04.1-Ubuntu SMP (Ubuntu 5.15.0-25.25~20.04.1-generic 5.15.30)\n",
		  "'apt-get source linux-image-unsigned-5.15.0-25-generic' (Ubuntu; version "
		  "5.15.0-25.25~20.04.1-generic)",
		  "" },
		{ "5.4.0-1009-aws",
		  "Linux version 5.4.0-1009-aws (Ubuntu 5.4.0-1009.9-aws 5.4.30)\n",
		  "'apt-get source linux-image-unsigned-5.4.0-1009-aws' (Ubuntu; version "
		  "5.4.0-1009.9-aws)",
		  "" },
		{ "4.18.0-147.el8.x86_64", "Linux version 4.18.0-147.el8.x86_64 (mockbuild@x)\n",
		  "package kernel-debuginfo-common-x86_64 of this kernel, or "
		  "kernel-4.18.0-147.el8.src.rpm",
		  "" },
		{ "5.14.0-70.13.1.rt21.83.el9_0.x86_64+rt", "",
		  "package kernel-rt-debuginfo-common-x86_64 of this kernel, or "
		  "kernel-rt-5.14.0-70.13.1.rt21.83.el9_0.src.rpm",
		  "" },
		{ "3.10.0-1062.el7.x86_64.debug", "",
		  "package kernel-debuginfo-common-x86_64 of this kernel, or "
		  "kernel-3.10.0-1062.el7.src.rpm",
		  "" },
		{ "5.4.17-2136.300.7.el8uek.x86_64", "",
		  "package kernel-uek-debuginfo-common-x86_64 of this kernel, or "
		  "kernel-uek-5.4.17-2136.300.7.el8uek.src.rpm",
		  "" },
		{ "6.5.6-300.fc39.x86_64", "",
		  "package kernel-debuginfo-common-x86_64 of this kernel, or "
		  "kernel-6.5.6-300.fc39.src.rpm",
		  "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct source_package found;
		assert_true(source_package_find(rows[i].release, rows[i].banner, &found));
		assert_string_equal(found.how, rows[i].how);
		assert_string_equal(found.folder, rows[i].folder);
	}
}

static void test_no_package(void **state)
{
	static const struct {
		const char *release, *banner;
	} rows[] = {
		{ "", "" },
		{ "6.1.0",
		  "Linux version 6.1.0 (me@here) (gcc-12 (Debian 12.2.0-14) 12.2.0) #1 SMP\n" },
		{ "6.8.2-arch2-1", "Linux version 6.8.2-arch2-1 (linux@archlinux)\n" },
		{ "6.1.0", "Linux version 6.1.0 #1 SMP Debian ../../x-1 (2026)\n" },
		{ "6.1.0", "Linux version 6.1.0 #1 SMP Debian 6;reboot (2026)\n" },
		{ "6.1.0", "Linux version 6.1.0 #1 SMP Debian 61\n" },
		{ "5.4.0-26-generic",
		  "Linux version 5.4.0-26-generic (Ubuntu 9.4.0-1ubuntu1) #30\n" },
		{ "4.18.0-1.el8.x86_64; rm -rf", "" },
		{ "../4.18.0-1.el8.x86_64", "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct source_package found = { .how = "as it was" };
		assert_false(source_package_find(rows[i].release, rows[i].banner, &found));
		assert_string_equal(found.how, "as it was");
	}
}

static void expect_roots(const char *sample, size_t count, const char *const *roots)
{
	struct source_roots found = { 0 };
	const char *path = sample_path(sample);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_null(source_roots_read(fd, path, &found));
	close(fd);
	assert_int_equal(found.count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(found.list[i], roots[i]);
	source_roots_free(&found);
}

static void test_roots(void **state)
{
	(void)state;
	expect_roots("roots-folder.o", 1, (const char *const[]){ "built/here" });
	expect_roots("roots-name.o", 1, (const char *const[]){ "/seen/there" });
	expect_roots("roots-below.o", 0, NULL);
	/* No file that kernels have. */
	expect_roots("roots-other.o", 1, (const char *const[]){ "/else/where" });
	/* C by one folder, assembly by another: both, and not what is of another file. */
	expect_roots("roots-three.o", 2, (const char *const[]){ "built/here", "/seen/there" });
}

static void test_no_dwarf(void **state)
{
	struct source_roots found = { .count = 7 };
	const char *path = sample_path("stripped.elf");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	(void)state;
	assert_true(fd >= 0);
	struct err *e = source_roots_read(fd, path, &found);
	close(fd);
	assert_non_null(e);
	assert_int_equal(err_code(e), ERR_NOTFOUND);
	assert_int_equal(found.count, 7);
	err_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packages),
		cmocka_unit_test(test_no_package),
		cmocka_unit_test(test_roots),
		cmocka_unit_test(test_no_dwarf),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
