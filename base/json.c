// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"

/* The length of the valid UTF-8 sequence at @s, or 0 (Unicode 15, table 3-7). */
static size_t utf8_length(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t more;
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		more = 1;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		more = 2;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		more = 3;
	else
		return 0;
	/* No overlong forms, no surrogates, nothing above U+10FFFF. */
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i <= more; i++) {
		if (s[i] < low || s[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return more + 1;
}

static void add_string(struct buf *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	buf_addch(out, '"');
	while (*p) {
		size_t len = utf8_length(p);
		if (*p == '"' || *p == '\\')
			buf_addf(out, "\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			buf_addf(out, "\\u%04x", *p);
		else if (len)
			buf_add(out, p, len);
		else
			buf_addstr(out, "\\ufffd");
		p += len ? len : 1;
	}
	buf_addch(out, '"');
}

static void begin_value(struct json *j, const char *key)
{
	if (j->need_comma)
		buf_addch(j->out, ',');
	j->need_comma = true;
	if (key) {
		add_string(j->out, key);
		buf_addch(j->out, ':');
	}
}

static void open_level(struct json *j, const char *key, bool array)
{
	begin_value(j, key);
	assert(j->depth < 63);
	j->depth++;
	if (array)
		j->arrays |= UINT64_C(1) << j->depth;
	else
		j->arrays &= ~(UINT64_C(1) << j->depth);
	buf_addch(j->out, array ? '[' : '{');
	j->need_comma = false;
}

void json_object(struct json *j, const char *key)
{
	open_level(j, key, false);
}

void json_array(struct json *j, const char *key)
{
	open_level(j, key, true);
}

void json_end(struct json *j)
{
	assert(j->depth > 0);
	buf_addch(j->out, j->arrays >> j->depth & 1 ? ']' : '}');
	j->depth--;
	j->need_comma = true;
}

void json_str(struct json *j, const char *key, const char *text)
{
	begin_value(j, key);
	add_string(j->out, text);
}

void json_u64(struct json *j, const char *key, uint64_t number)
{
	begin_value(j, key);
	buf_addf(j->out, "%" PRIu64, number);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin_value(j, key);
	buf_addstr(j->out, value ? "true" : "false");
}

void json_hex(struct json *j, const char *key, uint64_t address)
{
	begin_value(j, key);
	buf_addf(j->out, "\"0x%" PRIx64 "\"", address);
}
