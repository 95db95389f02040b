/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packets that are understood, one row each. The table says what is matched, what is
 * advertised and what the target must be able to do for it: nothing is advertised that is not
 * implemented. A packet that no row matches, or whose group of operations the target lacks, gets
 * the empty reply, which is the protocol's way to say "not supported".
 *
 * To add a packet: write its handler in the pkt_*.c of its subject, declare it below, add a row.
 */
#ifndef PROTO_PACKET_H
#define PROTO_PACKET_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/cursor.h"
#include "proto/reply.h"

struct rsp;

enum packet_result {
	PACKET_REPLY, /* the reply is complete, and sent */
	/* Not done: call the handler again with the same text. Nothing is sent but console output
	 * that it added (reply_console()). */
	PACKET_AGAIN,
	PACKET_SILENT, /* there is no reply to this packet */
};

/*
 * @args is the packet's text after the row's name. @r is open and empty. For a handler that says
 * PACKET_AGAIN, s->busy is NULL in the first call and set in those that follow.
 */
typedef enum packet_result packet_handler(struct rsp *s, struct cursor *args, struct reply *r);

enum packet_match {
	MATCH_PREFIX, /* arguments follow the name directly: m1000,4 */
	MATCH_WORD,   /* the name ends, or one of : ; , follows: qC, and not qCRC */
};

/* Groups of operations of struct target that may be missing. */
enum packet_needs {
	NEEDS_NOTHING,
	NEEDS_MEMORY,
	NEEDS_PHYSICAL, /* memory that can be read by physical address */
	NEEDS_IMAGE,
	NEEDS_MONITOR,
	NEEDS_FILES,  /* of what the client connected to */
	NEEDS_OTHERS, /* targets that a client may attach to */
	NEEDS_BESIDE, /* targets at other addresses, and lldb */
};

/* Bits of struct packet.traits. */
enum packet_traits {
	PLAIN = 0,
	/* It changes what later packets mean. Clients take it for done even where they got no
	 * answer, so it is, even where nobody waits for one. */
	CHANGES_SESSION = 1,
	/* Clients wait for the answer for as long as it takes. */
	WAITED_FOR = 2,
	/* It reads memory from the address on that it begins with, and does nothing else. */
	READS_MEMORY = 4,
};

struct packet {
	const char *name;
	enum packet_match match;
	const char *token; /* what qSupported says of it, or NULL */
	enum packet_needs needs;
	packet_handler *handle;
	unsigned traits; /* enum packet_traits */
};

/* The row for a packet, or NULL: not supported. *ret_args is the text after the name. */
const struct packet *packet_find(const struct rsp *s, const char *text, size_t len,
				 struct cursor *ret_args);

/* Adds ";token" of every row that the session can serve. */
void packet_add_tokens(const struct rsp *s, struct buf *out);

/* pkt_session.c */
packet_handler packet_supported, packet_no_ack, packet_extended, packet_attach, packet_attached,
	packet_detach, packet_kill, packet_vkill, packet_symbol, packet_thread_suffix,
	packet_list_in_stop, packet_error_strings, packet_echo;
/* pkt_shelf.c; behind packet_attach */
packet_handler packet_attach_elsewhere;
/* pkt_run.c */
packet_handler packet_why, packet_continue, packet_step, packet_vcont, packet_write,
	packet_breakpoint;
/* pkt_threads.c */
packet_handler packet_select, packet_alive, packet_current, packet_first_threads,
	packet_next_threads, packet_extra_info;
/* pkt_registers.c */
packet_handler packet_registers, packet_register;
/* pkt_memory.c */
packet_handler packet_memory_hex, packet_memory_binary;
/* pkt_qemu.c */
packet_handler packet_qemu_supported, packet_physical_mode, packet_set_physical_mode;
/* pkt_search.c */
packet_handler packet_search;
/* pkt_xfer.c */
packet_handler packet_xfer_features, packet_xfer_threads, packet_xfer_object, packet_vmcoreinfo;
/* pkt_vfile.c */
packet_handler packet_file_setfs, packet_file_open, packet_file_read, packet_file_status,
	packet_file_stat, packet_file_close, packet_file_write;
/* pkt_image.c */
packet_handler packet_offsets, packet_exec_and_args, packet_host_info, packet_process_info;
/* pkt_lldb.c */
packet_handler packet_threads_json, packet_thread_stop, packet_accelerators;
/* pkt_monitor.c */
packet_handler packet_monitor;

#endif
