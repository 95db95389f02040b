// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/proto/fake_others.h"

#include <stdlib.h>

#include "base/err.h"

static struct err *enter(void *closure, uint64_t id, struct rsp_shared **ret)
{
	struct fake_others *o = closure;
	if (id != FAKE_OWN_ID && id != FAKE_OTHER_ID)
		return err_new(ERR_NOTFOUND, "nothing has the ID %u", (unsigned)id);
	o->entered++;
	*ret = id == FAKE_OTHER_ID ? o->shared : o->own;
	return NULL;
}

static void leave(void *closure, struct rsp_shared *shared)
{
	struct fake_others *o = closure;
	if (!o->entered || (shared != o->own && shared != o->shared))
		abort();
	o->entered--;
}

static bool beside(void *closure, size_t i, struct rsp_beside *ret)
{
	(void)closure;
	*ret = (struct rsp_beside){ "other", "connect://127.0.0.1:16" };
	return !i;
}

void fake_others_init(struct fake_others *o, struct rsp_shared *own, bool several)
{
	*o = (struct fake_others){ .own = own };
	fake_init(&o->other, 3);
	o->other.target.name = "other";
	o->other.target.objects = NULL;
	o->other.target.files = NULL;
	o->other.text += 0x1000000;
	if (rsp_shared_new(&o->other.target, &o->shared))
		abort();
	o->directory = (struct rsp_directory){ .closure = o,
					       .id = FAKE_OWN_ID,
					       .multiprocess = several,
					       .enter = enter,
					       .leave = leave,
					       .beside = several ? beside : NULL };
}

void fake_others_free(struct fake_others *o)
{
	if (o->entered)
		abort();
	rsp_shared_free(o->shared);
	fake_free(&o->other);
}
