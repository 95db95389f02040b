// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/patience.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "proto/packet.h"
#include "proto/rsp.h"
#include "proto/session.h"
#include "proto/shared.h"

/* The least age of an answer at which a client may have given it up, in milliseconds. gdb's
 * smallest remotetimeout is a second, of which it waits three. */
#define LOOK_AFTER 1500

void rsp_set_patience(struct rsp *s, uint64_t ms)
{
	s->patience = ms;
}

void rsp_arrived(struct rsp *s, uint64_t ms)
{
	s->arrived = ms;
}

/* How long the packet in s->frame has waited. */
static uint64_t age(const struct rsp *s)
{
	uint64_t now = s->asked ? clock_ms() : 0;
	return now > s->asked ? now - s->asked : 0;
}

/* Whether the @len bytes at @at are what @text begins with, or begin with it. */
static bool begins(const char *at, size_t len, const char *text)
{
	size_t most = strlen(text);
	return memcmp(at, text, len < most ? len : most) == 0;
}

/*
 * Whether the packet in s->frame, the client's first, comes once more at @at, perhaps behind
 * demands for its answer: it was not acknowledged in time. A gdb that starts us by a pipe sends it
 * while the dump is being opened.
 */
static bool is_repeated(const struct rsp *s, const char *at, size_t len)
{
	const struct buf *text = &s->frame.payload;
	for (; len && *at == '-'; at++)
		len--;
	return s->acks && !s->talked && len > text->len + 1 && at[0] == '$' &&
	       at[text->len + 1] == '#' && !memcmp(at + 1, text->data, text->len);
}

bool patience_moved_on(const struct rsp *s)
{
	size_t len = s->in.len - s->in_used;
	const char *next = len ? memchr(s->in.data + s->in_used, '$', len) : NULL;
	if (!next)
		return false;
	if (is_repeated(s, s->in.data + s->in_used, len))
		return true;
	if (!s->asked || s->read_at < s->asked + LOOK_AFTER)
		return false;
	len -= (size_t)(next - (s->in.data + s->in_used));
	return !session_is_lldb(s) || !(begins(next, len, "$qEcho:") || begins(next, len, "$qC#"));
}

/* Nobody's patience ends for these. */
static bool is_waited_for(const struct rsp *s)
{
	return !s->patience || !s->asked || (s->of && s->of->traits & WAITED_FOR);
}

bool patience_is_short(const struct rsp *s)
{
	return !is_waited_for(s) && age(s) >= s->patience / 5 * 4;
}

bool patience_is_over(const struct rsp *s)
{
	return !is_waited_for(s) && age(s) > s->patience;
}

bool rsp_took_long(const struct rsp *s, uint64_t now)
{
	return s->asked && now >= s->asked + LOOK_AFTER;
}

bool rsp_minds_late(const struct rsp *s)
{
	return !is_waited_for(s) && !session_is_lldb(s);
}

/* The list of threads in the client's form. A machine that runs has another one when it is asked
 * for. */
static bool prepare_threads(struct rsp *s)
{
	const struct buf *document = NULL, *unused;
	struct err *e = NULL;
	if (s->target->threads->renew)
		return true;
	if (session_is_lldb(s))
		e = shared_threads_lldb(s->shared, &document, &unused);
	else if (s->multiprocess)
		e = shared_process_xml(s->shared, s->processes.list[s->processes.current].id,
				       &document);
	else
		e = shared_threads_xml(s->shared, &document);
	bool done = e || document;
	err_free(e); /* who asks gets it */
	return done;
}

bool patience_prepare(struct rsp *s)
{
	if (!s->greeted || s->prepared || !s->patience)
		return true;
	s->prepared = prepare_threads(s) && target_prepare(s->target, s->client);
	return s->prepared || age(s) >= s->patience / 2;
}
