/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files for tests that have no name in any folder. */
#ifndef TESTS_MEMORY_FAKEFILE_H
#define TESTS_MEMORY_FAKEFILE_H

#include <stddef.h>

struct err;

struct fakefile {
	int fd;
	char path[32]; /* opens it anew, for reading */
};

/* A file of these bytes. */
void fakefile_make(struct fakefile *f, const void *bytes, size_t len);
void fakefile_close(struct fakefile *f);

/* Fails the test unless @e is an error of this kind whose message has @part in it; frees @e. */
void assert_err(struct err *e, int code, const char *part);

/* Fails the test with the message if @e is an error. */
void assert_ok(struct err *e);

#endif
