// SPDX-License-Identifier: GPL-2.0-or-later
/* Which files are taken for a dump's vmlinux, and what is said of all the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "tests/names/sample_files.h"
#include "vmcore/names/files/debugfiles.h"
#include "vmcore/names/types/types.h"
#include "vmcore/names/vmcoreinfo.h"

#define RELEASE "9.9.9-sample"

/* A folder of its own for each test, removed with what is in it. */
struct place {
	char folder[64];
	struct vmcoreinfo *info; /* of a dump of dwarf5.elf, moved by KASLR */
	char build_id[80];	 /* of dwarf5.elf */
};

static void fill_place(struct place *p)
{
	static const char text[] = "SYMBOL(_stext)=ffffffff9e000000\n"
				   "SYMBOL(init_uts_ns)=ffffffff9e002020\n";
	strcpy(p->folder, "/tmp/test-debugfiles-XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	assert_null(vmcoreinfo_parse(text, sizeof(text) - 1, &p->info));
	struct debug_wanted any = { 0 };
	struct debug_file *f = NULL;
	assert_null(debug_file_open(sample_path("dwarf5.elf"), &any, &f));
	assert_non_null(f->build_id);
	snprintf(p->build_id, sizeof(p->build_id), "%s", f->build_id);
	debug_file_close(f);
}

static int set_up(void **state)
{
	static struct place place;
	fill_place(&place);
	*state = &place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	char command[128];
	snprintf(command, sizeof(command), "rm -rf '%s'", p->folder);
	vmcoreinfo_free(p->info);
	return system(command);
}

/* Puts a copy of the sample @name at @where below the place's folder. */
static void put(const struct place *p, const char *name, const char *where)
{
	char command[2048];
	snprintf(command, sizeof(command), "mkdir -p \"$(dirname '%s/%s')\" && cp '%s' '%s/%s'",
		 p->folder, where, sample_path(name), p->folder, where);
	assert_int_equal(system(command), 0);
}

static const char *below(const struct place *p, const char *name)
{
	static char path[256];
	snprintf(path, sizeof(path), "%s/%s", p->folder, name);
	return path;
}

static void write_file(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

/* Refused, with @words in the message. */
static void assert_refused(const char *path, const struct debug_wanted *wanted, const char *words)
{
	struct debug_file *f;
	struct err *e = debug_file_open(path, wanted, &f);
	assert_non_null(e);
	if (!strstr(err_msg(e), words) || !strstr(err_msg(e), path))
		fail_msg("%s", err_msg(e));
	err_free(e);
}

static void assert_accepted(const char *path, const struct debug_wanted *wanted)
{
	struct debug_file *f = NULL;
	struct err *e = debug_file_open(path, wanted, &f);
	if (e)
		fail_msg("%s", err_msg(e));
	assert_string_equal(f->path, path);
	debug_file_close(f);
}

static void the_right_vmlinux(void **state)
{
	struct place *p = *state;
	struct debug_wanted wanted = { RELEASE, p->build_id, p->info, NULL, NULL, NULL, NULL };
	struct debug_file *f = NULL;
	assert_null(debug_file_open(sample_path("dwarf5.elf"), &wanted, &f));
	assert_true(f->has_symtab && f->has_dwarf && !f->has_btf);
	assert_int_equal(f->text, 0xffffffff81000000);
	assert_true(f->fd >= 0);
	struct types *t = NULL;
	assert_null(debug_file_types(f, &t));
	assert_string_equal(types_kind(t), "DWARF");
	assert_true(types_has(t, "sample_outer", "first"));
	types_free(t);
	debug_file_close(f);
	debug_file_close(NULL);

	f = NULL;
	assert_null(debug_file_open(sample_path("symbols-only.elf"), &wanted, &f));
	struct err *e = debug_file_types(f, &t);
	assert_int_equal(err_code(e), ERR_NOTFOUND);
	err_free(e);
	debug_file_close(f);
}

static void another_kernels_vmlinux(void **state)
{
	struct place *p = *state;
	struct debug_wanted wanted = { RELEASE, p->build_id, p->info, NULL, NULL, NULL, NULL };
	assert_refused(sample_path("other.elf"), &wanted, p->build_id);
	/* Without a build-id on one side the release and the distances of symbols must do. */
	assert_refused(sample_path("noid-other.elf"), &wanted, "its release is 1.2.3-other");
	assert_refused(sample_path("noid-moved.elf"), &wanted, "init_uts_ns");
	assert_accepted(sample_path("noid.elf"), &wanted);
	wanted.build_id = NULL;
	assert_accepted(sample_path("dwarf5.elf"), &wanted);
	assert_refused(sample_path("other.elf"), &wanted, "its release is 1.2.3-other");
	wanted.info = NULL;
	assert_accepted(sample_path("noid-moved.elf"), &wanted);
	wanted.release = NULL;
	assert_accepted(sample_path("other.elf"), &wanted);
}

static void what_is_no_vmlinux(void **state)
{
	struct place *p = *state;
	struct debug_wanted wanted = { RELEASE, p->build_id, p->info, NULL, NULL, NULL, NULL };
	assert_refused(sample_path("stripped.elf"), &wanted, "stripped");
	assert_refused(sample_path("module.ko"), &wanted, "kernel module");
	assert_refused(p->folder, &wanted, "folder");
	assert_refused(below(p, "missing"), &wanted, "No such file");
	assert_int_equal(mkfifo(below(p, "fifo"), 0600), 0);
	assert_refused(below(p, "fifo"), &wanted, "no regular file");
	write_file(below(p, "file"), "", 0);
	assert_refused(below(p, "file"), &wanted, "empty");

	static const struct {
		size_t at;
		const char *bytes;
		size_t len;
		const char *words;
	} heads[] = {
		{ 0x202, "HdrS", 4, "kernel image to boot" },
		{ 0, "\x1f\x8b\x08", 3, "gzip" },
		{ 0,
		  "\xfd"
		  "7zXZ",
		  6, "xz" },
		{ 0, "\x28\xb5\x2f\xfd", 4, "zstd" },
		{ 0, "KDUMP   ", 8, "a dump" },
		{ 0, "makedumpfile", 12, "flattened" },
		{ 0, "!<arch>\n", 8, "archive" },
		{ 0, "hello", 5, "no ELF file" },
		{ 0, "\177ELF", 4, "damaged" },
		{ 0, "\177ELF\1\1\1", 7, "another architecture" },
		{ 0, "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\4\0\x3e\0\1", 21, "ELF core" },
		{ 0, "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\xb7\0\1", 21, "another architecture" },
		{ 0, "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\x3e\0\1", 21, "stripped" },
	};
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		char bytes[0x400] = { 0 };
		memcpy(bytes + heads[i].at, heads[i].bytes, heads[i].len);
		write_file(below(p, "file"), bytes, sizeof(bytes));
		assert_refused(below(p, "file"), &wanted, heads[i].words);
	}
}

/* Every cut and many single damages of a real file: any answer will do, but an answer. */
static void damaged_files(void **state)
{
	struct place *p = *state;
	struct debug_wanted wanted = { RELEASE, p->build_id, p->info, NULL, NULL, NULL, NULL };
	static char bytes[1 << 16];
	int fd = open(sample_path("dwarf5.elf"), O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, bytes, sizeof(bytes));
	close(fd);
	assert_true(len > 1000 && len < (ssize_t)sizeof(bytes));
	for (int i = 0; i < 300; i++) {
		static char damaged[1 << 16];
		memcpy(damaged, bytes, (size_t)len);
		size_t n = (size_t)len;
		if (i % 3 == 0)
			n = n * (size_t)i / 300;
		else if (i % 3 == 1) /* in the ELF header */
			damaged[16 + i % 48] = (char)0xff;
		else /* in the section headers, at the end */
			memset(damaged + len - 15 * 64 + i * 3, 0xff, 4);
		write_file(below(p, "file"), damaged, n);
		struct debug_file *f = NULL;
		struct err *e = debug_file_open(below(p, "file"), &wanted, &f);
		if (!e)
			debug_file_close(f);
		err_free(e);
	}
}

static struct err *find(const struct place *p, const char *path, struct buf *tried,
			struct debug_file **ret)
{
	struct debug_wanted wanted = { RELEASE, p->build_id, p->info, p->folder, NULL, NULL, NULL };
	return debug_file_find(&path, path != NULL, &wanted, tried, ret);
}

static void assert_found(const struct place *p, const char *path, const char *where)
{
	struct buf tried = BUF_INIT;
	struct debug_file *f = NULL;
	struct err *e = find(p, path, &tried, &f);
	if (e)
		fail_msg("%s", err_msg(e));
	assert_string_equal(f->path, below(p, where));
	debug_file_close(f);
	buf_free(&tried);
}

static void the_usual_places(void **state)
{
	struct place *p = *state;
	char by_id[256];
	snprintf(by_id, sizeof(by_id), "usr/lib/debug/.build-id/%.2s/%s.debug", p->build_id,
		 p->build_id + 2);
	const char *const places[] = {
		"boot/vmlinux-" RELEASE,
		"lib/modules/" RELEASE "/build/vmlinux",
		"usr/lib/debug/lib/modules/" RELEASE "/vmlinux",
		"usr/lib/debug/boot/vmlinux-" RELEASE,
		by_id,
	};
	/* From the last that is looked at to the first. */
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		put(p, "dwarf5.elf", places[i]);
		assert_found(p, NULL, places[i]);
	}
}

static void named_files_and_folders(void **state)
{
	struct place *p = *state;
	put(p, "dwarf5.elf", "a/vmlinux");
	put(p, "dwarf5.elf", "b/vmlinux-" RELEASE);
	put(p, "dwarf5.elf", "c/usr/lib/debug/boot/vmlinux-" RELEASE);
	put(p, "dwarf5.elf", "d/lib/modules/" RELEASE "/vmlinux");
	put(p, "dwarf5.elf", "e/odd-name");
	char path[256];
	static const char *const cases[][2] = {
		{ "a", "a/vmlinux" },
		{ "b", "b/vmlinux-" RELEASE },
		{ "c", "c/usr/lib/debug/boot/vmlinux-" RELEASE },
		{ "d", "d/lib/modules/" RELEASE "/vmlinux" },
		{ "e/odd-name", "e/odd-name" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", p->folder, cases[i][0]);
		assert_found(p, path, cases[i][1]);
	}
	/* A module that was named is no mistake, and the search goes on. */
	put(p, "module.ko", "module.ko");
	put(p, "dwarf5.elf", "boot/vmlinux-" RELEASE);
	snprintf(path, sizeof(path), "%s/module.ko", p->folder);
	assert_found(p, path, "boot/vmlinux-" RELEASE);
	/* A vmlinux that was named and is another kernel's is one. */
	put(p, "other.elf", "other");
	snprintf(path, sizeof(path), "%s/other", p->folder);
	struct buf tried = BUF_INIT;
	struct debug_file *f;
	struct err *e = find(p, path, &tried, &f);
	assert_non_null(e);
	assert_int_equal(err_code(e), ERR_FORMAT);
	err_free(e);
	buf_free(&tried);
}

/* Where to unpack it could hold up others, that it is there is said. */
static void compressed_in_a_usual_place(void **state)
{
	struct place *p = *state;
	static const char zst[] = "\x28\xb5\x2f\xfd",
			  where[] = "usr/lib/debug/boot/vmlinux-" RELEASE ".zst";
	struct buf tried = BUF_INIT;
	struct debug_file *f;
	put(p, "dwarf5.elf", where);
	write_file(below(p, where), zst, sizeof(zst));
	struct err *e = find(p, NULL, &tried, &f);
	assert_int_equal(err_code(e), ERR_NOTFOUND);
	assert_non_null(strstr(tried.data, below(p, where)));
	assert_non_null(strstr(tried.data, "compressed with zstd; decompress it, or give it with"));
	/* Nor is it the last place. */
	put(p, "dwarf5.elf", "boot/vmlinux-" RELEASE);
	assert_found(p, NULL, "boot/vmlinux-" RELEASE);
	err_free(e);
	buf_free(&tried);
}

static void nothing_found(void **state)
{
	struct place *p = *state;
	put(p, "other.elf", "boot/vmlinux-" RELEASE);
	put(p, "stripped.elf", "usr/lib/debug/boot/vmlinux-" RELEASE);
	struct buf tried = BUF_INIT;
	struct debug_file *f;
	struct err *e = find(p, NULL, &tried, &f);
	assert_non_null(e);
	assert_int_equal(err_code(e), ERR_NOTFOUND);
	assert_non_null(strstr(err_msg(e), RELEASE));
	assert_non_null(strstr(err_msg(e), p->build_id));
	assert_non_null(strstr(err_msg(e), "/lib/modules/" RELEASE "/build/vmlinux"));
	assert_non_null(strstr(tried.data, "another kernel"));
	assert_non_null(strstr(tried.data, "stripped"));
	err_free(e);

	/* What the dump says becomes part of no path outside. */
	struct debug_wanted hostile = { "../../etc", "../x", NULL, p->folder, NULL, "../y", NULL };
	e = debug_file_find(NULL, 0, &hostile, &tried, &f);
	assert_non_null(e);
	assert_null(strstr(err_msg(e), "boot"));
	err_free(e);
	struct debug_wanted unknown = { 0 };
	unknown.root = p->folder;
	e = debug_file_find(NULL, 0, &unknown, &tried, &f);
	assert_int_equal(err_code(e), ERR_NOTFOUND);
	err_free(e);
	buf_free(&tried);
}

static void packages_of_distributions(void **state)
{
	(void)state;
	static const char *const hints[][2] = {
		{ "6.1.0-56-amd64", "linux-image-6.1.0-56-amd64-dbg" },
		{ "6.1.0-56-cloud-amd64", "linux-image-6.1.0-56-cloud-amd64-dbg" },
		{ "6.12.107+deb13-rt-amd64", "linux-image-6.12.107+deb13-rt-amd64-dbg" },
		{ "3.10.0-1160.el7.x86_64", "kernel-debuginfo-3.10.0-1160.el7.x86_64" },
		{ "4.18.0-553.rt7.342.el8_10.x86_64", "kernel-rt-debuginfo" },
		{ "5.14.0-503.11.1.el9_5.x86_64", "kernel-debuginfo-5.14.0-503.11.1.el9_5.x86_64" },
		{ "5.14.0-503.11.1.el9_5.x86_64+debug",
		  "kernel-debug-debuginfo-5.14.0-503.11.1.el9_5.x86_64 " },
		{ "5.14.0-503.11.1.el9_5.x86_64+rt",
		  "kernel-rt-debuginfo-5.14.0-503.11.1.el9_5.x86_64 " },
		{ "5.14.0-503.11.1.el9_5.x86_64", "kernel-debuginfo-common" },
		{ "6.1.112-122.189.amzn2023.x86_64", "by the release's name" },
		{ "5.15.0-201.135.6.el8uek.x86_64", "kernel-uek-debuginfo" },
		{ "6.8.0-45-generic", "linux-image-unsigned-6.8.0-45-generic-dbgsym" },
		{ "6.11.4-301.fc41.x86_64", "kernel-debuginfo-6.11.4-301.fc41.x86_64" },
		{ "6.4.0-150600.21-default", "kernel-default-debuginfo" },
		{ "6.6.6-mine", "build-id 1234" },
	};
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		struct buf out = BUF_INIT;
		debug_package_hint(hints[i][0], "1234", &out);
		assert_non_null(strstr(out.data, hints[i][1]));
		buf_free(&out);
	}
	struct buf out = BUF_INIT;
	debug_package_hint(NULL, NULL, &out);
	assert_true(out.len > 0);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_right_vmlinux, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_kernels_vmlinux, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_vmlinux, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_usual_places, set_up, tear_down),
		cmocka_unit_test_setup_teardown(named_files_and_folders, set_up, tear_down),
		cmocka_unit_test_setup_teardown(compressed_in_a_usual_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_found, set_up, tear_down),
		cmocka_unit_test(packages_of_distributions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
