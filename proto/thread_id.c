// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/thread_id.h"

#include "proto/session.h"
#include "proto/target.h"

/* One of the two numbers of an id: like the whole, but it may be anything. */
static enum thread_id_kind read_number(struct cursor *c, uint64_t *ret_number)
{
	if (cursor_skip_text(c, "-1"))
		return THREAD_ALL;
	*ret_number = cursor_hex(c);
	if (c->bad)
		return THREAD_NONE;
	return *ret_number ? THREAD_ONE : THREAD_ANY;
}

enum thread_id_kind thread_id_read(const struct rsp *s, struct cursor *c, uint64_t *ret_tid)
{
	const struct target *t = s->target;
	uint64_t number = 0;
	enum thread_id_kind kind;
	if (cursor_skip(c, 'p')) {
		kind = read_number(c, &number);
		if (kind == THREAD_NONE || (kind == THREAD_ONE && number != t->pid))
			return THREAD_NONE;
		/* "pPID" alone means all of its threads. */
		if (!cursor_skip(c, '.'))
			return THREAD_ALL;
	}
	kind = read_number(c, &number);
	if (kind != THREAD_ONE)
		return kind;
	if (!target_thread_alive(t, number))
		return THREAD_NONE;
	*ret_tid = number;
	return THREAD_ONE;
}

bool thread_suffix_read(const struct rsp *s, struct cursor *c, uint64_t *ret_tid)
{
	uint64_t tid = s->view.tid;
	if (cursor_skip_text(c, ";thread:")) {
		if (thread_id_read(s, c, &tid) != THREAD_ONE)
			return false;
		cursor_expect(c, ';');
	}
	if (!cursor_done(c))
		return false;
	*ret_tid = tid;
	return true;
}
