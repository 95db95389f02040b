// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/dialogue.h"

#include "base/err.h"
#include "proto/crash/client.h"
#include "proto/rsp.h"
#include "proto/target.h"

struct err *dialogue_open(const struct target *target, struct rsp_shared *shared, uint64_t patience,
			  struct dialogue *ret)
{
	*ret = (struct dialogue){ .target = target, .rsp = rsp_new(shared) };
	if (!ret->rsp)
		return err_nomem();
	rsp_set_patience(ret->rsp, patience);
	return NULL;
}

void dialogue_close(struct dialogue *d)
{
	rsp_free(d->rsp);
	crash_client_free(d->crash);
	*d = (struct dialogue){ 0 };
}

static struct err *begin(struct dialogue *d, char first)
{
	d->begun = true;
	if (!d->target->crash || !crash_client_is(first))
		return NULL;
	d->crash = crash_client_new(d->target->crash, d->target->crash_self);
	if (!d->crash)
		return err_nomem();
	rsp_free(d->rsp);
	d->rsp = NULL;
	return NULL;
}

struct err *dialogue_input(struct dialogue *d, uint64_t arrived, const void *bytes, size_t len)
{
	struct err *e = d->begun || !len ? NULL : begin(d, *(const char *)bytes);
	if (e)
		return e;
	if (d->crash)
		return crash_client_input(d->crash, bytes, len);
	rsp_arrived(d->rsp, arrived);
	return rsp_input(d->rsp, bytes, len);
}

struct err *dialogue_step(struct dialogue *d, struct buf *out, bool *ret_more)
{
	return d->crash ? crash_client_step(d->crash, out, ret_more)
			: rsp_step(d->rsp, out, ret_more);
}

bool dialogue_is_busy(const struct dialogue *d)
{
	return !d->crash && rsp_is_busy(d->rsp);
}

bool dialogue_can_be_interrupted(const struct dialogue *d)
{
	return !d->crash && rsp_can_be_interrupted(d->rsp);
}

bool dialogue_wants_close(const struct dialogue *d)
{
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
