// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/reply.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "proto/frame.h"

void reply_changed(struct reply *r)
{
	r->summed = r->summed_end = r->start;
	r->sum = 0;
}

/* What was added from @at on has this sum. The longest such part is most of a reply. */
static void keep_sum(struct reply *r, size_t at, uint8_t sum)
{
	if (r->out->len - at <= r->summed_end - r->summed)
		return;
	r->summed = at;
	r->summed_end = r->out->len;
	r->sum = sum;
}

static uint8_t sum_of(const struct reply *r)
{
	const char *data = r->out->data;
	return (uint8_t)(frame_sum(data + r->start, r->summed - r->start) + r->sum +
			 frame_sum(data + r->summed_end, r->out->len - r->summed_end));
}

void reply_open(struct reply *r, struct buf *out)
{
	buf_addch(out, '$');
	r->out = out;
	r->start = out->len;
	reply_changed(r);
	r->failed = false;
	r->why[0] = 0;
}

void reply_close(struct reply *r)
{
	frame_end(r->out, sum_of(r));
}

void reply_clear(struct reply *r)
{
	buf_cut(r->out, r->start);
	reply_changed(r);
	r->failed = false;
}

void reply_drop(struct reply *r)
{
	/* A failed allocation may have left not even the "$". */
	if (r->start)
		buf_cut(r->out, r->start - 1);
}

bool reply_is_empty(const struct reply *r)
{
	return r->out->len == r->start;
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

void reply_hex(struct reply *r, const void *data, size_t len)
{
	size_t at = r->out->len;
	keep_sum(r, at, buf_addhex(r->out, data, len));
}

static size_t add_escaped(struct reply *r, const void *data, size_t len, size_t room)
{
	size_t at = r->out->len;
	uint8_t sum = 0;
	size_t taken = frame_add_escaped(r->out, data, len, room, &sum);
	keep_sum(r, at, sum);
	return taken;
}

size_t reply_binary(struct reply *r, const void *data, size_t len)
{
	return add_escaped(r, data, len, reply_room(r));
}

void reply_json(struct reply *r, const struct buf *json)
{
	add_escaped(r, json->data, json->len, 2 * json->len);
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
		reply_hex(r, text, n);
		reply_close(r);
		reply_open(r, r->out);
		text += n;
		len -= n;
	}
}
