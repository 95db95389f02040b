// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/recipe/token.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"

struct lexer {
	struct source *source;
	const char *p, *end;
	unsigned int line;
	bool line_start, space;
	size_t capacity;
};

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static struct err *add(struct lexer *x, enum token_kind kind, const char *text, size_t len)
{
	struct source *s = x->source;
	if (s->count == x->capacity) {
		size_t capacity = x->capacity ? 2 * x->capacity : 256;
		struct token *tokens = realloc(s->tokens, capacity * sizeof(*tokens));
		if (!tokens)
			return err_nomem();
		s->tokens = tokens;
		x->capacity = capacity;
	}
	s->tokens[s->count++] = (struct token){ kind, x->space, x->line, text, len };
	x->space = false;
	return NULL;
}

/* Ends the statement before this one, if there is one open. */
static struct err *end_statement(struct lexer *x)
{
	struct source *s = x->source;
	if (!s->count || s->tokens[s->count - 1].kind == TOKEN_END)
		return NULL;
	unsigned int line = x->line;
	x->line = s->tokens[s->count - 1].line;
	struct err *e = add(x, TOKEN_END, "", 0);
	x->line = line;
	return e;
}

static struct err *lex_string(struct lexer *x)
{
	const char *start = ++x->p;
	while (x->p < x->end && *x->p != '"' && *x->p != '\n')
		x->p += *x->p == '\\' && x->p + 1 < x->end && x->p[1] != '\n' ? 2 : 1;
	if (x->p >= x->end || *x->p != '"')
		return err_new(ERR_INVALID, "%s:%u: a string without its closing quote",
			       x->source->name, x->line);
	struct err *e = add(x, TOKEN_STRING, start, (size_t)(x->p - start));
	x->p++;
	return e;
}

static struct err *lex_token(struct lexer *x)
{
	if (*x->p == '"')
		return lex_string(x);
	const char *start = x->p;
	while (x->p < x->end && is_word(*x->p))
		x->p++;
	if (x->p > start)
		return add(x, TOKEN_WORD, start, (size_t)(x->p - start));
	if ((unsigned char)*x->p < 0x20 || (unsigned char)*x->p > 0x7e)
		return err_new(ERR_INVALID, "%s:%u: stray byte 0x%02x", x->source->name, x->line,
			       (unsigned char)*x->p);
	bool shift = x->p + 1 < x->end && (*x->p == '<' || *x->p == '>') && x->p[1] == *x->p;
	x->p += shift ? 2 : 1;
	return add(x, TOKEN_PUNCT, start, (size_t)(x->p - start));
}

/* White space, line ends and comments before the next token. */
static void skip_blank(struct lexer *x)
{
	for (; x->p < x->end; x->p++) {
		if (*x->p == '\n') {
			x->line++;
			x->line_start = true;
			x->space = false;
		} else if (*x->p == ' ' || *x->p == '\t' || *x->p == '\r') {
			x->space = true;
		} else if (*x->p == '#') {
			while (x->p + 1 < x->end && x->p[1] != '\n')
				x->p++;
		} else {
			return;
		}
	}
}

static struct err *lex(struct source *s)
{
	struct lexer x = { .source = s,
			   .p = s->text.data,
			   .end = s->text.data + s->text.len,
			   .line = 1,
			   .line_start = true };
	struct err *e = NULL;
	while (skip_blank(&x), !e && x.p < x.end) {
		bool continues = x.space;
		if (x.line_start && !continues)
			e = end_statement(&x);
		/* The first token of a continuation line is set off from what is before it. */
		x.space = continues || x.line_start;
		x.line_start = false;
		if (!e)
			e = lex_token(&x);
	}
	return e ? e : end_statement(&x);
}

static struct err *source_new(const char *name, struct source **ret)
{
	struct source *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem();
	buf_init(&s->text);
	s->name = strdup(name);
	if (!s->name) {
		source_close(s);
		return err_nomem();
	}
	*ret = s;
	return NULL;
}

static struct err *finish(struct source *s, struct err *e, struct source **ret)
{
	if (!e)
		e = buf_error(&s->text);
	if (!e)
		e = lex(s);
	if (e)
		source_close(s);
	else
		*ret = s;
	return e;
}

struct err *source_from_text(const char *name, const char *text, struct source **ret)
{
	struct source *s = NULL;
	struct err *e = source_new(name, &s);
	if (e)
		return e;
	buf_addstr(&s->text, text);
	return finish(s, NULL, ret);
}

struct err *source_open(const char *path, struct source **ret)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return err_errno(errno, "open %s", path);
	struct source *s = NULL;
	struct err *e = source_new(path, &s);
	if (e) {
		fclose(file);
		return e;
	}
	char block[4096];
	size_t n;
	while ((n = fread(block, 1, sizeof(block), file)))
		buf_add(&s->text, block, n);
	if (ferror(file))
		e = err_errno(errno, "read %s", path);
	fclose(file);
	return finish(s, e, ret);
}

void source_close(struct source *s)
{
	if (!s)
		return;
	free(s->name);
	buf_free(&s->text);
	free(s->tokens);
	free(s);
}

struct err *err_located(const struct cursor *c, struct err *e)
{
	return err_wrap(e, "%s:%u", c->source->name, c->at->line);
}

struct err *err_at(const struct cursor *c, const char *fmt, ...)
{
	char message[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	return err_located(c, err_new(ERR_INVALID, "%s", message));
}

const char *cursor_describe(const struct cursor *c, char out[static 48])
{
	if (c->at->kind == TOKEN_END)
		snprintf(out, 48, "the end");
	else
		snprintf(out, 48, "'%.*s'", c->at->len < 40 ? (int)c->at->len : 40, c->at->text);
	return out;
}

bool cursor_at_end(const struct cursor *c)
{
	return c->at->kind == TOKEN_END;
}

static bool matches(const struct cursor *c, enum token_kind kind, const char *text)
{
	return c->at->kind == kind && c->at->len == strlen(text) &&
	       !memcmp(c->at->text, text, c->at->len);
}

bool cursor_is_word(const struct cursor *c, const char *word)
{
	return matches(c, TOKEN_WORD, word);
}

bool cursor_is_punct(const struct cursor *c, const char *punct)
{
	return matches(c, TOKEN_PUNCT, punct);
}

bool cursor_take_word(struct cursor *c, const char *word)
{
	bool is = cursor_is_word(c, word);
	c->at += is;
	return is;
}

bool cursor_take_punct(struct cursor *c, const char *punct)
{
	bool is = cursor_is_punct(c, punct);
	c->at += is;
	return is;
}

struct err *cursor_expect_punct(struct cursor *c, const char *punct)
{
	char seen[48];
	if (cursor_take_punct(c, punct))
		return NULL;
	return err_at(c, "expected '%s' instead of %s", punct, cursor_describe(c, seen));
}

struct err *cursor_expect_end(struct cursor *c)
{
	char seen[48];
	if (cursor_at_end(c))
		return NULL;
	return err_at(c, "%s makes no sense here", cursor_describe(c, seen));
}

struct err *cursor_word(struct cursor *c, const char *what, const char **ret, size_t *ret_len)
{
	char seen[48];
	if (c->at->kind != TOKEN_WORD)
		return err_at(c, "expected %s instead of %s", what, cursor_describe(c, seen));
	*ret = c->at->text;
	*ret_len = c->at->len;
	c->at++;
	return NULL;
}

struct err *cursor_compact(struct cursor *c, const char *what, const char *allowed, struct buf *out)
{
	char seen[48];
	const struct token *first = c->at;
	for (int open = 0; !cursor_at_end(c); c->at++) {
		if (c->at != first && c->at->space_before)
			break;
		open += cursor_is_punct(c, "[") - cursor_is_punct(c, "]");
		if (open < 0)
			break;
		if (c->at->kind == TOKEN_STRING ||
		    (c->at->kind == TOKEN_PUNCT && !strchr(allowed, c->at->text[0])))
			break;
		buf_add(out, c->at->text, c->at->len);
	}
	if (c->at == first)
		return err_at(c, "expected %s instead of %s", what, cursor_describe(c, seen));
	return buf_error(out);
}

/* One escape; @p is behind the backslash. Returns how many characters it took, 0 if it is none. */
static size_t unescape(const char *p, size_t left, char *ret)
{
	static const char plain[] = "n\nt\t0\0\\\\\"\"";
	for (size_t i = 0; left && i + 1 < sizeof(plain); i += 2) {
		if (*p == plain[i]) {
			*ret = plain[i + 1];
			return 1;
		}
	}
	return left >= 3 && *p == 'x' && hex_decode(ret, p + 1, 2) ? 3 : 0;
}

struct err *cursor_string(struct cursor *c, struct buf *out)
{
	char seen[48];
	if (c->at->kind != TOKEN_STRING)
		return err_at(c, "expected a string instead of %s", cursor_describe(c, seen));
	const char *p = c->at->text, *end = p + c->at->len;
	while (p < end) {
		char ch = *p++;
		if (ch == '\\') {
			size_t used = unescape(p, (size_t)(end - p), &ch);
			if (!used)
				return err_at(c, "an escape that is none of \\n \\t \\0 \\\\ "
						 "\\\" \\xHH");
			p += used;
		}
		buf_addch(out, ch);
	}
	c->at++;
	return buf_error(out);
}
