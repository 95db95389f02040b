/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Growable bytes.
 *
 * Invariants: data[len] is always readable and 0, also in an empty buffer, so data is a C string
 * when the bytes hold no 0. A failed allocation is remembered (`failed`) and later additions do
 * nothing: a reply is built whole and checked once, with buf_error().
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct buf {
	char *data; /* owned once cap != 0 */
	size_t len, cap;
	bool failed;
};

extern char buf_empty[1];
#define BUF_INIT                  \
	{                         \
		.data = buf_empty \
	}

void buf_init(struct buf *b);

/* Frees the bytes and leaves an empty, usable buffer. */
void buf_free(struct buf *b);

/* Empties, keeps the allocation, forgets an earlier failure. */
void buf_reset(struct buf *b);

/* Room for @extra more bytes; false (and failed set) when there is none to be had. */
bool buf_reserve(struct buf *b, size_t extra);

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_addstr(struct buf *b, const char *s);
void buf_addch(struct buf *b, char c);
/* @count times the same. */
void buf_fill(struct buf *b, char c, size_t count);
__attribute__((format(printf, 2, 3))) void buf_addf(struct buf *b, const char *fmt, ...);
void buf_vaddf(struct buf *b, const char *fmt, va_list ap);

/* Two lower-case hex digits a byte. Returns the sum modulo 256 of what was added. */
uint8_t buf_addhex(struct buf *b, const void *bytes, size_t len);

/* Text with &, <, >, " and ' escaped, and what XML cannot hold (control characters, bytes that are
 * no valid UTF-8) as '?'. */
void buf_addxml(struct buf *b, const char *text);

/* Removes the first @n bytes (n <= len). */
void buf_drop(struct buf *b, size_t n);

/* Cuts to @len bytes (len <= b->len). */
void buf_cut(struct buf *b, size_t len);

/* NULL, or the out-of-memory error if any addition failed. */
__attribute__((warn_unused_result)) struct err *buf_error(const struct buf *b);

#endif
