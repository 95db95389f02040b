// SPDX-License-Identifier: GPL-2.0-or-later
/* g and p (gdb manual, "Packets"), with lldb's thread suffix. */
#include "proto/packet.h"
#include "proto/registers.h"
#include "proto/session.h"
#include "proto/shared.h"
#include "proto/thread_id.h"

static void read_thread(const struct rsp *s, uint64_t tid, size_t first, size_t count,
			struct register_values *values)
{
	struct target_view view = session_view(s, tid);
	registers_read(&s->shared->layout, &view, first, count, values);
}

/* g: all registers. gdb shows what is xx as <unavailable>. */
enum packet_result packet_registers(struct rsp *s, struct cursor *args, struct reply *r)
{
	const struct register_layout *layout = &s->shared->layout;
	struct register_values values;
	uint64_t tid;
	if (!thread_suffix_read(s, args, &tid)) {
		reply_error(r, REPLY_E_REFUSED, "there is no such thread");
		return PACKET_REPLY;
	}
	read_thread(s, tid, 0, layout->ops->count, &values);
	registers_add_hex(layout, &values, 0, layout->ops->count, r->out);
	return PACKET_REPLY;
}

/*
 * p and a register's number. lldb knows no xx: it would show 0xcccc... An error makes it say
 * "unavailable"; but to its first p of all, an error would say that p does not work.
 */
enum packet_result packet_register(struct rsp *s, struct cursor *args, struct reply *r)
{
	const struct register_layout *layout = &s->shared->layout;
	struct register_values values;
	uint64_t row = cursor_hex(args), tid;
	if (!thread_suffix_read(s, args, &tid) || row >= layout->ops->count) {
		reply_error(r, REPLY_E_REFUSED, "there is no such register or thread");
		return PACKET_REPLY;
	}
	bool probe = !s->probed_register;
	s->probed_register = true;
	read_thread(s, tid, row, 1, &values);
	if (session_is_lldb(s) && !probe && !values.known[row])
		reply_error(r, REPLY_E_UNAVAILABLE, "the value of the register is not known");
	else
		registers_add_hex(layout, &values, row, 1, r->out);
	return PACKET_REPLY;
}
