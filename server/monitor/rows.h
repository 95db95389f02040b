/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One answer, three printers: as text, as JSON and as an item of gdb's `info os`.
 *
 * What a command has to say of a thing is a row: an array of values, each at the place that an enum
 * of the command gives it. The columns of a printer say which values it shows, in which order and
 * under which names. To add something to an answer: a value to the enum, the line that fills it in,
 * and a column of each printer that is to show it.
 *
 * A value that nobody fills in is not known: JSON leaves it out, the column of `info os` is empty,
 * and text shows what its column says.
 */
#ifndef SERVER_MONITOR_ROWS_H
#define SERVER_MONITOR_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct json;

enum value_type {
	VALUE_UNKNOWN,
	VALUE_NUMBER,  /* decimal */
	VALUE_INTEGER, /* the same, with a sign in `number`; JSON leaves a negative one out */
	VALUE_HEX,     /* 0x...; in JSON a string */
	VALUE_BOOL,    /* yes or no; text shows what stands around it where it is true */
	VALUE_CHAR,    /* one character of ASCII */
	VALUE_TEXT,    /* any bytes; controls are made printable for a terminal */
	VALUE_PARTS,   /* what a function prints */
};

/* How a value of several parts is printed. Members may be NULL, where no column shows it so. */
struct value_printers {
	void (*text)(const void *of, struct buf *out);
	/* One value, an object or an array, or several members, at @key. */
	void (*json)(const void *of, const char *key, struct json *j);
};

struct value {
	enum value_type type;
	union {
		uint64_t number;
		const char *text; /* borrowed */
		const void *of;	  /* borrowed; the argument of the printers */
	};
	const struct value_printers *printers;
};

static inline struct value value_number(uint64_t number)
{
	return (struct value){ .type = VALUE_NUMBER, .number = number };
}

static inline struct value value_integer(int64_t number)
{
	return (struct value){ .type = VALUE_INTEGER, .number = (uint64_t)number };
}

static inline struct value value_hex(uint64_t number)
{
	return (struct value){ .type = VALUE_HEX, .number = number };
}

static inline struct value value_bool(bool is)
{
	return (struct value){ .type = VALUE_BOOL, .number = is };
}

static inline struct value value_char(char c)
{
	return (struct value){ .type = VALUE_CHAR, .number = (unsigned char)c };
}

/* NULL is not known. */
static inline struct value value_text(const char *text)
{
	return (struct value){ .type = text ? VALUE_TEXT : VALUE_UNKNOWN, .text = text };
}

static inline struct value value_parts(const struct value_printers *printers, const void *of)
{
	return (struct value){ .type = VALUE_PARTS, .of = of, .printers = printers };
}

/* How a value stands in a line of text. */
struct column {
	unsigned value;	    /* its place in the row */
	const char *name;   /* the title above; NULL: none, as for all that follow */
	const char *before; /* stands before it */
	int width;	    /* it is filled up with blanks; negative: they stand behind it */
	unsigned digits;    /* of VALUE_HEX, at least; 16 at most */
	const char *unit;   /* stands behind a number, with an s unless it is 1 */
	const char *after;
	const char *missing; /* stands for a value that is not known, in its place */
	const char *instead; /* the same, for all from `before` to `after` */
	bool not_zero;	     /* a number that is 0 is not shown */
};

/* What it is called in JSON, or the name of its column in `info os`. */
struct key {
	unsigned value;
	const char *name;
};

struct columns {
	const struct column *list;
	size_t count;
};

struct keys {
	const struct key *list;
	size_t count;
};

/* A whole array of either. */
#define COLUMNS(array)                                    \
	{                                                 \
		array, sizeof(array) / sizeof((array)[0]) \
	}

/* How one kind of rows is printed; a printer that has no columns is not asked. */
struct row_kind {
	struct columns text;
	struct keys json, osdata;
};

enum row_printer { PRINT_TEXT, PRINT_JSON, PRINT_OSDATA };

/* A line; an object and a newline; an <item>. */
void row_print(const struct row_kind *kind, enum row_printer printer, const struct value *row,
	       struct buf *out);

/* The names of the columns, above lines of text, as wide as these are. */
void row_titles(const struct columns *c, struct buf *out);

/* What a line has, without its end; for text of several kinds of rows. */
void row_text(const struct columns *c, const struct value *row, struct buf *out);
/* The members of an object that is open; an object at @key (NULL in an array). */
void row_members(const struct keys *k, const struct value *row, struct json *j);
void row_object(const struct keys *k, const struct value *row, const char *key, struct json *j);

#endif
