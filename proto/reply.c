// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/reply.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "proto/frame.h"

void reply_open(struct reply *r, struct buf *out)
{
	buf_addch(out, '$');
	r->out = out;
	r->start = out->len;
	r->failed = false;
	r->why[0] = 0;
}

void reply_close(struct reply *r)
{
	frame_close(r->out, r->start);
}

void reply_clear(struct reply *r)
{
	buf_cut(r->out, r->start);
	r->failed = false;
}

void reply_drop(struct reply *r)
{
	/* A failed allocation may have left not even the "$". */
	if (r->start)
		buf_cut(r->out, r->start - 1);
}

size_t reply_room(const struct reply *r)
{
	size_t used = r->out->len - r->start;
	return used < FRAME_PAYLOAD_MAX ? FRAME_PAYLOAD_MAX - used : 0;
}

void reply_failed(struct reply *r, const char *why)
{
	r->failed = true;
	if (log_on(LOG_REFUSED))
		snprintf(r->why, sizeof(r->why), "%s", why);
}

void reply_error(struct reply *r, enum reply_error code, const char *why)
{
	reply_clear(r);
	buf_addf(r->out, "E%02x", (unsigned)code);
	reply_failed(r, why);
}

void reply_err(struct reply *r, enum reply_error code, const struct err *e)
{
	const char *kind = err_memory_kind(err_code(e));
	reply_error(r, code, err_msg(e));
	if (kind && log_on(LOG_REFUSED))
		snprintf(r->why, sizeof(r->why), "%s: %s", kind, err_msg(e));
}

void reply_ok(struct reply *r)
{
	reply_clear(r);
	buf_addstr(r->out, "OK");
}

size_t reply_binary(struct reply *r, const void *data, size_t len)
{
	return frame_add_escaped(r->out, data, len, reply_room(r));
}

void reply_json(struct reply *r, const struct buf *json)
{
	frame_add_escaped(r->out, json->data, json->len, 2 * json->len);
}

void reply_text(struct reply *r, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = c >= ' ' && c != 0x7f && !strchr("$#}*", c);
		buf_addch(r->out, plain ? (char)c : '?');
	}
}

void reply_console(struct reply *r, const char *text, size_t len)
{
	while (len) {
		size_t n = len < CONSOLE_CHUNK ? len : CONSOLE_CHUNK;
		buf_addch(r->out, 'O');
		buf_addhex(r->out, text, n);
		reply_close(r);
		reply_open(r, r->out);
		text += n;
		len -= n;
	}
}
