// SPDX-License-Identifier: GPL-2.0-or-later
/* The list of served files: where bytes come from, patches, files that change or go away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/files/exports.h"
#include "server/files/overlay.h"

#define TEXT "0123456789abcdef"

/* A file of TEXT without a name. */
static int text_file(char *path)
{
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, TEXT, 16), 16);
	return fd;
}

static void expect_code(struct err *e, enum err_code code)
{
	assert_non_null(e);
	assert_int_equal(err_code(e), code);
	err_free(e);
}

static void expect_bytes(struct target_file *f, uint64_t offset, size_t len, const char *bytes,
			 size_t count)
{
	char got[64];
	size_t done = 99;
	assert_true(len <= sizeof(got));
	assert_null(exports_read(f, offset, got, len, &done));
	assert_int_equal(done, count);
	assert_memory_equal(got, bytes, count);
}

static struct target_file *opened(struct exports *x, const char *name)
{
	struct target_file *f = NULL;
	assert_null(exports_open(x, name, &f));
	assert_non_null(f);
	return f;
}

static void names(void **state)
{
	(void)state;
	struct exports *x = exports_new();
	struct target_file *f = NULL;
	assert_null(exports_add_path(x, "/a", "/nowhere/at/all"));
	expect_code(exports_add_path(x, "/a", "/dev/null"), ERR_INVALID);
	expect_code(exports_add_path(x, "a", "/dev/null"), ERR_INVALID);
	expect_code(exports_add_path(x, "", "/dev/null"), ERR_INVALID);
	assert_true(exports_has(x, "/a"));
	assert_false(exports_has(x, "/"));
	assert_false(exports_has(x, "/nowhere/at/all"));
	expect_code(exports_open(x, "/etc/passwd", &f), ERR_NOTFOUND);
	expect_code(exports_open(x, "/nowhere/at/all", &f), ERR_NOTFOUND);
	/* Served, but not there when it is asked for. */
	expect_code(exports_open(x, "/a", &f), ERR_IO);
	assert_null(f);
	assert_null(exports_add_path(x, "/null", "/dev/null"));
	expect_code(exports_open(x, "/null", &f), ERR_FORMAT);
	assert_null(exports_add_path(x, "/folder", "/"));
	expect_code(exports_open(x, "/folder", &f), ERR_FORMAT);
	exports_free(x);
}

static void a_path(void **state)
{
	(void)state;
	char path[] = "exports-XXXXXX";
	struct target_file_status status;
	char byte;
	size_t done;
	close(text_file(path));
	struct exports *x = exports_new();
	assert_null(exports_add_path(x, "/text", path));
	struct target_file *f = opened(x, "/text"), *g = opened(x, "/text");
	assert_null(exports_status(f, &status));
	assert_int_equal(status.size, 16);
	assert_true(status.mtime > 1700000000);
	assert_true(status.inode > 0);
	expect_bytes(f, 0, 16, TEXT, 16);
	expect_bytes(f, 14, 16, "ef", 2);
	expect_bytes(f, 16, 16, "", 0);
	expect_bytes(f, UINT64_MAX, 16, "", 0);
	exports_close(f);
	expect_bytes(g, 1, 2, "12", 2);
	/* It may be deleted while it is open; cut off, it does not become zeros. */
	assert_int_equal(truncate(path, 8), 0);
	expect_bytes(g, 6, 2, "67", 2);
	expect_code(exports_read(g, 8, &byte, 1, &done), ERR_IO);
	unlink(path);
	expect_bytes(g, 6, 2, "67", 2);
	exports_close(g);
	expect_code(exports_open(x, "/text", &f), ERR_IO);
	exports_free(x);
}

static void patches(void **state)
{
	(void)state;
	char path[] = "exports-XXXXXX";
	struct target_file_status status;
	struct overlay overlay = OVERLAY_INIT;
	int fd = text_file(path);
	unlink(path);
	struct exports *x = exports_new();
	assert_null(overlay_add(&overlay, 18, "TAIL", 4));
	assert_null(overlay_add(&overlay, 4, "AB", 2));
	assert_null(overlay_add(&overlay, 6, "C", 1));
	assert_null(overlay_add(&overlay, 0, "Z", 1));
	expect_code(overlay_add(&overlay, 5, "x", 1), ERR_INVALID);
	expect_code(overlay_add(&overlay, 3, "xx", 2), ERR_INVALID);
	expect_code(overlay_add(&overlay, 0, "xxxxxxxx", 8), ERR_INVALID);
	expect_code(overlay_add(&overlay, 30, "", 0), ERR_INVALID);
	expect_code(overlay_add(&overlay, UINT64_MAX, "x", 1), ERR_INVALID);
	expect_code(overlay_add(&overlay, INT64_MAX, "x", 1), ERR_INVALID);
	assert_int_equal(overlay.count, 4);
	assert_null(exports_add_fd(x, "/patched", fd, &overlay));
	assert_int_equal(overlay.count, 0);
	assert_null(exports_add_fd(x, "/plain", fd, NULL));
	close(fd);
	struct target_file *f = opened(x, "/patched");
	assert_null(exports_status(f, &status));
	assert_int_equal(status.size, 22);
	expect_bytes(f, 0, 64, "Z123ABC789abcdef\0\0TAIL", 22);
	for (size_t from = 0; from < 22; from++) {
		for (size_t len = 0; len <= 22 - from; len++)
			expect_bytes(f, from, len, "Z123ABC789abcdef\0\0TAIL" + from, len);
	}
	expect_bytes(f, 22, 8, "", 0);
	exports_close(f);
	/* Its descriptor is there for good. */
	f = opened(x, "/patched");
	expect_bytes(f, 3, 3, "3AB", 3);
	exports_close(f);
	f = opened(x, "/plain");
	expect_bytes(f, 0, 64, TEXT, 16);
	exports_close(f);
	expect_code(exports_add_fd(x, "/bad", -1, NULL), ERR_IO);
	assert_false(exports_has(x, "/bad"));
	exports_free(x);
}

struct maker {
	int calls, fails_at;
};

static struct err *make(void *closure, struct buf *out, bool *ret_done)
{
	struct maker *m = closure;
	assert_false(*ret_done);
	if (++m->calls == m->fails_at)
		return err_new(ERR_CORRUPT, "it is damaged");
	buf_addf(out, "part %d;", m->calls);
	*ret_done = m->calls == 3;
	return NULL;
}

static void made(void **state)
{
	(void)state;
	struct maker good = { 0 }, bad = { .fails_at = 2 };
	struct target_file_status status;
	struct target_file *f = NULL;
	struct exports *x = exports_new();
	assert_null(exports_add_made(x, "/good", make, &good));
	assert_null(exports_add_made(x, "/bad", make, &bad));
	assert_int_equal(good.calls, 0);
	for (int i = 0; i < 2; i++) {
		assert_null(exports_open(x, "/good", &f));
		assert_null(f);
	}
	f = opened(x, "/good");
	assert_ptr_equal(opened(x, "/good"), f);
	assert_int_equal(good.calls, 3);
	expect_bytes(f, 0, 64, "part 1;part 2;part 3;", 21);
	expect_bytes(f, 19, 64, "3;", 2);
	expect_bytes(f, 21, 64, "", 0);
	expect_bytes(f, UINT64_MAX, 64, "", 0);
	assert_null(exports_status(f, &status));
	assert_int_equal(status.size, 21);
	exports_close(f);
	expect_bytes(f, 0, 4, "part", 4);
	exports_close(f);
	/* It failed once, and is not tried again. */
	assert_null(exports_open(x, "/bad", &f));
	expect_code(exports_open(x, "/bad", &f), ERR_CORRUPT);
	struct err *e = exports_open(x, "/bad", &f);
	assert_string_equal(err_msg(e), "make /bad: it is damaged");
	err_free(e);
	assert_int_equal(bad.calls, 2);
	exports_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(a_path),
		cmocka_unit_test(patches),
		cmocka_unit_test(made),
	};
	return cmocka_run_group_tests_name("exports", tests, NULL, NULL);
}
