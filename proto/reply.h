/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One reply, built whole at the end of the output buffer: "$", the payload that a handler adds,
 * "#cs". The dispatcher opens and closes it; a handler adds to @out, or replaces what is there by
 * an error.
 *
 * Text, numbers and hex digits are added as they are. What may hold one of $ # } and * must go
 * through reply_binary() or reply_text().
 */
#ifndef PROTO_REPLY_H
#define PROTO_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * The numbers of error replies. Clients show them and interpret none, but lldb 0x45; where a
 * number of errno.h says it, that is it.
 */
enum reply_error {
	REPLY_E_ANNEX = 0x00,	    /* qXfer: malformed, or no such document (gdb manual) */
	REPLY_E_REFUSED = 0x01,	    /* the packet makes no sense, or asks for what we never do */
	REPLY_E_INTERRUPTED = 0x04, /* EINTR: Ctrl-C ended a long search or command */
	REPLY_E_LOST = 0x05,	    /* EIO: the process that was to answer has ended */
	REPLY_E_NOMEM = 0x0c,	    /* ENOMEM */
	REPLY_E_FAULT = 0x0e,	    /* EFAULT: memory that is not there */
	REPLY_E_LATE = 0x6e,	    /* ETIMEDOUT: it takes longer than the client waits */
	REPLY_E_UNAVAILABLE = 0x45, /* a register's value is not known (lldb shows that word) */
};

enum { REPLY_WHY_MAX = 300 };

struct reply {
	struct buf *out; /* borrowed */
	size_t start;	 /* where the payload begins */
	/* The sum modulo 256 of what of @out lies between the two, which was made while it was
	 * added. The rest is summed when the reply ends. */
	size_t summed, summed_end;
	uint8_t sum;
	/* For --debug refused, as nothing that a client is sent says as much: whether the reply is
	 * an error, and why; empty unless somebody listens. */
	bool failed;
	char why[REPLY_WHY_MAX];
};

/* Begins a reply at the end of @out. */
void reply_open(struct reply *r, struct buf *out);

/* Ends it: appends "#cs". */
void reply_close(struct reply *r);

/* Removes the payload so far. */
void reply_clear(struct reply *r);

/* Removes the reply: there is none, or none yet. */
void reply_drop(struct reply *r);

/* How many bytes the payload may still get. */
size_t reply_room(const struct reply *r);

bool reply_is_empty(const struct reply *r);

/* The reply, which is made otherwise, is an error: @why is a sentence for developers. */
void reply_failed(struct reply *r, const char *why);

/* The payload becomes "Exx". */
void reply_error(struct reply *r, enum reply_error code, const char *why);

/* What @e says, and which kind of missing memory it is. */
void reply_err(struct reply *r, enum reply_error code, const struct err *e);

/* The payload becomes "OK". */
void reply_ok(struct reply *r);

/* Says that what reply_hex() and reply_binary() have added is moved or changed. */
void reply_changed(struct reply *r);

/* Adds two lower-case hex digits a byte. */
void reply_hex(struct reply *r, const void *data, size_t len);

/* Adds @data escaped, as much of it as there is room for; returns how much that was. */
size_t reply_binary(struct reply *r, const void *data, size_t len);

/* Adds all of @data escaped, however much: for lldb's JSON, which has no parts. */
void reply_json(struct reply *r, const struct buf *json);

/* Adds text for people, with '?' for what would have to be escaped: clients do not unescape it. */
void reply_text(struct reply *r, const char *text);

/* Bytes of console output a packet: clients print packet by packet, so not the largest there is. */
#define CONSOLE_CHUNK 16384u

/*
 * Puts console output (gdb manual, "Stop Reply Packets", O) in front of the reply, which must be
 * empty so far: as many O packets as @len bytes of @text need.
 */
void reply_console(struct reply *r, const char *text, size_t len);

#endif
