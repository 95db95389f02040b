/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of proto/crash/: one request, and its reply. */
#ifndef PROTO_CRASH_REQUEST_H
#define PROTO_CRASH_REQUEST_H

#include <stdbool.h>

#include "base/err.h"

struct buf;
struct crash_ops;

enum {
	/* The longest that crash sends is a command for the remote machine, twice its BUFSIZE. */
	CRASH_REQUEST_MAX = 3000,
	/* The most that crash takes of memory at once (its MAXRECVBUFSIZE). */
	CRASH_READ_MAX = 131072,
};

/*
 * Appends the reply to @text to @out. *ret_last is set when it is the last one. A request that is
 * not understood or cannot be answered has a reply that says so; the error is ERR_NOMEM.
 */
ERR_MUST_CHECK struct err *crash_request_answer(const struct crash_ops *ops, void *self,
						const char *text, struct buf *out, bool *ret_last);

#endif
