// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

/* How many characters stand for themselves: of ASCII, most. */
static size_t plain_length(const unsigned char *p)
{
	size_t n = 0;
	while (p[n] >= 0x20 && p[n] < 0x7f && p[n] != '"' && p[n] != '\\')
		n++;
	return n;
}

/* The number in @base, 10 or 16: printf() takes several times as long, and there are many. */
static void add_number(struct buf *out, uint64_t number, unsigned base)
{
	char digits[20]; /* of UINT64_MAX in decimal */
	size_t n = sizeof(digits);
	do {
		digits[--n] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	buf_add(out, digits + n, sizeof(digits) - n);
}

static void add_string(struct buf *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	buf_addch(out, '"');
	while (*p) {
		size_t plain = plain_length(p);
		if (plain) {
			buf_add(out, p, plain);
			p += plain;
			continue;
		}
		size_t len = utf8_length((const char *)p);
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
	add_number(j->out, number, 10);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin_value(j, key);
	buf_addstr(j->out, value ? "true" : "false");
}

void json_hex(struct json *j, const char *key, uint64_t address)
{
	begin_value(j, key);
	buf_addstr(j->out, "\"0x");
	add_number(j->out, address, 16);
	buf_addch(j->out, '"');
}
