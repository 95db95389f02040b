/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of the clients outlives the process that serves them: a place each in memory that the outer
 * process (outer.h) has, too, and passes on to the next one. The outer process keeps the connection
 * and reads no more of a place than whether a packet waits there.
 */
#ifndef SERVER_NET_KEPT_H
#define SERVER_NET_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/saved.h"

struct err;

enum {
	KEPT_NAME = 112,
	KEPT_INPUT = 64 << 10,
	KEPT_OUTPUT = 512 << 10,
};

#define KEPT_UNKNOWN UINT64_MAX

enum kept_kind {
	KEPT_NEW,   /* has not said which protocol it speaks */
	KEPT_GDB,   /* proto/rsp.h */
	KEPT_CRASH, /* proto/crash/client.h */
};

struct kept {
	uint32_t used;
	uint32_t kind;
	/* Set around the writing of an answer: who finds it set must ask the socket what has left.
	 */
	volatile uint32_t writing;
	/* How many bytes the connection had had at the beginning, KEPT_UNKNOWN where the system
	 * does not count them; and has had since, all that is said to be written. */
	uint64_t base, total;
	uint32_t answering;	    /* the first packet or request of what has come was begun */
	uint32_t in_lost, out_lost; /* more has come, or waits to go out, than there is room for */
	uint32_t in_len;	    /* what has come and is not answered */
	uint32_t out_at, out_len;   /* what has been answered and waits to go out: from out_at on */
	char target[KEPT_NAME];	    /* which of the targets: its name, "" is the host */
	char name[KEPT_NAME];	    /* for debug messages */
	struct rsp_saved state;
	char in[KEPT_INPUT], out[KEPT_OUTPUT];
};

/* @count places, shared with processes that are forked from now on. ERR_NOMEM. */
__attribute__((warn_unused_result)) struct err *kept_new(size_t count, struct kept **ret);

/* Makes the place @k a new client's, whose connection is @fd, or -1 at stdio. */
void kept_begin(struct kept *k, const char *target, const char *name, int fd);
/* Frees it, with the memory behind it. */
void kept_end(struct kept *k);

/* @len bytes have come. */
void kept_add_input(struct kept *k, const char *bytes, size_t len);
/* What is not answered is the @len bytes at @bytes, which are an end of what is kept, or elsewhere.
 */
void kept_set_input(struct kept *k, const char *bytes, size_t len);
/* What is answered, and is to go out. */
void kept_set_output(struct kept *k, const char *bytes, size_t len);
/* @len bytes more of that are. */
void kept_written(struct kept *k, size_t len);

/* Ahead of write(), behind which comes kept_written(). */
static inline void kept_writes(struct kept *k)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	k->writing = true;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* Whether somebody can go on with it, once the process that wrote it has ended: nothing in it is
 * longer than its place, and what has left by @fd is known. */
bool kept_take_over(struct kept *k, int fd);

#endif
