/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one client and the server say to each other, in the protocol that the client's first byte
 * chooses: gdb's (proto/rsp.h) or crash's (proto/crash/client.h). Its functions are those of these,
 * with their contracts.
 */
#ifndef SERVER_NET_DIALOGUE_H
#define SERVER_NET_DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/target.h"

struct buf;
struct err;
struct kept;
struct rsp;
struct rsp_directory;
struct rsp_saved;
struct rsp_shared;

struct dialogue {
	const struct target *target; /* borrowed, as is the next */
	struct rsp_shared *shared;
	struct rsp *rsp;	       /* owned; NULL once the client speaks crash's */
	struct crash_client *crash;    /* owned; NULL unless it does */
	struct target_visitor visitor; /* as it came */
	struct target_member *member;  /* of a client that speaks crash's */
	bool begun;		       /* something has come that can begin a packet */
	bool packets;		       /* a packet has begun */
	char *refusal; /* owned: what is said in place of all answers; NULL: nothing */
	bool asked;    /* a whole packet has come, which is answered so */
	bool refused;  /* and was */
};

/* May wait for a turn (struct rsp_turns). @shared is of @target; both, and @directory, which may be
 * NULL, must outlive it. @visitor is who comes. @patience: as rsp_set_patience() takes it. @refusal
 * (copied), if it is not NULL, is the error that the client gets for its first packet, and the end.
 */
__attribute__((warn_unused_result)) struct err *
dialogue_open(const struct target *target, struct rsp_shared *shared,
	      const struct rsp_directory *directory, const struct target_visitor *visitor,
	      uint64_t patience, const char *refusal, struct dialogue *ret);
/* One that is all zeros, too. */
void dialogue_close(struct dialogue *d);

/* @arrived: as rsp_arrived() takes it. ERR_INVALID also when what comes before the first packet can
 * be none of a debugger's: a web page, say, can have any bytes sent behind a first line. */
__attribute__((warn_unused_result)) struct err *dialogue_input(struct dialogue *d, uint64_t arrived,
							       const void *bytes, size_t len);
/* May wait for a turn, as for what the target reads. */
__attribute__((warn_unused_result)) struct err *dialogue_step(struct dialogue *d, struct buf *out,
							      bool *ret_more);
/* Writes what another process would go on from into @kept: rsp_save(). */
void dialogue_save(struct dialogue *d, struct kept *kept);
/* Makes the new dialogue what another process has written into @kept; its input is the caller's. */
__attribute__((warn_unused_result)) struct err *
dialogue_go_on(struct dialogue *d, const struct kept *kept, const char *note);
/* Whether the client has shown that it speaks one of the protocols. */
bool dialogue_has_talked(const struct dialogue *d);
bool dialogue_is_busy(const struct dialogue *d);
bool dialogue_is_waiting(const struct dialogue *d);
bool dialogue_can_be_interrupted(const struct dialogue *d);
uint64_t dialogue_goes_to(const struct dialogue *d);
/* Begins where another process has left the client, which has attached to this target: it gets a
 * stop. ERR_NOMEM, ERR_INVALID. */
__attribute__((warn_unused_result)) struct err *dialogue_take_over(struct dialogue *d,
								   const struct rsp_saved *from);
/* Fills what that needs; of gdb's protocol alone. */
void dialogue_hand_over(struct dialogue *d, struct rsp_saved *ret);
bool dialogue_wants_close(const struct dialogue *d);
/* Of gdb's protocol alone: crash waits for as long as it takes. */
bool dialogue_took_long(const struct dialogue *d, uint64_t now);
void dialogue_recheck(struct dialogue *d, struct buf *out, size_t begin);
bool dialogue_minds_late(const struct dialogue *d);

#endif
