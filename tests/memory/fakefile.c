// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/memory/fakefile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/err.h"

void fakefile_make(struct fakefile *f, const void *bytes, size_t len)
{
	f->fd = memfd_create("dump", MFD_CLOEXEC);
	assert_true(f->fd >= 0);
	assert_int_equal(write(f->fd, bytes, len), len);
	snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fd);
}

void fakefile_close(struct fakefile *f)
{
	close(f->fd);
}

void assert_err(struct err *e, int code, const char *part)
{
	if (!e)
		fail_msg("no error, where one about \"%s\" was expected", part);
	if ((int)err_code(e) != code || !strstr(err_msg(e), part))
		fail_msg("the error is %d, \"%s\", and should be %d about \"%s\"", err_code(e),
			 err_msg(e), code, part);
	err_free(e);
}

void assert_ok(struct err *e)
{
	if (e)
		fail_msg("%s", err_msg(e));
}
