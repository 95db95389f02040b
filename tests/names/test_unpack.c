// SPDX-License-Identifier: GPL-2.0-or-later
/* Compressed files: whole, damaged, cut off, and those that would never end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "vmcore/names/files/unpack.h"

enum { LEN = 300000 };

/* The tools that people pack with, and how they are called. */
static const struct tool {
	const char *name, *command, *kind;
} tools[] = {
	{ "xz", "xz -c", "xz" },
	{ "xz", "xz -c --check=crc32 --x86 --lzma2=dict=2MiB", "xz" },
	{ "gzip", "gzip -c", "gzip" },
	{ "zstd", "zstd -q -19 -c", "zstd" },
};
enum { TOOLS = sizeof(tools) / sizeof(*tools) };

/* A file in memory with what the shell command prints, with @bytes (@len) as input; -1 if the tool
 * is missing. */
static int packed(const struct tool *t, const void *bytes, size_t len)
{
	char command[256];
	int in = memfd_create("in", 0), out = memfd_create("out", 0);
	assert_true(in >= 0 && out >= 0);
	assert_int_equal(write(in, bytes, len), len);
	snprintf(command, sizeof(command), "command -v %s >/dev/null", t->name);
	if (system(command)) {
		print_message("%s is missing: not tried\n", t->name);
		close(in);
		close(out);
		return -1;
	}
	snprintf(command, sizeof(command), "%s </proc/%ld/fd/%d >/proc/%ld/fd/%d", t->command,
		 (long)getpid(), in, (long)getpid(), out);
	assert_int_equal(system(command), 0);
	close(in);
	return out;
}

static unsigned char *sample(void)
{
	unsigned char *bytes = malloc(LEN);
	unsigned state = 1;
	assert_non_null(bytes);
	for (size_t i = 0; i < LEN; i++) {
		state = state * 1103515245 + 12345;
		bytes[i] = i % 3 ? (unsigned char)(state >> 28) : (unsigned char)(i >> 10);
	}
	return bytes;
}

static bool supported(struct err *e)
{
	bool yes = !e || err_code(e) != ERR_UNSUPPORTED;
	if (!yes)
		print_message("%s\n", err_msg(e));
	return yes;
}

static void whole_files(void **state)
{
	(void)state;
	unsigned char *bytes = sample(), *back = malloc(LEN + 1);
	assert_non_null(back);
	for (size_t i = 0; i < TOOLS; i++) {
		int fd = packed(&tools[i], bytes, LEN), out = -1;
		char head[8];
		if (fd < 0)
			continue;
		assert_int_equal(pread(fd, head, sizeof(head), 0), sizeof(head));
		assert_string_equal(unpack_kind(head, sizeof(head)), tools[i].kind);
		struct err *e = unpack_file(fd, UNPACK_MODULE_MAX, &out);
		if (supported(e)) {
			assert_null(e);
			assert_int_equal(pread(out, back, LEN + 1, 0), LEN);
			assert_memory_equal(back, bytes, LEN);
			close(out);
		}
		err_free(e);
		close(fd);
	}
	free(bytes);
	free(back);
}

static void other_files(void **state)
{
	(void)state;
	int fd = memfd_create("plain", 0), out = 0;
	assert_null(unpack_file(fd, UNPACK_MODULE_MAX, &out));
	assert_int_equal(out, -1);
	assert_int_equal(write(fd, "\177ELF", 4), 4);
	assert_null(unpack_file(fd, UNPACK_MODULE_MAX, &out));
	assert_int_equal(out, -1);
	assert_null(unpack_kind("\xfd", 1));
	assert_int_equal(pwrite(fd, "BZh9", 4, 0), 4);
	struct err *e = unpack_file(fd, UNPACK_MODULE_MAX, &out);
	assert_non_null(strstr(err_msg(e), "bzip2"));
	err_free(e);
	close(fd);
}

static void assert_refused(int fd, const char *words)
{
	int out = 0;
	struct err *e = unpack_file(fd, UNPACK_MODULE_MAX, &out);
	assert_non_null(e);
	if (supported(e))
		assert_non_null(strstr(err_msg(e), words));
	assert_int_equal(out, -1);
	err_free(e);
}

/* A hundred megabytes of zeros: what they are packed to has some kilobytes. */
static void bombs(void **state)
{
	(void)state;
	size_t len = 100 << 20;
	char *zeros = calloc(1, len);
	assert_non_null(zeros);
	for (size_t i = 0; i < TOOLS; i++) {
		if (i == 1)
			continue;
		int fd = packed(&tools[i], zeros, len);
		if (fd < 0)
			continue;
		assert_refused(fd, "it would grow to more than");
		close(fd);
	}
	free(zeros);
}

static void damaged_files(void **state)
{
	(void)state;
	unsigned char *bytes = sample();
	for (size_t i = 0; i < TOOLS; i++) {
		int fd = packed(&tools[i], bytes, LEN);
		if (fd < 0)
			continue;
		off_t len = lseek(fd, 0, SEEK_END);
		for (off_t at = 8; at < len; at += len / 16) {
			char byte;
			int out;
			/* Some bytes say nothing that matters, such as gzip's operating system. */
			assert_int_equal(pread(fd, &byte, 1, at), 1);
			byte ^= 0x55;
			assert_int_equal(pwrite(fd, &byte, 1, at), 1);
			struct err *e = unpack_file(fd, UNPACK_MODULE_MAX, &out);
			assert_true((e != NULL) == (out == -1));
			err_free(e);
			if (out >= 0)
				close(out);
			byte ^= 0x55;
			assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		}
		assert_int_equal(ftruncate(fd, len - 1), 0);
		assert_refused(fd, "cut off");
		assert_int_equal(ftruncate(fd, 7), 0);
		assert_refused(fd, "cut off");
		close(fd);
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_files),
		cmocka_unit_test(other_files),
		cmocka_unit_test(bombs),
		cmocka_unit_test(damaged_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
