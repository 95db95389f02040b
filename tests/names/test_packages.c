// SPDX-License-Identifier: GPL-2.0-or-later
/* What paths in packages tell, the text about a package's contents, and the symbol cache. Packages
 * themselves are tests/server/test_packages.py's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "vmcore/names/files/package_contents.h"
#include "vmcore/names/files/package_name.h"
#include "vmcore/names/files/symbol_cache.h"

/* ---- names ---- */

static const struct {
	const char *path;
	enum package_file file;
	const char *module, *release;
} names[] = {
	/* As the distributions' packages have them. */
	{ "usr/lib/debug/lib/modules/3.10.0-1160.el7.x86_64/vmlinux", PACKAGE_VMLINUX, "",
	  "3.10.0-1160.el7.x86_64" },
	{ "usr/lib/debug/lib/modules/4.18.0-80.el8.x86_64+debug/vmlinux", PACKAGE_VMLINUX, "",
	  "4.18.0-80.el8.x86_64+debug" },
	{ "usr/lib/debug/usr/lib/modules/6.5.6-300.fc39.x86_64/vmlinux", PACKAGE_VMLINUX, "",
	  "6.5.6-300.fc39.x86_64" },
	{ "usr/lib/debug/boot/vmlinux-6.1.0-57-amd64", PACKAGE_VMLINUX, "", "6.1.0-57-amd64" },
	{ "usr/lib/debug/boot/vmlinux-5.14.21-150500.55.39-default.debug", PACKAGE_VMLINUX, "",
	  "5.14.21-150500.55.39-default" },
	{ "boot/vmlinux-4.12.14-default.gz", PACKAGE_VMLINUX, "", "4.12.14-default" },
	{ "vmlinux.xz.debug", PACKAGE_VMLINUX, "", "" },
	{ "usr/lib/debug/lib/modules/3.10.0-1160.el7.x86_64/kernel/arch/x86/kvm/kvm-intel.ko.debug",
	  PACKAGE_MODULE, "kvm_intel", "3.10.0-1160.el7.x86_64" },
	{ "usr/lib/debug/lib/modules/6.1.0-57-amd64/kernel/net/8021q/8021q.ko", PACKAGE_MODULE,
	  "8021q", "6.1.0-57-amd64" },
	{ "usr/lib/debug/lib/modules/5.14.21-default/kernel/fs/ext4/ext4.ko.zst.debug",
	  PACKAGE_MODULE, "ext4", "5.14.21-default" },
	{ "lib/modules/6.1/kernel/a.ko.xz", PACKAGE_MODULE, "a", "6.1" },
	/* What is like them. */
	{ "usr/share/gdb/auto-load/vmlinux-gdb.py", PACKAGE_OTHER, "", "" },
	{ "usr/src/linux-headers-6.1/include/vmlinux.h", PACKAGE_OTHER, "", "" },
	{ "boot/vmlinuz-6.1.0-57-amd64", PACKAGE_OTHER, "", "" },
	{ "lib/modules/6.1/vdso/vdso64.so.debug", PACKAGE_OTHER, "", "6.1" },
	{ "lib/modules/6.1", PACKAGE_OTHER, "", "" },
	{ "mylib/modules/6.1/a.ko", PACKAGE_MODULE, "a", "" },
	{ ".ko", PACKAGE_OTHER, "", "" },
	{ "", PACKAGE_OTHER, "", "" },
	/* What nobody is to print, or to take for a path. */
	{ "lib/modules/../vmlinux", PACKAGE_VMLINUX, "", "" },
	{ "lib/modules/6\x1b[2J/a.ko", PACKAGE_MODULE, "a", "" },
	{ "boot/vmlinux-6 1", PACKAGE_OTHER, "", "" },
	{ "lib/modules/6.1/a\nb.ko", PACKAGE_OTHER, "", "6.1" },
	{ "boot/vmlinux-6.123456789012345678901234567890123456789012345678901234567890123",
	  PACKAGE_OTHER, "", "" },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct package_name name;
		package_name_read(names[i].path, &name);
		print_message("%s\n", names[i].path);
		assert_int_equal(name.file, names[i].file);
		assert_string_equal(name.release, names[i].release);
		if (name.file == PACKAGE_MODULE)
			assert_string_equal(name.module, names[i].module);
	}
}

/* ---- the text of contents ---- */

#define FIRST "vmcore-gdbserver: files in a package, 1\n"

static void test_contents(void **state)
{
	(void)state;
	static const char *const good[] = {
		FIRST "end\n",
		FIRST "release 6.1\nvmlinux 0123abcd\nmodule a\nmodule b -\nmodule c 0123\nmodule "
		      "c\nwhole\nend\n",
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct package_contents c;
		struct buf text = BUF_INIT;
		assert_true(package_contents_read(good[i], strlen(good[i]), &c));
		package_contents_write(&c, &text);
		assert_string_equal(text.data, good[i]);
		buf_free(&text);
		package_contents_free(&c);
	}
	static const char *const bad[] = {
		"",
		"end\n",
		FIRST,
		FIRST "end",
		FIRST "end\nend\n",
		FIRST "release ../6.1\nend\n",
		FIRST "release \nend\n",
		FIRST "vmlinux ../../x\nend\n",
		FIRST "vmlinux 01\nend\n",
		FIRST "vmlinux 0123\nvmlinux 0123\nend\n",
		FIRST "module\nend\n",
		FIRST "module a/b\nend\n",
		FIRST "module a 012G\nend\n",
		FIRST "module a  \nend\n",
		FIRST "module a b c\nend\n",
		FIRST "what\nend\n",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct package_contents c;
		print_message("%s", bad[i]);
		assert_false(package_contents_read(bad[i], strlen(bad[i]), &c));
	}
	struct package_contents c;
	assert_false(package_contents_read(FIRST "end\n\0", sizeof(FIRST "end\n"), &c));
}

/* ---- the cache ---- */

static char *new_folder(void)
{
	char *folder = strdup("/tmp/test_packages-XXXXXX");
	assert_non_null(folder);
	assert_non_null(mkdtemp(folder));
	return folder;
}

static int new_file(struct symbol_cache *c, const char *text)
{
	int fd;
	assert_null(symbol_cache_file(c, &fd));
	assert_null(symbol_cache_write(c, fd, 0, text, strlen(text)));
	return fd;
}

static void expect_text(const char *path, const char *text)
{
	char found[64] = "";
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fread(found, 1, sizeof(found) - 1, file), strlen(text));
	fclose(file);
	assert_string_equal(found, text);
}

static void test_cache(void **state)
{
	(void)state;
	char *folder = new_folder(), *path;
	struct symbol_cache *c;
	struct buf found = BUF_INIT, wanted = BUF_INIT;
	assert_null(symbol_cache_new(folder, &c));
	assert_false(symbol_cache_find(c, "abcdef", &found));
	int first = new_file(c, "one"), second = new_file(c, "two");
	assert_null(symbol_cache_keep(c, first, "abcdef", &path));
	buf_addf(&wanted, "%s/.build-id/ab/cdef.debug", folder);
	assert_string_equal(path, wanted.data);
	expect_text(path, "one");
	free(path);
	/* What is found wanting is replaced. */
	assert_null(symbol_cache_keep(c, second, "abcdef", &path));
	expect_text(path, "two");
	free(path);
	assert_true(symbol_cache_find(c, "abcdef", &found));
	assert_string_equal(found.data, wanted.data);
	static const char *const hostile[] = { "../../x", "ab/cd", "ab", "", "ABCD", "abcg" };
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		assert_null(symbol_cache_keep(c, first, hostile[i], &path));
		assert_null(path);
		assert_false(symbol_cache_find(c, hostile[i], &found));
	}
	assert_false(symbol_cache_find(c, NULL, &found));
	assert_null(symbol_cache_why(c));
	close(first);
	close(second);
	symbol_cache_free(c);
	assert_int_equal(unlink(wanted.data), 0);
	buf_cut(&wanted, strlen(folder) + strlen("/.build-id/ab"));
	assert_int_equal(rmdir(wanted.data), 0);
	buf_cut(&wanted, strlen(folder) + strlen("/.build-id"));
	assert_int_equal(rmdir(wanted.data), 0);
	/* Nothing else was left. */
	assert_int_equal(rmdir(folder), 0);
	buf_free(&found);
	buf_free(&wanted);
	free(folder);
}

static void test_copies(void **state)
{
	(void)state;
	struct symbol_cache *c;
	char *path, read[8] = "";
	assert_null(symbol_cache_new(NULL, &c));
	int from = new_file(c, "0123456789"), to = new_file(c, "ab");
	assert_null(symbol_cache_copy(c, from, 3, 4, to));
	assert_int_equal(pread(to, read, sizeof(read), 0), 6);
	assert_string_equal(read, "ab3456");
	struct err *e = symbol_cache_copy(c, from, 8, 4, to);
	assert_non_null(e);
	err_free(e);
	assert_null(symbol_cache_keep(c, from, "abcdef", &path));
	assert_null(path);
	assert_false(symbol_cache_find(c, "abcdef", &(struct buf)BUF_INIT));
	close(from);
	close(to);
	symbol_cache_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_copies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
