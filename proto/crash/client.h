/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol of crash's remote daemon, as crash 7.0.5 to 9 speak it to HOST:PORT (its remote.c):
 * bytes in, bytes out, as proto/rsp.h. Requests are text that ends in a 0, one at a time, and
 * each has one reply.
 *
 * Nothing in it runs a command, opens a path that a client names, or changes anything.
 */
#ifndef PROTO_CRASH_CLIENT_H
#define PROTO_CRASH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct buf;
struct crash_client;
struct crash_ops;

/*
 * Whether the first bytes of a client are crash's: its first request is "NIL". They are told from
 * gdb's protocol by the first byte alone: that one has nothing ahead of '+', '-', '$' and 0x03.
 */
bool crash_client_is(char first);

/* @ops and @self are borrowed and must outlive the result. NULL when memory is out. */
struct crash_client *crash_client_new(const struct crash_ops *ops, void *self);
/* NULL is allowed. */
void crash_client_free(struct crash_client *c);

/* Whether it has said that it is crash. */
bool crash_client_has_talked(const struct crash_client *c);

/*
 * Queues what a client sent. ERR_INVALID when a request is longer than any of crash's, or when it
 * keeps sending without waiting for replies. The client is of no use after an error.
 */
ERR_MUST_CHECK struct err *crash_client_input(struct crash_client *c, const void *bytes,
					      size_t len);

/*
 * Answers at most one request, and appends the reply to @out. *ret_more: call again. ERR_NOMEM, or
 * ERR_INVALID for a client that does not begin as crash does; both end it.
 */
ERR_MUST_CHECK struct err *crash_client_step(struct crash_client *c, struct buf *out,
					     bool *ret_more);

/* The requests that are not answered, for another process to go on with. */
const char *crash_client_unanswered(const struct crash_client *c, size_t *ret_len);
/* A new client is one that has begun already, with another process. */
void crash_client_go_on(struct crash_client *c);

/* Whether to close the connection once the output is written. */
bool crash_client_wants_close(const struct crash_client *c);

#endif
