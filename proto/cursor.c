// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/cursor.h"

#include <string.h>

#include "base/hex.h"

bool cursor_skip(struct cursor *c, char byte)
{
	if (!cursor_left(c) || *c->at != byte)
		return false;
	c->at++;
	return true;
}

void cursor_expect(struct cursor *c, char byte)
{
	if (!cursor_skip(c, byte))
		c->bad = true;
}

bool cursor_skip_text(struct cursor *c, const char *text)
{
	size_t len = strlen(text);
	if (c->bad || cursor_left(c) < len || memcmp(c->at, text, len) != 0)
		return false;
	c->at += len;
	return true;
}

uint64_t cursor_hex(struct cursor *c)
{
	uint64_t value;
	size_t digits = hex_prefix(c->at, cursor_left(c), &value);
	if (!digits || digits > 16) {
		c->bad = true;
		return 0;
	}
	c->at += digits;
	return value;
}

const char *cursor_until(struct cursor *c, char byte, size_t *ret_len)
{
	size_t left = cursor_left(c);
	const char *start = c->at, *found = left ? memchr(start, byte, left) : NULL;
	*ret_len = found ? (size_t)(found - start) : left;
	c->at += *ret_len;
	return start;
}

const char *cursor_rest(struct cursor *c, size_t *ret_len)
{
	const char *start = c->at;
	*ret_len = cursor_left(c);
	c->at += *ret_len;
	return start;
}
