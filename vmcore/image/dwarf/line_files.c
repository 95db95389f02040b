// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/image/dwarf/line_files.h"

#include <dwarf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/fnv.h"

enum {
	FILES_MAX = 1 << 20, /* of a unit; a kernel's have some hundred */
	FORMATS_MAX = 16,    /* what is said of a file: its name, folder, size, ... */
	/* Between the length of a header and its tables, in bytes. */
	BEFORE_TABLES = 5, /* an instruction's length, operations (from 4 on), is_stmt, line base
			      and range */
};

/* What is left to read. */
struct part {
	const unsigned char *at, *end;
	bool bad; /* more was read than there is */
};

struct table {
	const struct line_sections *sections;
	struct part in;
	bool wide; /* offsets of 8 bytes */
	unsigned version;
};

static const unsigned char *take(struct part *p, uint64_t len)
{
	const unsigned char *at = p->at;
	if (p->bad || len > (uint64_t)(p->end - p->at)) {
		p->bad = true;
		return NULL;
	}
	p->at += len;
	return at;
}

static uint64_t take_number(struct part *p, unsigned len)
{
	const unsigned char *at = take(p, len);
	uint64_t value = 0;
	for (unsigned i = 0; at && i < len; i++)
		value |= (uint64_t)at[i] << 8 * i;
	return value;
}

static uint64_t take_leb(struct part *p)
{
	uint64_t value = 0;
	for (unsigned shift = 0;; shift += 7) {
		const unsigned char *at = take(p, 1);
		if (!at)
			return 0;
		if (shift < 64)
			value |= (uint64_t)(*at & 0x7f) << shift;
		if (!(*at & 0x80))
			return value;
	}
}

/* A string up to its 0; NULL, and bad, without one. */
static const char *take_string(struct part *p)
{
	const unsigned char *end = p->bad ? NULL : memchr(p->at, 0, (size_t)(p->end - p->at));
	return (const char *)take(p, end ? (uint64_t)(end - p->at) + 1 : UINT64_MAX);
}

static const char *string_at(const struct line_section *s, uint64_t offset)
{
	struct part p = { s->bytes + (offset < s->len ? offset : s->len), s->bytes + s->len,
			  false };
	return s->len ? take_string(&p) : NULL;
}

static uint64_t hash_string(uint64_t hash, const char *text)
{
	return fnv_add(hash, text, strlen(text) + 1);
}

static struct err *add(struct line_files *f, uint64_t name)
{
	if (f->count == f->room) {
		size_t room = f->room ? 2 * f->room : 256;
		uint64_t *names = reallocarray(f->names, room, sizeof(*names));
		if (!names)
			return err_nomem();
		f->names = names;
		f->room = room;
	}
	f->names[f->count++] = name;
	return NULL;
}

/* ---- DWARF 5 ---- */

struct entry {
	const char *path;
	uint64_t folder;
};

static void take_value(struct table *t, uint64_t content, uint64_t form, struct entry *e)
{
	const char *text = NULL;
	uint64_t number = 0, len = 0;
	switch (form) {
	case DW_FORM_string:
		text = take_string(&t->in);
		break;
	case DW_FORM_line_strp:
		text = string_at(&t->sections->line_str, take_number(&t->in, t->wide ? 8 : 4));
		break;
	case DW_FORM_strp:
		text = string_at(&t->sections->str, take_number(&t->in, t->wide ? 8 : 4));
		break;
	case DW_FORM_data1:
		number = take_number(&t->in, 1);
		break;
	case DW_FORM_data2:
		number = take_number(&t->in, 2);
		break;
	case DW_FORM_data4:
		number = take_number(&t->in, 4);
		break;
	case DW_FORM_data8:
		number = take_number(&t->in, 8);
		break;
	case DW_FORM_udata:
		number = take_leb(&t->in);
		break;
	case DW_FORM_data16:
		len = 16;
		break;
	case DW_FORM_block:
		len = take_leb(&t->in);
		break;
	default:
		t->in.bad = true;
	}
	take(&t->in, len);
	if (content == DW_LNCT_path)
		e->path = text;
	else if (content == DW_LNCT_directory_index)
		e->folder = number;
}

/* One of the two tables, with each entry's name as a number: of the folder in @folders, if there
 * are some, and of the file. */
static struct err *read_entries(struct table *t, const struct line_files *folders,
				struct line_files *f)
{
	uint64_t formats[FORMATS_MAX][2];
	uint64_t format_count = take_number(&t->in, 1);
	if (format_count > FORMATS_MAX)
		t->in.bad = true;
	for (uint64_t i = 0; !t->in.bad && i < format_count; i++) {
		formats[i][0] = take_leb(&t->in);
		formats[i][1] = take_leb(&t->in);
	}
	uint64_t count = take_leb(&t->in);
	if (count > FILES_MAX || (count && !format_count))
		t->in.bad = true;
	struct err *err = NULL;
	for (uint64_t i = 0; !t->in.bad && !err && i < count; i++) {
		struct entry e = { NULL, 0 };
		for (uint64_t k = 0; k < format_count; k++)
			take_value(t, formats[k][0], formats[k][1], &e);
		if (!e.path || (folders && e.folder >= folders->count))
			t->in.bad = true;
		else
			err = add(f, hash_string(folders ? folders->names[e.folder] : FNV_BEGIN,
						 e.path));
	}
	return err;
}

/* ---- DWARF 2 to 4 ---- */

/* Folder 0 is the unit's own, and file 0 is none. */
static struct err *read_old(struct table *t, struct line_files *folders, struct line_files *f)
{
	struct err *e = add(folders, FNV_BEGIN);
	const char *text;
	while (!e && (text = take_string(&t->in)) && *text && folders->count < FILES_MAX)
		e = add(folders, hash_string(FNV_BEGIN, text));
	if (!e)
		e = add(f, 0);
	while (!e && (text = take_string(&t->in)) && *text && f->count < FILES_MAX) {
		uint64_t folder = take_leb(&t->in);
		take_leb(&t->in); /* when it was changed */
		take_leb(&t->in); /* its size */
		if (folder >= folders->count)
			t->in.bad = true;
		else
			e = add(f, hash_string(folders->names[folder], text));
	}
	return e;
}

/* ---- both ---- */

static void read_header(struct table *t)
{
	struct part *in = &t->in;
	uint64_t len = take_number(in, 4);
	t->wide = len == UINT32_MAX;
	if (t->wide)
		len = take_number(in, 8);
	if (in->bad || len > (uint64_t)(in->end - in->at)) {
		in->bad = true;
		return;
	}
	in->end = in->at + len;
	t->version = (unsigned)take_number(in, 2);
	if (t->version >= 5)
		take(in, 2); /* sizes of addresses and segments */
	take_number(in, t->wide ? 8 : 4);
	take(in, BEFORE_TABLES - (t->version < 4));
	uint64_t opcodes = take_number(in, 1);
	take(in, opcodes ? opcodes - 1 : 0);
	if (t->version < 2 || t->version > 5)
		in->bad = true;
}

struct err *line_files_read(const struct line_sections *sections, uint64_t offset,
			    struct line_files *f)
{
	const struct line_section *line = &sections->line;
	struct line_files folders = { 0 };
	struct table t = { .sections = sections };
	f->count = 0;
	if (offset >= line->len)
		return NULL;
	t.in = (struct part){ line->bytes + offset, line->bytes + line->len, false };
	read_header(&t);
	struct err *e = NULL;
	if (!t.in.bad && t.version < 5)
		e = read_old(&t, &folders, f);
	else if (!t.in.bad) {
		e = read_entries(&t, NULL, &folders);
		if (!e)
			e = read_entries(&t, &folders, f);
	}
	if (t.in.bad)
		f->count = 0;
	line_files_free(&folders);
	return e;
}

void line_files_free(struct line_files *f)
{
	free(f->names);
	*f = (struct line_files){ 0 };
}
