// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/packet.h"

#include <string.h>

#include "proto/target.h"

/*
 * The first row that matches is taken: a longer name stands before a shorter one that begins it.
 * Sources: the gdb manual ("Packets", "General Query Packets") but for lldb's, which are in its
 * docs (lldb-gdb-remote).
 */
static const struct packet packets[] = {
	/* The three that make up nearly all traffic. */
	{ "m", MATCH_PREFIX, NULL, NEEDS_MEMORY, packet_memory_hex },
	{ "x", MATCH_PREFIX, "binary-upload+", NEEDS_MEMORY, packet_memory_binary },
	{ "p", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_register },

	/* Getting to know each other, and parting. */
	{ "qSupported", MATCH_WORD, NULL, NEEDS_NOTHING, packet_supported },
	{ "QStartNoAckMode", MATCH_WORD, "QStartNoAckMode+", NEEDS_NOTHING, packet_no_ack },
	{ "!", MATCH_WORD, NULL, NEEDS_NOTHING, packet_extended },
	{ "qAttached", MATCH_WORD, NULL, NEEDS_NOTHING, packet_attached },
	{ "qSymbol", MATCH_WORD, NULL, NEEDS_NOTHING, packet_symbol },
	{ "D", MATCH_WORD, NULL, NEEDS_NOTHING, packet_detach },
	{ "k", MATCH_WORD, NULL, NEEDS_NOTHING, packet_kill },
	{ "vKill", MATCH_WORD, NULL, NEEDS_NOTHING, packet_vkill },

	/* Threads and registers. */
	{ "H", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_select },
	{ "T", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_alive },
	{ "qC", MATCH_WORD, NULL, NEEDS_NOTHING, packet_current },
	{ "qfThreadInfo", MATCH_WORD, NULL, NEEDS_NOTHING, packet_first_threads },
	{ "qsThreadInfo", MATCH_WORD, NULL, NEEDS_NOTHING, packet_next_threads },
	{ "qThreadExtraInfo", MATCH_WORD, NULL, NEEDS_NOTHING, packet_extra_info },
	{ "g", MATCH_WORD, NULL, NEEDS_NOTHING, packet_registers },

	/* What cannot be done with the dead: run, change. */
	{ "?", MATCH_WORD, NULL, NEEDS_NOTHING, packet_why },
	{ "vCont", MATCH_WORD, NULL, NEEDS_NOTHING, packet_vcont },
	{ "c", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_continue },
	{ "C", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_continue },
	{ "s", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_step },
	{ "S", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_step },
	{ "G", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_write },
	{ "P", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_write },
	{ "M", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_write },
	{ "X", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_write },
	{ "Z", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_breakpoint },
	{ "z", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_breakpoint },

	/* Documents. The row without a name is for those that the target brings. */
	{ "qXfer:features:read", MATCH_WORD, "qXfer:features:read+", NEEDS_NOTHING,
	  packet_xfer_features },
	{ "qXfer:threads:read", MATCH_WORD, "qXfer:threads:read+", NEEDS_NOTHING,
	  packet_xfer_threads },
	{ "qXfer:", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_xfer_object },
	{ "qlinux.vmcoreinfo", MATCH_WORD, NULL, NEEDS_NOTHING, packet_vmcoreinfo },

	/* Files; those that change something are refused in the words of a file system. */
	{ "vFile:setfs", MATCH_WORD, NULL, NEEDS_FILES, packet_file_setfs },
	{ "vFile:open", MATCH_WORD, NULL, NEEDS_FILES, packet_file_open },
	{ "vFile:pread", MATCH_WORD, NULL, NEEDS_FILES, packet_file_read },
	{ "vFile:fstat", MATCH_WORD, NULL, NEEDS_FILES, packet_file_status },
	{ "vFile:stat", MATCH_WORD, NULL, NEEDS_FILES, packet_file_stat },
	{ "vFile:close", MATCH_WORD, NULL, NEEDS_FILES, packet_file_close },
	{ "vFile:pwrite", MATCH_WORD, NULL, NEEDS_FILES, packet_file_write },
	{ "vFile:unlink", MATCH_WORD, NULL, NEEDS_FILES, packet_file_write },

	/* The main image; searches; commands of our own. */
	{ "qOffsets", MATCH_WORD, NULL, NEEDS_IMAGE, packet_offsets },
	{ "qExecAndArgs", MATCH_WORD, NULL, NEEDS_IMAGE, packet_exec_and_args },
	{ "qSearch:memory", MATCH_WORD, NULL, NEEDS_MEMORY, packet_search },
	{ "qRcmd", MATCH_WORD, NULL, NEEDS_MONITOR, packet_monitor },

	/* QEMU's. */
	{ "qqemu.Supported", MATCH_WORD, NULL, NEEDS_PHYSICAL, packet_qemu_supported },
	{ "qqemu.PhyMemMode", MATCH_WORD, NULL, NEEDS_PHYSICAL, packet_physical_mode },
	{ "Qqemu.PhyMemMode", MATCH_WORD, NULL, NEEDS_PHYSICAL, packet_set_physical_mode },

	/* lldb's own. */
	{ "QThreadSuffixSupported", MATCH_WORD, NULL, NEEDS_NOTHING, packet_thread_suffix },
	{ "QListThreadsInStopReply", MATCH_WORD, NULL, NEEDS_NOTHING, packet_list_in_stop },
	{ "QEnableErrorStrings", MATCH_WORD, NULL, NEEDS_NOTHING, packet_error_strings },
	{ "qHostInfo", MATCH_WORD, NULL, NEEDS_IMAGE, packet_host_info },
	{ "qProcessInfo", MATCH_WORD, NULL, NEEDS_NOTHING, packet_process_info },
	{ "qThreadStopInfo", MATCH_PREFIX, NULL, NEEDS_NOTHING, packet_thread_stop },
	{ "jThreadsInfo", MATCH_WORD, NULL, NEEDS_NOTHING, packet_threads_json },
};

#define PACKETS (sizeof(packets) / sizeof(packets[0]))

static bool can_serve(const struct target *target, enum packet_needs needs)
{
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
		return target->files;
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

const struct packet *packet_find(const struct target *target, const char *text, size_t len,
				 struct cursor *ret_args)
{
	for (const struct packet *row = packets; row < packets + PACKETS; row++) {
		struct cursor args = cursor_make(text, len);
		if (!len || row->name[0] != text[0] || !matches(row, &args))
			continue;
		if (!can_serve(target, row->needs))
			return NULL;
		*ret_args = args;
		return row;
	}
	return NULL;
}

void packet_add_tokens(const struct target *target, struct buf *out)
{
	for (const struct packet *row = packets; row < packets + PACKETS; row++) {
		if (row->token && can_serve(target, row->needs))
			buf_addf(out, ";%s", row->token);
	}
}
