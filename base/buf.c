// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/utf8.h"

/* What data points to while nothing is allocated; only ever read. */
char buf_empty[1];

void buf_init(struct buf *b)
{
	*b = (struct buf)BUF_INIT;
}

void buf_free(struct buf *b)
{
	if (b->cap)
		free(b->data);
	buf_init(b);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->cap)
		b->data[0] = 0;
}

bool buf_reserve(struct buf *b, size_t extra)
{
	if (b->failed)
		return false;
	if (b->cap && extra < b->cap - b->len)
		return true;
	if (extra > SIZE_MAX / 4 - b->len) {
		b->failed = true;
		return false;
	}
	size_t cap = b->cap + b->cap / 2;
	if (cap < b->len + extra + 1)
		cap = b->len + extra + 1;
	if (cap < 64)
		cap = 64;
	char *data = realloc(b->cap ? b->data : NULL, cap);
	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->cap = cap;
	b->data[b->len] = 0;
	return true;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (!len || !buf_reserve(b, len))
		return;
	memcpy(b->data + b->len, bytes, len);
	b->len += len;
	b->data[b->len] = 0;
}

void buf_addstr(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addch(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	if (b->failed)
		return;
	va_copy(again, ap);
	/* Into what room there is; mostly that is enough. */
	size_t room = b->cap ? b->cap - b->len : 0;
	int n = vsnprintf(room ? b->data + b->len : NULL, room, fmt, ap);
	if (room)
		b->data[b->len + (n >= 0 && (size_t)n < room ? (size_t)n : 0)] = 0;
	if (n < 0) {
		b->failed = true;
	} else if ((size_t)n < room) {
		b->len += (size_t)n;
	} else if (buf_reserve(b, (size_t)n)) {
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

void buf_fill(struct buf *b, char c, size_t count)
{
	if (!count || !buf_reserve(b, count))
		return;
	memset(b->data + b->len, c, count);
	b->len += count;
	b->data[b->len] = 0;
}

uint8_t buf_addhex(struct buf *b, const void *bytes, size_t len)
{
	if (len > SIZE_MAX / 2) {
		b->failed = true;
		return 0;
	}
	if (!len || !buf_reserve(b, 2 * len))
		return 0;
	uint8_t sum = hex_encode(b->data + b->len, bytes, len);
	b->len += 2 * len;
	b->data[b->len] = 0;
	return sum;
}

void buf_addxml(struct buf *b, const char *text)
{
	for (const char *p = text; *p;) {
		size_t len = utf8_length(p);
		switch (*p) {
		case '&':
			buf_addstr(b, "&amp;");
			break;
		case '<':
			buf_addstr(b, "&lt;");
			break;
		case '>':
			buf_addstr(b, "&gt;");
			break;
		case '"':
			buf_addstr(b, "&quot;");
			break;
		case '\'':
			buf_addstr(b, "&apos;");
			break;
		default:
			if (!len || (unsigned char)*p < 0x20 || *p == 0x7f)
				buf_addch(b, '?');
			else
				buf_add(b, p, len);
		}
		p += len ? len : 1;
	}
}

void buf_drop(struct buf *b, size_t n)
{
	if (!n)
		return;
	memmove(b->data, b->data + n, b->len - n + 1);
	b->len -= n;
}

void buf_cut(struct buf *b, size_t len)
{
	if (len >= b->len)
		return;
	b->len = len;
	b->data[len] = 0;
}

struct err *buf_error(const struct buf *b)
{
	return b->failed ? err_nomem() : NULL;
}
