// SPDX-License-Identifier: GPL-2.0-or-later
/* /dev/mem and the like as a source. */
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "vmcore/dump/source.h"
#include "vmcore/live/iomem.h"
#include "vmcore/live/live.h"
#include "vmcore/live/sources.h"

struct device {
	struct iomem iomem;
	struct mem_device *memory; /* owned */
};

static struct page_source pages(void *self)
{
	struct device *d = self;
	return mem_device_pages(d->memory);
}

static void renew(void *self, struct dump_info *info)
{
	struct device *d = self;
	iomem_looked(&d->iomem);
	struct err *e = iomem_renew(&d->iomem);
	/* The ranges of before have to do; reading will show it. */
	if (e)
		log_debug(LOG_MEMORY, "which memory there is: %s", err_msg(e));
	else
		mem_device_count(d->memory, info);
	err_free(e);
}

static enum dump_change look(void *self, struct dump_info *info)
{
	struct device *d = self;
	if (iomem_is_old(&d->iomem))
		renew(self, info);
	return DUMP_CHANGED;
}

static void close_source(void *self)
{
	struct device *d = self;
	mem_device_close(d->memory);
	iomem_close(&d->iomem);
	free(d);
}

static const struct source_ops ops = {
	.pages = pages,
	.look = look,
	.renew = renew,
	.close = close_source,
};

struct err *device_source_open(const struct live_paths *paths, const char *path,
			       struct dump_parts *parts)
{
	struct device *d = calloc(1, sizeof(*d));
	if (!d)
		return err_nomem();
	struct err *e = iomem_open(paths->iomem, &d->iomem);
	if (!e)
		e = mem_device_open(paths, path, &d->iomem, &parts->info, &d->memory);
	if (e) {
		close_source(d);
		return e;
	}
	iomem_looked(&d->iomem);
	parts->ops = &ops;
	parts->self = d;
	return NULL;
}
