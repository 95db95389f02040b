// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/crash/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "proto/crash/machine.h"
#include "proto/crash/request.h"

/* crash waits for each reply: room for some requests is enough. */
#define INPUT_MAX (64 << 10)

struct crash_client {
	const struct crash_ops *ops; /* borrowed, as is what it is called with */
	void *self;
	struct buf in;
	size_t used; /* of in */
	bool begun;  /* its first request was answered */
	bool closing;
};

static const char first_request[] = "NIL";

bool crash_client_is(char first)
{
	return first == *first_request;
}

struct crash_client *crash_client_new(const struct crash_ops *ops, void *self)
{
	struct crash_client *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->ops = ops;
	c->self = self;
	buf_init(&c->in);
	return c;
}

void crash_client_free(struct crash_client *c)
{
	if (!c)
		return;
	buf_free(&c->in);
	free(c);
}

bool crash_client_has_talked(const struct crash_client *c)
{
	return c->begun;
}

/* The length of the next request without its 0, or of what there is of it. */
static size_t request_length(const struct crash_client *c)
{
	return strnlen(c->in.data + c->used, c->in.len - c->used);
}

static bool is_whole(const struct crash_client *c)
{
	return request_length(c) < c->in.len - c->used;
}

struct err *crash_client_input(struct crash_client *c, const void *bytes, size_t len)
{
	if (c->closing)
		return NULL;
	buf_drop(&c->in, c->used);
	c->used = 0;
	if (len > INPUT_MAX - c->in.len)
		return err_new(ERR_INVALID,
			       "the client sent more than %d bytes without waiting for a reply",
			       INPUT_MAX);
	buf_add(&c->in, bytes, len);
	struct err *e = buf_error(&c->in);
	if (!e && request_length(c) > CRASH_REQUEST_MAX)
		e = err_new(ERR_INVALID, "a request is longer than any of crash's: %d bytes",
			    CRASH_REQUEST_MAX);
	return e;
}

/* What has come of the first request must be its beginning. */
static struct err *check_first(const struct crash_client *c)
{
	size_t len = request_length(c);
	bool whole = is_whole(c);
	if (whole ? !strcmp(c->in.data + c->used, first_request)
		  : len < sizeof(first_request) &&
			    !memcmp(c->in.data + c->used, first_request, len))
		return NULL;
	return err_new(ERR_INVALID, "the client begins neither as gdb nor as crash does");
}

struct err *crash_client_step(struct crash_client *c, struct buf *out, bool *ret_more)
{
	struct err *e = NULL;
	if (!c->closing && !c->begun)
		e = check_first(c);
	if (!e && !c->closing && is_whole(c)) {
		const char *text = c->in.data + c->used;
		size_t len = request_length(c);
		if (len > CRASH_REQUEST_MAX)
			return err_new(ERR_INVALID, "a request is longer than any of crash's");
		c->begun = true;
		if (c->ops->begin)
			c->ops->begin(c->self);
		e = crash_request_answer(c->ops, c->self, text, out, &c->closing);
		c->used += len + 1;
	}
	if (!e)
		*ret_more = !c->closing && is_whole(c);
	return e;
}

const char *crash_client_unanswered(const struct crash_client *c, size_t *ret_len)
{
	*ret_len = c->in.len - c->used;
	return *ret_len ? c->in.data + c->used : "";
}

void crash_client_go_on(struct crash_client *c)
{
	c->begun = true;
}

bool crash_client_wants_close(const struct crash_client *c)
{
	return c->closing;
}
