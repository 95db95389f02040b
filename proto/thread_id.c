// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/thread_id.h"

#include <inttypes.h>

#include "base/buf.h"
#include "proto/session.h"
#include "proto/shared.h"
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

enum thread_id_kind thread_id_read(const struct rsp *s, struct cursor *c, struct thread_id *ret)
{
	uint64_t number = 0;
	enum thread_id_kind kind;
	struct thread_id id = { .process = s->processes.current };
	if (cursor_skip(c, 'p')) {
		kind = read_number(c, &number);
		if (kind == THREAD_NONE ||
		    (kind == THREAD_ONE && !process_find(s, number, &id.process)))
			return THREAD_NONE;
		*ret = id;
		/* "pPID" alone means all of its threads. */
		if (!cursor_skip(c, '.'))
			return THREAD_ALL;
	}
	kind = read_number(c, &id.tid);
	if (kind == THREAD_ONE &&
	    !target_thread_alive(s->processes.list[id.process].shared->target, id.tid))
		return THREAD_NONE;
	if (kind != THREAD_NONE)
		*ret = id;
	return kind;
}

void thread_id_add(const struct rsp *s, uint64_t tid, struct buf *out)
{
	if (s->multiprocess)
		buf_addf(out, "p%" PRIx64 ".", s->processes.list[s->processes.current].id);
	buf_addf(out, "%" PRIx64, tid);
}

bool thread_suffix_read(const struct rsp *s, struct cursor *c, uint64_t *ret_tid)
{
	struct thread_id id = { .tid = s->view.tid };
	if (cursor_skip_text(c, ";thread:")) {
		if (thread_id_read(s, c, &id) != THREAD_ONE)
			return false;
		cursor_expect(c, ';');
	}
	if (!cursor_done(c))
		return false;
	*ret_tid = id.tid;
	return true;
}
