// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets of QEMU's gdbstub (QEMU documentation, "GDB usage", "Examining physical memory"): reads
 * by physical address, here for one session only.
 */
#include "proto/packet.h"
#include "proto/session.h"
#include "proto/target.h"

/* qqemu.Supported: which of QEMU's packets there are. */
enum packet_result packet_qemu_supported(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)s, (void)args;
	buf_addstr(r->out, "PhyMemMode");
	return PACKET_REPLY;
}

/* qqemu.PhyMemMode: 1 while m, x and searches take physical addresses. */
enum packet_result packet_physical_mode(struct rsp *s, struct cursor *args, struct reply *r)
{
	(void)args;
	buf_addch(r->out, s->view.physical ? '1' : '0');
	return PACKET_REPLY;
}

/* Qqemu.PhyMemMode:1 or :0. */
enum packet_result packet_set_physical_mode(struct rsp *s, struct cursor *args, struct reply *r)
{
	cursor_expect(args, ':');
	uint64_t mode = cursor_hex(args);
	if (!cursor_done(args) || mode > 1) {
		reply_error(r, REPLY_E_REFUSED, "the mode is neither 0 nor 1");
		return PACKET_REPLY;
	}
	s->view.physical = mode;
	reply_ok(r);
	return PACKET_REPLY;
}
