// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/vmcore_objects.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "vmcore/kernel/objects/slab.h"
#include "vmcore/vmcore.h"

void vmcore_objects_free(struct vmcore_objects *o)
{
	slabs_free(o->slabs);
	free(o->why_pages);
	free(o->why_slabs);
	*o = (struct vmcore_objects){ 0 };
}

static void find(struct vmcore *h, struct vmcore_objects *o)
{
	vmcore_objects_free(o);
	struct err *e = page_map_open(h->kernel, &o->pages);
	o->has_pages = !e;
	if (e) {
		o->why_pages = strdup(err_msg(e));
		o->why_slabs = strdup(err_msg(e));
	} else {
		e = slabs_new(h->kernel, &o->pages, &h->cpus, &o->slabs);
		if (e)
			o->why_slabs = strdup(err_msg(e));
	}
	/* What memory being out has to say is not kept. */
	o->tried = !e || err_code(e) != ERR_NOMEM;
	err_free(e);
	o->epoch = h->epoch;
}

static struct vmcore_objects *objects(struct vmcore *h)
{
	struct vmcore_objects *o = &h->objects;
	if (!o->tried || o->epoch != h->epoch)
		find(h, o);
	return o;
}

static void say_why(const char *why, const char **ret_why)
{
	if (ret_why)
		*ret_why = why ? why : "out of memory";
}

const struct page_map *vmcore_pages(struct vmcore *h, const char **ret_why)
{
	struct vmcore_objects *o = objects(h);
	if (o->has_pages)
		return &o->pages;
	say_why(o->why_pages, ret_why);
	return NULL;
}

struct slabs *vmcore_slabs(struct vmcore *h, const char **ret_why)
{
	struct vmcore_objects *o = objects(h);
	if (!o->slabs)
		say_why(o->why_slabs, ret_why);
	return o->slabs;
}

bool vmcore_slab_object(struct vmcore *h, uint64_t address, struct slab_object *ret)
{
	bool found = false;
	struct slabs *slabs = vmcore_slabs(h, NULL);
	struct err *e = slabs ? slabs_find(slabs, address, &found, ret) : NULL;
	bool ok = !e && found;
	err_free(e);
	return ok;
}
