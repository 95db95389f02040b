/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bounded reader for the text of a packet. The first thing that is not there as expected makes
 * the cursor bad, and every later read fails too: a handler reads all it wants and checks once,
 * with cursor_done(), which also refuses bytes that are left over.
 */
#ifndef PROTO_CURSOR_H
#define PROTO_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	const char *at, *end; /* borrowed */
	bool bad;
};

static inline struct cursor cursor_make(const char *text, size_t len)
{
	return (struct cursor){ .at = text, .end = text + len };
}

static inline size_t cursor_left(const struct cursor *c)
{
	return c->bad ? 0 : (size_t)(c->end - c->at);
}

/* Whether the next byte is @byte; if so, it is read. */
bool cursor_skip(struct cursor *c, char byte);

/* Reads @byte, which must be there. */
void cursor_expect(struct cursor *c, char byte);

/* Whether @text comes next; if so, it is read. */
bool cursor_skip_text(struct cursor *c, const char *text);

/* Reads 1 to 16 hexadecimal digits, all that there are; 0 (and bad) for anything else. */
uint64_t cursor_hex(struct cursor *c);

/* Reads up to (not including) @byte or the end: *ret_len bytes from the result, borrowed. */
const char *cursor_until(struct cursor *c, char byte, size_t *ret_len);

/* Reads all that is left: *ret_len bytes from the result, borrowed. */
const char *cursor_rest(struct cursor *c, size_t *ret_len);

/* Whether everything was as expected, and nothing is left. */
static inline bool cursor_done(const struct cursor *c)
{
	return !c->bad && c->at == c->end;
}

#endif
