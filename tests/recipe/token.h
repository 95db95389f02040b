/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recipe as tokens. A statement is a line and the lines after it that begin with white space; `#`
 * starts a comment. Every error begins with FILE:LINE.
 */
#ifndef RECIPE_TOKEN_H
#define RECIPE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct err;

enum token_kind {
	TOKEN_WORD,   /* letters, digits and _ : names, numbers, bare hex words */
	TOKEN_STRING, /* text within quotes, still escaped */
	TOKEN_PUNCT,  /* one character, or << and >> */
	TOKEN_END,    /* of the statement */
};

struct token {
	enum token_kind kind;
	bool space_before;
	unsigned int line;
	const char *text; /* into the source */
	size_t len;
};

struct source {
	char *name;	      /* owned; as errors show it */
	struct buf text;      /* owned */
	struct token *tokens; /* owned; every statement ends in TOKEN_END */
	size_t count;
};

/* Where a reader is; never moves past the end of its statement. */
struct cursor {
	const struct source *source;
	const struct token *at;
};

struct err *source_open(const char *path, struct source **ret);
struct err *source_from_text(const char *name, const char *text, struct source **ret);
void source_close(struct source *s);

/* "FILE:LINE: " and the message, for the token that @c is at. */
__attribute__((format(printf, 2, 3), warn_unused_result)) struct err *err_at(const struct cursor *c,
									     const char *fmt, ...);

/* "FILE:LINE: " in front of @e, unless it is NULL. */
__attribute__((warn_unused_result)) struct err *err_located(const struct cursor *c, struct err *e);

/* What is at the cursor, for "... instead of %s". */
const char *cursor_describe(const struct cursor *c, char out[static 48]);

bool cursor_at_end(const struct cursor *c);
bool cursor_is_word(const struct cursor *c, const char *word);
bool cursor_is_punct(const struct cursor *c, const char *punct);

/* Step over it if it is there. */
bool cursor_take_word(struct cursor *c, const char *word);
bool cursor_take_punct(struct cursor *c, const char *punct);

struct err *cursor_expect_punct(struct cursor *c, const char *punct);
struct err *cursor_expect_end(struct cursor *c);

/* A word; what is wanted is named by @what. The text is borrowed from the source. */
struct err *cursor_word(struct cursor *c, const char *what, const char **ret, size_t *ret_len);

/* Tokens with no blank between them as one text (`kdump-zlib`, `arch.mmu.root_hpa`), appended to
 * @out; stops at any punctuation that is not in @allowed. */
struct err *cursor_compact(struct cursor *c, const char *what, const char *allowed,
			   struct buf *out);

/* A quoted string, unescaped and appended to @out: \n \t \0 \\ \" \xHH. */
struct err *cursor_string(struct cursor *c, struct buf *out);

#endif
