// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * qSearch:memory:ADDR;LEN;PATTERN (gdb manual, "General Query Packets"). A dump has holes, and they
 * hold no match: the search goes on behind them. It is an error only if nothing in the range can
 * be read. A range may be the whole address space, so the work is done in slices.
 */
#define _GNU_SOURCE 1
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "proto/packet.h"
#include "proto/session.h"

/* Bytes a read, reads a slice: some milliseconds. */
#define CHUNK	    (64u << 10)
#define SLICE_READS 32

struct request {
	uint64_t addr, len;
	const char *pattern; /* borrowed from the packet */
	size_t pattern_len;
};

static bool parse_request(struct cursor *args, struct request *ret)
{
	cursor_expect(args, ':');
	ret->addr = cursor_hex(args);
	cursor_expect(args, ';');
	ret->len = cursor_hex(args);
	cursor_expect(args, ';');
	ret->pattern = cursor_rest(args, &ret->pattern_len);
	return cursor_done(args) && ret->len && ret->pattern_len;
}

static void start(struct rsp *s, const struct request *q)
{
	uint64_t last;
	if (__builtin_add_overflow(q->addr, q->len - 1, &last))
		last = UINT64_MAX;
	s->search = (struct search){ .at = q->addr, .last = last };
}

static void go_to(struct search *search, uint64_t addr)
{
	search->past_the_end = addr < search->at;
	search->at = addr;
}

/* Goes on behind a place that cannot be read. */
static void skip_hole(struct rsp *s)
{
	struct search *search = &s->search;
	uint64_t next;
	search->carry = 0;
	if (target_next_memory(s->target, &s->view, search->at, &next))
		go_to(search, next);
	else
		search->past_the_end = true;
}

/*
 * Looks for the pattern in the scratch buffer's first @len bytes, which end at s->search.at, and
 * keeps of them what a match may begin with.
 */
static bool look(struct rsp *s, const struct request *q, size_t len, uint64_t *ret_addr)
{
	const char *data = s->scratch.data;
	const char *found = memmem(data, len, q->pattern, q->pattern_len);
	if (found) {
		*ret_addr = s->search.at - len + (size_t)(found - data);
		return true;
	}
	s->search.carry = len < q->pattern_len ? len : q->pattern_len - 1;
	memmove(s->scratch.data, data + len - s->search.carry, s->search.carry);
	return false;
}

/* The reason for what could not be read first stands for all of it. */
static void keep_why(struct search *search, const struct err *e)
{
	const char *kind = err_memory_kind(err_code(e));
	if (log_on(LOG_REFUSED) && !search->why[0])
		snprintf(search->why, sizeof(search->why),
			 "nothing in the range can be read, beginning with 0x%" PRIx64 ": %s%s%s",
			 search->at, kind ? kind : "", kind ? ": " : "", err_msg(e));
}

/* One read. Returns whether that found the pattern. */
static bool advance(struct rsp *s, const struct request *q, uint64_t *ret_addr)
{
	struct search *search = &s->search;
	uint64_t left = search->last - search->at;
	size_t want = left < CHUNK ? (size_t)left + 1 : CHUNK, done = 0;
	struct err *e = target_read_memory(s->target, &s->view, search->at,
					   s->scratch.data + search->carry, want, &done);
	if (e) {
		keep_why(search, e);
		err_free(e);
		skip_hole(s);
		return false;
	}
	search->read_any = true;
	go_to(search, search->at + done);
	return look(s, q, search->carry + done, ret_addr);
}

static bool finished(const struct search *search)
{
	return search->past_the_end || search->at > search->last;
}

enum packet_result packet_search(struct rsp *s, struct cursor *args, struct reply *r)
{
	struct request q;
	uint64_t found;
	if (!parse_request(args, &q)) {
		reply_error(r, REPLY_E_REFUSED, "it names no range of memory and no pattern");
		return PACKET_REPLY;
	}
	if (!s->busy)
		start(s, &q);
	if (!buf_reserve(&s->scratch, CHUNK + q.pattern_len)) {
		reply_error(r, REPLY_E_NOMEM, "out of memory");
		return PACKET_REPLY;
	}
	for (int reads = 0; !finished(&s->search); reads++) {
		if (reads == SLICE_READS)
			return PACKET_AGAIN;
		if (advance(s, &q, &found)) {
			buf_addf(r->out, "1,%" PRIx64, found);
			return PACKET_REPLY;
		}
	}
	if (s->search.read_any)
		buf_addch(r->out, '0');
	else
		reply_error(r, REPLY_E_FAULT, s->search.why);
	return PACKET_REPLY;
}
