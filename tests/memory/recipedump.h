/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dumps for tests, from the text of a recipe. */
#ifndef TESTS_MEMORY_RECIPEDUMP_H
#define TESTS_MEMORY_RECIPEDUMP_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/memory/fakefile.h"

struct dump;
struct err;

enum { PIECES_MAX = 4 };

struct recipedump {
	struct fakefile files[PIECES_MAX];
	const char *paths[PIECES_MAX];
	size_t count;
};

/*
 * Makes the files that machine() and @more describe. Pages there: 0x200, 0x300, 0x310, 0x312 and
 * 0x80000; 0x311 is filtered.
 */
void recipedump_make(struct recipedump *r, const char *more);
void recipedump_close(struct recipedump *r);

/* Makes and opens; the files may be closed once the dump is open. */
struct err *recipedump_open(const char *more, struct dump **ret);

/* Fails unless the 8 bytes at physical address @pa are @value. */
void assert_word(struct dump *d, uint64_t pa, uint64_t value);

/* Fails unless reading the page at @pa is an error of this kind about @part. */
void assert_no_word(struct dump *d, uint64_t pa, int code, const char *part);

#endif
