/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Thread ids in packets (gdb manual, "thread-id syntax"). */
#ifndef PROTO_THREAD_ID_H
#define PROTO_THREAD_ID_H

#include <stddef.h>
#include <stdint.h>

#include "proto/cursor.h"

struct buf;
struct rsp;

enum thread_id_kind {
	THREAD_NONE, /* malformed, or no such thread or process */
	THREAD_ANY,  /* 0 */
	THREAD_ALL,  /* -1 */
	THREAD_ONE,
};

struct thread_id {
	size_t process; /* its index among the session's */
	uint64_t tid;
};

/*
 * Reads "TID", "0", "-1", "pPID" or "pPID.TID" in hexadecimal. But for THREAD_NONE, ret->process is
 * the one that it names, or else the current one; for THREAD_ONE, ret->tid is the id of a thread
 * of it that exists.
 */
enum thread_id_kind thread_id_read(const struct rsp *s, struct cursor *c, struct thread_id *ret);

/* Adds the id of the current process's thread @tid, in the form that was agreed upon. */
void thread_id_add(const struct rsp *s, uint64_t tid, struct buf *out);

/*
 * Reads what may end lldb's g and p: ";thread:TID;" (lldb docs, "QThreadSuffixSupported"), and
 * nothing else. *ret_tid is the selected thread without it; false if it is malformed or names no
 * thread.
 */
bool thread_suffix_read(const struct rsp *s, struct cursor *c, uint64_t *ret_tid);

#endif
