// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct err {
	enum err_code code;
	char *message; /* owned, except in the static object */
};

/* Never written to: err_wrap() and err_free() know it by its address. */
static char out_of_memory_text[] = "out of memory";
static struct err out_of_memory = { ERR_NOMEM, out_of_memory_text };

struct err *err_nomem(void)
{
	return &out_of_memory;
}

/* Takes @message. */
static struct err *err_make(enum err_code code, char *message)
{
	struct err *e = message ? malloc(sizeof(*e)) : NULL;
	if (!e) {
		free(message);
		return err_nomem();
	}
	e->code = code;
	e->message = message;
	return e;
}

static char *format(const char *fmt, va_list ap)
{
	char *text;
	return vasprintf(&text, fmt, ap) < 0 ? NULL : text;
}

/* "head: tail"; takes @head. */
static char *join(char *head, const char *tail)
{
	char *text;
	if (!head || asprintf(&text, "%s: %s", head, tail) < 0)
		text = NULL;
	free(head);
	return text;
}

struct err *err_new(enum err_code code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = format(fmt, ap);
	va_end(ap);
	return err_make(code, text);
}

struct err *err_errno(int errnum, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = format(fmt, ap);
	va_end(ap);
	return err_make(ERR_IO, join(text, strerror(errnum)));
}

struct err *err_wrap(struct err *e, const char *fmt, ...)
{
	if (!e || e == &out_of_memory)
		return e;
	va_list ap;
	va_start(ap, fmt);
	char *text = join(format(fmt, ap), e->message);
	va_end(ap);
	/* Out of memory while wrapping: the shorter message is better than none. */
	if (text) {
		free(e->message);
		e->message = text;
	}
	return e;
}

const char *err_msg(const struct err *e)
{
	return e->message;
}

enum err_code err_code(const struct err *e)
{
	return e->code;
}

const char *err_memory_kind(enum err_code code)
{
	switch (code) {
	case ERR_EXCLUDED:
		return "excluded";
	case ERR_NOTPRESENT:
		return "not present";
	case ERR_MISSING:
		return "missing";
	case ERR_CORRUPT:
		return "corrupt";
	default:
		return NULL;
	}
}

void err_free(struct err *e)
{
	if (!e || e == &out_of_memory)
		return;
	free(e->message);
	free(e);
}
