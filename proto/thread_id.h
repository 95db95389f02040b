/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Thread ids in packets (gdb manual, "thread-id syntax"). */
#ifndef PROTO_THREAD_ID_H
#define PROTO_THREAD_ID_H

#include <stdint.h>

#include "proto/cursor.h"

struct rsp;

enum thread_id_kind {
	THREAD_NONE, /* malformed, or no such thread or process */
	THREAD_ANY,  /* 0 */
	THREAD_ALL,  /* -1 */
	THREAD_ONE,
};

/*
 * Reads "TID", "0", "-1", "pPID" or "pPID.TID" in hexadecimal. For THREAD_ONE, *ret_tid is the id
 * of a thread that exists.
 */
enum thread_id_kind thread_id_read(const struct rsp *s, struct cursor *c, uint64_t *ret_tid);

/*
 * Reads what may end lldb's g and p: ";thread:TID;" (lldb docs, "QThreadSuffixSupported"), and
 * nothing else. *ret_tid is the selected thread without it; false if it is malformed or names no
 * thread.
 */
bool thread_suffix_read(const struct rsp *s, struct cursor *c, uint64_t *ret_tid);

#endif
