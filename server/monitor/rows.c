// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/monitor/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/printable.h"

/* The number in @base, 10 or 16: printf() takes several times as long, and there are many. */
static void add_number(struct buf *out, uint64_t number, unsigned base, unsigned digits)
{
	char text[20]; /* of UINT64_MAX in decimal */
	size_t n = sizeof(text);
	do {
		text[--n] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number || sizeof(text) - n < digits);
	buf_add(out, text + n, sizeof(text) - n);
}

static void add_integer(struct buf *out, uint64_t number)
{
	bool negative = number >> 63;
	if (negative)
		buf_addch(out, '-');
	add_number(out, negative ? -number : number, 10, 0);
}

static void add_hex(struct buf *out, uint64_t number, unsigned digits)
{
	buf_addstr(out, "0x");
	add_number(out, number, 16, digits);
}

static bool is_number(const struct value *v)
{
	return v->type == VALUE_NUMBER || v->type == VALUE_INTEGER || v->type == VALUE_HEX;
}

static void add_optional(struct buf *out, const char *text)
{
	if (text)
		buf_addstr(out, text);
}

/* ---- text ---- */

static void add_value(const struct column *c, const struct value *v, struct buf *out)
{
	switch (v->type) {
	case VALUE_UNKNOWN:
		buf_addstr(out, c->missing);
		break;
	case VALUE_NUMBER:
		add_number(out, v->number, 10, 0);
		break;
	case VALUE_INTEGER:
		add_integer(out, v->number);
		break;
	case VALUE_HEX:
		add_hex(out, v->number, c->digits);
		break;
	case VALUE_BOOL:
		break;
	case VALUE_CHAR:
		buf_addch(out, (char)v->number);
		break;
	case VALUE_TEXT:
		add_printable(out, v->text);
		break;
	case VALUE_PARTS:
		v->printers->text(v->of, out);
		break;
	}
	if (c->unit && is_number(v)) {
		buf_addstr(out, c->unit);
		if (v->number != 1)
			buf_addch(out, 's');
	}
}

/* Fills what @out has behind @start up to a column's width. */
static void fill_up(struct buf *out, size_t start, int width)
{
	size_t wanted = (size_t)abs(width), len = out->len - start;
	if (out->failed || len >= wanted)
		return;
	buf_fill(out, ' ', wanted - len);
	if (width < 0 || out->failed)
		return;
	memmove(out->data + start + (wanted - len), out->data + start, len);
	memset(out->data + start, ' ', wanted - len);
}

/* Of what is not true, or zero where that is not shown, nothing is said but `instead`. */
static bool is_shown(const struct column *c, const struct value *v)
{
	if (v->type == VALUE_UNKNOWN)
		return c->missing != NULL;
	if (v->type == VALUE_BOOL || c->not_zero)
		return v->number != 0;
	return true;
}

void row_text(const struct columns *c, const struct value *row, struct buf *out)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct column *column = &c->list[i];
		const struct value *v = &row[column->value];
		if (!is_shown(column, v)) {
			add_optional(out, column->instead);
			continue;
		}
		add_optional(out, column->before);
		size_t start = out->len;
		add_value(column, v, out);
		if (column->width)
			fill_up(out, start, column->width);
		add_optional(out, column->after);
	}
}

void row_titles(const struct columns *c, struct buf *out)
{
	size_t begin = out->len;
	for (size_t i = 0; i < c->count; i++) {
		const struct column *column = &c->list[i];
		if (!column->name)
			continue;
		add_optional(out, column->before);
		size_t start = out->len;
		buf_addstr(out, column->name);
		fill_up(out, start, column->width);
	}
	size_t end = out->len;
	while (end > begin && out->data[end - 1] == ' ')
		end--;
	buf_cut(out, end);
	buf_addch(out, '\n');
}

/* ---- JSON ---- */

void row_members(const struct keys *k, const struct value *row, struct json *j)
{
	const struct key *end = k->list + k->count;
	for (const struct key *at = k->list; at < end; at++) {
		const char *key = at->name;
		const struct value *v = &row[at->value];
		switch (v->type) {
		case VALUE_UNKNOWN:
			break;
		case VALUE_INTEGER:
			if (!(v->number >> 63))
				json_u64(j, key, v->number);
			break;
		case VALUE_NUMBER:
			json_u64(j, key, v->number);
			break;
		case VALUE_HEX:
			json_hex(j, key, v->number);
			break;
		case VALUE_BOOL:
			json_bool(j, key, v->number);
			break;
		case VALUE_CHAR:
			json_str(j, key, (const char[]){ (char)v->number, 0 });
			break;
		case VALUE_TEXT:
			json_str(j, key, v->text);
			break;
		case VALUE_PARTS:
			v->printers->json(v->of, key, j);
			break;
		}
	}
}

void row_object(const struct keys *k, const struct value *row, const char *key, struct json *j)
{
	json_object(j, key);
	row_members(k, row, j);
	json_end(j);
}

/* ---- info os ---- */

static void add_xml(const struct value *v, struct buf *out)
{
	static const struct column plain;
	struct buf text = BUF_INIT;
	switch (v->type) {
	case VALUE_UNKNOWN:
		break;
	case VALUE_BOOL:
		buf_addstr(out, v->number ? "yes" : "no");
		break;
	case VALUE_NUMBER:
	case VALUE_INTEGER:
	case VALUE_HEX:
		add_value(&plain, v, out);
		break;
	case VALUE_TEXT:
		buf_addxml(out, v->text);
		break;
	case VALUE_CHAR:
	case VALUE_PARTS:
		add_value(&plain, v, &text);
		buf_addxml(out, text.data);
		out->failed |= text.failed;
		break;
	}
	buf_free(&text);
}

/* GDB manual, "Operating System Information". */
static void row_item(const struct keys *k, const struct value *row, struct buf *out)
{
	buf_addstr(out, "<item>");
	for (size_t i = 0; i < k->count; i++) {
		buf_addstr(out, "<column name=\"");
		buf_addstr(out, k->list[i].name);
		buf_addstr(out, "\">");
		add_xml(&row[k->list[i].value], out);
		buf_addstr(out, "</column>");
	}
	buf_addstr(out, "</item>\n");
}

void row_print(const struct row_kind *kind, enum row_printer printer, const struct value *row,
	       struct buf *out)
{
	struct json j = JSON_INIT(out);
	switch (printer) {
	case PRINT_TEXT:
		row_text(&kind->text, row, out);
		buf_addch(out, '\n');
		break;
	case PRINT_JSON:
		row_object(&kind->json, row, NULL, &j);
		buf_addch(out, '\n');
		break;
	case PRINT_OSDATA:
		row_item(&kind->osdata, row, out);
		break;
	}
}
