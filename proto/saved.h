/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a session lasts when the process ends that serves it: another one goes on from there, and
 * the client notices nothing but that one answer is an error. Bytes without pointers, to lie in
 * memory that both processes have. Who ended may have written anything into it: what is read from
 * it is checked.
 */
#ifndef PROTO_SAVED_H
#define PROTO_SAVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/target.h"

struct buf;
struct rsp;

enum { RSP_SAVED_FILES = 128 << 10, RSP_SAVED_PROCESSES = 64 };

/* What the client has attached to (proto/process.h), and what it looks at there. */
struct saved_process {
	uint64_t id, tid;
	uint32_t frame;
	uint8_t physical, entered, attached;
};

struct rsp_saved {
	struct saved_process processes[RSP_SAVED_PROCESSES];
	uint32_t process_count, current;
	uint64_t stop_tid, stop_id, next_listed, next_process;
	uint64_t named_tid, named_process;
	uint32_t client; /* enum target_client */
	uint8_t multiprocess;
	uint8_t acks, error_text, error_strings, list_in_stop, bare_x, probed_register;
	uint8_t greeted, talked;
	/* It is gdb for certain; and what it said of itself. */
	uint8_t is_gdb;
	struct target_manner manner;
	uint8_t in_progress; /* the packet that is being answered is acknowledged already */
	/* Files that the client has open: a struct saved_file each, and its name with a 0. */
	uint32_t files_len;
	uint8_t files_lost; /* there are more than fit */
	char files[RSP_SAVED_FILES];
};

/* Writes what has changed; called after each step. */
void rsp_save(struct rsp *s, struct rsp_saved *to);

/*
 * The input that is not answered, for the next process to get: what has come behind the last packet
 * that was. NULL while that is what it was before with what has come since: a packet is not whole,
 * or is being answered.
 */
const char *rsp_unanswered(const struct rsp *s, size_t *ret_len);

/* Makes the new session @s what @from was. A thread that is not there is not selected. Of files
 * that are open those are opened again when they are read. ERR_NOMEM, and ERR_NOTFOUND where the
 * client was attached to what is not there any more. */
ERR_MUST_CHECK struct err *rsp_restore(struct rsp *s, const struct rsp_saved *from);

/* What the next monitor command says first; copied. ERR_NOMEM. */
ERR_MUST_CHECK struct err *rsp_set_note(struct rsp *s, const char *note);

/*
 * For the packet that was being answered when the process ended, the first in the @len bytes at
 * @in, if it is there whole: an error that says @why is added to @out. *ret_used: bytes up to its
 * end. Needs no session, for the dump may take long to open again. ERR_NOMEM.
 */
ERR_MUST_CHECK struct err *rsp_answer_lost(const struct rsp_saved *from, const char *in, size_t len,
					   const char *why, struct buf *out, size_t *ret_used);

#endif
