// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/packet.h"

#include <string.h>

#include "proto/rsp.h"
#include "proto/session.h"

/*
 * The first row that matches is taken: a longer name stands before a shorter one that begins it.
 * Sources: the gdb manual ("Packets", "General Query Packets") but for lldb's, which are in its
 * docs (lldb-gdb-remote).
 */
static const struct packet packets[] = {
	/* The three that make up nearly all traffic. */
	{ "m", MATCH_PREFIX, NULL, NEEDS_MEMORY, packet_memory_hex, READS_MEMORY },
	{ "x", MATCH_PREFIX, "binary-upload+", NEEDS_MEMORY, packet_memory_binary, READS_MEMORY },
	{ "p", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_register, PLAIN },

	/* Getting to know each other, and parting. */
	{ "qSupported", MATCH_WORD, NULL, NEEDS_NOTHING, packet_supported, CHANGES_SESSION },
	{ "QStartNoAckMode", MATCH_WORD, "QStartNoAckMode+", NEEDS_NOTHING, packet_no_ack,
	  CHANGES_SESSION },
	{ "!", MATCH_WORD, NULL, NEEDS_NOTHING, packet_extended, PLAIN },
	{ "vAttach", MATCH_WORD, NULL, NEEDS_OTHERS, packet_attach, CHANGES_SESSION },
	{ "qAttached", MATCH_WORD, NULL, NEEDS_NOTHING, packet_attached, PLAIN },
	{ "qSymbol", MATCH_WORD, NULL, NEEDS_NOTHING, packet_symbol, PLAIN },
	{ "D", MATCH_WORD, NULL, NEEDS_NOTHING, packet_detach, CHANGES_SESSION },
	{ "k", MATCH_WORD, NULL, NEEDS_NOTHING, packet_kill, CHANGES_SESSION },
	{ "vKill", MATCH_WORD, NULL, NEEDS_NOTHING, packet_vkill, CHANGES_SESSION },

	/* Threads and registers. */
	{ "H", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_select, CHANGES_SESSION },
	{ "T", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_alive, PLAIN },
	{ "qC", MATCH_WORD, NULL, NEEDS_NOTHING, packet_current, PLAIN },
	{ "qfThreadInfo", MATCH_WORD, NULL, NEEDS_NOTHING, packet_first_threads, PLAIN },
	{ "qsThreadInfo", MATCH_WORD, NULL, NEEDS_NOTHING, packet_next_threads, PLAIN },
	{ "qThreadExtraInfo", MATCH_WORD, NULL, NEEDS_NOTHING, packet_extra_info, PLAIN },
	{ "g", MATCH_WORD, NULL, NEEDS_NOTHING, packet_registers, PLAIN },

	/* What cannot be done with the dead: run, change. */
	{ "?", MATCH_WORD, NULL, NEEDS_NOTHING, packet_why, PLAIN },
	{ "vCont", MATCH_WORD, NULL, NEEDS_NOTHING, packet_vcont, WAITED_FOR },
	{ "c", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_continue, WAITED_FOR },
	{ "C", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_continue, WAITED_FOR },
	{ "s", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_step, WAITED_FOR },
	{ "S", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_step, WAITED_FOR },
	{ "G", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_write, PLAIN },
	{ "P", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_write, PLAIN },
	{ "M", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_write, PLAIN },
	{ "X", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_write, PLAIN },
	{ "Z", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_breakpoint, CHANGES_SESSION },
	{ "z", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_breakpoint, CHANGES_SESSION },

	/* Documents. The row without a name is for those that the target brings. */
	{ "qXfer:features:read", MATCH_WORD, "qXfer:features:read+", NEEDS_NOTHING,
	  packet_xfer_features, PLAIN },
	{ "qXfer:threads:read", MATCH_WORD, "qXfer:threads:read+", NEEDS_NOTHING,
	  packet_xfer_threads, PLAIN },
	{ "qXfer:", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_xfer_object, PLAIN },
	{ "qlinux.vmcoreinfo", MATCH_WORD, NULL, NEEDS_NOTHING, packet_vmcoreinfo, PLAIN },

	/* Files; those that change something are refused in the words of a file system. */
	{ "vFile:setfs", MATCH_WORD, NULL, NEEDS_FILES, packet_file_setfs, PLAIN },
	{ "vFile:open", MATCH_WORD, NULL, NEEDS_FILES, packet_file_open, PLAIN },
	{ "vFile:pread", MATCH_WORD, NULL, NEEDS_FILES, packet_file_read, PLAIN },
	{ "vFile:fstat", MATCH_WORD, NULL, NEEDS_FILES, packet_file_status, PLAIN },
	{ "vFile:stat", MATCH_WORD, NULL, NEEDS_FILES, packet_file_stat, PLAIN },
	{ "vFile:close", MATCH_WORD, NULL, NEEDS_FILES, packet_file_close, CHANGES_SESSION },
	{ "vFile:pwrite", MATCH_WORD, NULL, NEEDS_FILES, packet_file_write, PLAIN },
	{ "vFile:unlink", MATCH_WORD, NULL, NEEDS_FILES, packet_file_write, PLAIN },

	/* The main image; searches; commands of our own. */
	{ "qOffsets", MATCH_WORD, NULL, NEEDS_IMAGE, packet_offsets, PLAIN },
	{ "qExecAndArgs", MATCH_WORD, NULL, NEEDS_IMAGE, packet_exec_and_args, PLAIN },
	{ "qSearch:memory", MATCH_WORD, NULL, NEEDS_MEMORY, packet_search, PLAIN },
	{ "qRcmd", MATCH_WORD, NULL, NEEDS_MONITOR, packet_monitor, WAITED_FOR },

	/* QEMU's. */
	{ "qqemu.Supported", MATCH_WORD, NULL, NEEDS_PHYSICAL, packet_qemu_supported, PLAIN },
	{ "qqemu.PhyMemMode", MATCH_WORD, NULL, NEEDS_PHYSICAL, packet_physical_mode, PLAIN },
	{ "Qqemu.PhyMemMode", MATCH_WORD, NULL, NEEDS_PHYSICAL, packet_set_physical_mode,
	  CHANGES_SESSION },

	/* lldb's own. */
	{ "QThreadSuffixSupported", MATCH_WORD, NULL, NEEDS_NOTHING, packet_thread_suffix,
	  CHANGES_SESSION },
	{ "QListThreadsInStopReply", MATCH_WORD, NULL, NEEDS_NOTHING, packet_list_in_stop,
	  CHANGES_SESSION },
	{ "qEcho", MATCH_WORD, NULL, NEEDS_NOTHING, packet_echo, PLAIN },
	{ "QEnableErrorStrings", MATCH_WORD, NULL, NEEDS_NOTHING, packet_error_strings,
	  CHANGES_SESSION },
	{ "qHostInfo", MATCH_WORD, NULL, NEEDS_IMAGE, packet_host_info, PLAIN },
	{ "qProcessInfo", MATCH_WORD, NULL, NEEDS_NOTHING, packet_process_info, PLAIN },
	{ "qThreadStopInfo", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_thread_stop, PLAIN },
	{ "jAcceleratorPluginInitialize", MATCH_WORD, "accelerator-plugins+", NEEDS_BESIDE,
	  packet_accelerators, PLAIN },
	{ "jThreadsInfo", MATCH_WORD, NULL, NEEDS_NOTHING, packet_threads_json, PLAIN },
};

#define PACKETS (sizeof(packets) / sizeof(packets[0]))

static bool can_serve(const struct rsp *s, enum packet_needs needs)
{
	const struct target *target = s->target;
	struct rsp_beside first;
	switch (needs) {
	case NEEDS_MEMORY:
		return target->memory;
	case NEEDS_PHYSICAL:
		return target->memory && target->memory->physical;
	case NEEDS_IMAGE:
		return target->image;
	case NEEDS_MONITOR:
		return target->monitor;
	case NEEDS_FILES:
		return s->base->files;
	case NEEDS_BESIDE:
		return session_is_lldb(s) && s->directory && s->directory->beside &&
		       s->directory->beside(s->directory->closure, 0, &first);
	case NEEDS_OTHERS:
		return (s->directory || target->shelf) && !session_is_lldb(s);
	default:
		return true;
	}
}

static bool matches(const struct packet *row, struct cursor *text)
{
	if (!cursor_skip_text(text, row->name))
		return false;
	return row->match == MATCH_PREFIX || !cursor_left(text) || memchr(":;,", *text->at, 3);
}

const struct packet *packet_find(const struct rsp *s, const char *text, size_t len,
				 struct cursor *ret_args)
{
	for (const struct packet *row = packets; row < packets + PACKETS; row++) {
		struct cursor args = cursor_make(text, len);
		if (!len || row->name[0] != text[0] || !matches(row, &args))
			continue;
		if (!can_serve(s, row->needs))
			return NULL;
		*ret_args = args;
		return row;
	}
	return NULL;
}

void packet_add_tokens(const struct rsp *s, struct buf *out)
{
	for (const struct packet *row = packets; row < packets + PACKETS; row++) {
		if (row->token && can_serve(s, row->needs))
			buf_addf(out, ";%s", row->token);
	}
}
