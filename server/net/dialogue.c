// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/dialogue.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/crash/client.h"
#include "proto/reply.h"
#include "proto/rsp.h"
#include "proto/saved.h"
#include "proto/target.h"
#include "server/net/kept.h"

struct err *dialogue_open(const struct target *target, struct rsp_shared *shared,
			  const struct rsp_directory *directory,
			  const struct target_visitor *visitor, uint64_t patience,
			  const char *refusal, struct dialogue *ret)
{
	rsp_take_turn(shared);
	*ret = (struct dialogue){
		.target = target, .shared = shared, .rsp = rsp_new(shared), .visitor = *visitor
	};
	rsp_leave_turn(shared);
	if (!ret->rsp)
		return err_nomem();
	rsp_set_patience(ret->rsp, patience);
	rsp_set_directory(ret->rsp, directory);
	if (!refusal)
		return rsp_join(ret->rsp, visitor);
	ret->refusal = strdup(refusal);
	return ret->refusal ? NULL : err_nomem();
}

void dialogue_close(struct dialogue *d)
{
	rsp_free(d->rsp);
	target_leave(d->target, d->member);
	crash_client_free(d->crash);
	free(d->refusal);
	*d = (struct dialogue){ 0 };
}

static struct err *become_crash(struct dialogue *d)
{
	d->crash = crash_client_new(d->target->crash, d->target->crash_self);
	if (!d->crash)
		return err_nomem();
	rsp_free(d->rsp);
	d->rsp = NULL;
	d->visitor.view = NULL;
	struct err *e = target_join(d->target, &d->visitor, &d->member);
	if (!e)
		target_member_is(d->target, d->member, "crash");
	return e;
}

static struct err *begin(struct dialogue *d, char first)
{
	d->begun = true;
	return d->target->crash && crash_client_is(first) ? become_crash(d) : NULL;
}

/* What is between packets, before the first: acknowledgements and Ctrl-C. */
static struct err *check_first(struct dialogue *d, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len && !d->packets; i++) {
		d->packets = bytes[i] == '$';
		if (!d->packets && bytes[i] != '+' && bytes[i] != '-' && bytes[i] != 0x03)
			return err_new(
				ERR_INVALID,
				"it speaks no debugger's protocol: byte 0x%02x came before the "
				"first packet",
				(unsigned char)bytes[i]);
	}
	return NULL;
}

struct err *dialogue_input(struct dialogue *d, uint64_t arrived, const void *bytes, size_t len)
{
	struct err *e = d->begun || !len || d->refusal ? NULL : begin(d, *(const char *)bytes);
	if (!e && !d->crash && !d->packets)
		e = check_first(d, bytes, len);
	if (e)
		return e;
	if (d->refusal) {
		d->asked |= memchr(bytes, '#', len) != NULL;
		return NULL;
	}
	if (d->crash)
		return crash_client_input(d->crash, bytes, len);
	rsp_arrived(d->rsp, arrived);
	return rsp_input(d->rsp, bytes, len);
}

/* gdb shows the text as a warning, before it says that the connection was closed. */
static void answer_refused(struct dialogue *d, struct buf *out)
{
	struct reply r;
	if (!d->asked || d->refused)
		return;
	buf_addch(out, '+');
	reply_open(&r, out);
	buf_addf(out, "E.%s", d->refusal);
	reply_close(&r);
	d->refused = true;
}

struct err *dialogue_step(struct dialogue *d, struct buf *out, bool *ret_more)
{
	if (d->refusal) {
		*ret_more = false;
		answer_refused(d, out);
		return NULL;
	}
	if (!d->crash)
		return rsp_step(d->rsp, out, ret_more);
	rsp_take_turn(d->shared);
	struct err *e = crash_client_step(d->crash, out, ret_more);
	rsp_leave_turn(d->shared);
	return e;
}

void dialogue_save(struct dialogue *d, struct kept *kept)
{
	size_t len;
	const char *in =
		d->crash ? crash_client_unanswered(d->crash, &len) : rsp_unanswered(d->rsp, &len);
	kept->kind = d->crash ? KEPT_CRASH : d->packets ? KEPT_GDB : KEPT_NEW;
	if (!d->crash)
		rsp_save(d->rsp, &kept->state);
	if (in)
		kept_set_input(kept, in, len);
}

struct err *dialogue_go_on(struct dialogue *d, const struct kept *kept, const char *note)
{
	if (kept->kind == KEPT_NEW)
		return NULL;
	d->begun = d->packets = true;
	if (kept->kind == KEPT_CRASH && !d->target->crash)
		return err_new(ERR_INVALID, "there is nothing for crash here");
	if (kept->kind == KEPT_CRASH) {
		struct err *e = become_crash(d);
		if (!e)
			crash_client_go_on(d->crash);
		return e;
	}
	struct err *e = rsp_restore(d->rsp, &kept->state);
	return e ? e : rsp_set_note(d->rsp, note);
}

bool dialogue_has_talked(const struct dialogue *d)
{
	return d->crash ? crash_client_has_talked(d->crash) : rsp_has_talked(d->rsp);
}

bool dialogue_is_busy(const struct dialogue *d)
{
	return !d->crash && rsp_is_busy(d->rsp);
}

bool dialogue_is_waiting(const struct dialogue *d)
{
	return !d->crash && rsp_is_waiting(d->rsp);
}

bool dialogue_can_be_interrupted(const struct dialogue *d)
{
	return !d->crash && rsp_can_be_interrupted(d->rsp);
}

uint64_t dialogue_goes_to(const struct dialogue *d)
{
	return d->crash ? 0 : rsp_goes_to(d->rsp);
}

void dialogue_hand_over(struct dialogue *d, struct rsp_saved *ret)
{
	rsp_save(d->rsp, ret);
	/* What was selected is not there; the process has the number that it attached to. */
	ret->stop_tid = ret->stop_id = 0;
	ret->process_count = 1;
	ret->current = 0;
	ret->processes[0] = (struct saved_process){ .id = dialogue_goes_to(d), .attached = true };
}

struct err *dialogue_take_over(struct dialogue *d, const struct rsp_saved *from)
{
	struct err *e = rsp_restore(d->rsp, from);
	d->begun = d->packets = true;
	return e ? e : rsp_stop(d->rsp);
}

bool dialogue_wants_close(const struct dialogue *d)
{
	if (d->refusal)
		return d->refused;
	return d->crash ? crash_client_wants_close(d->crash) : rsp_wants_close(d->rsp);
}

bool dialogue_took_long(const struct dialogue *d, uint64_t now)
{
	return !d->crash && rsp_took_long(d->rsp, now);
}

void dialogue_recheck(struct dialogue *d, struct buf *out, size_t begin)
{
	if (!d->crash)
		rsp_recheck(d->rsp, out, begin);
}

bool dialogue_minds_late(const struct dialogue *d)
{
	return !d->crash && rsp_minds_late(d->rsp);
}
