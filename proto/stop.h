/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stop replies (gdb manual, "Stop Reply Packets"; lldb docs, "Stop reply packet extensions"). */
#ifndef PROTO_STOP_H
#define PROTO_STOP_H

#include <stdbool.h>
#include <stdint.h>

/* Signals, as gdb and lldb number them: of a thread that just is not running, of one that Ctrl-C
 * has stopped, and of one that stopped for a reason. */
#define STOP_NOTHING 0u
#define STOP_SIGINT  2u
#define STOP_SIGTRAP 5u

struct buf;
struct reply;
struct rsp;

/* To gdb: "TNNthread:..;core:..;" and the registers that stop replies carry. */
void stop_add_gdb(const struct rsp *s, struct reply *r, uint64_t tid, unsigned signal);

/*
 * To lldb. @reason: what its "stop reason = " shows, with STOP_SIGTRAP; else NULL.
 * @stop_threads: the threads: and thread-pcs: keys, and NULL for a reply without the list.
 */
void stop_add_lldb(const struct rsp *s, struct reply *r, uint64_t tid, unsigned signal,
		   const char *reason, const struct buf *stop_threads);

#endif
