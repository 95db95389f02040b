// SPDX-License-Identifier: GPL-2.0-or-later
/* A machine of QEMU's as a source. */
#include "base/err.h"
#include "base/log.h"
#include "vmcore/dump/source.h"
#include "vmcore/live/qmp_machine.h"
#include "vmcore/live/sources.h"

static struct page_source pages(void *self)
{
	return qmp_machine_pages(self);
}

static struct err *notes(void *self, struct notes *notes)
{
	return qmp_machine_registers(self, notes);
}

static enum dump_change look(void *self, struct dump_info *info)
{
	struct qmp_look seen = { .changed = true, .running = true };
	struct err *e = qmp_machine_look(self, &seen);
	qmp_machine_count(self, info);
	/* Reading says it, too. */
	if (e)
		log_debug(LOG_MEMORY, "%s", err_msg(e));
	err_free(e);
	bool was_running = info->running;
	info->running = seen.running;
	if (was_running != seen.running || (!seen.running && seen.switched))
		return DUMP_SWITCHED;
	return seen.changed ? DUMP_CHANGED : DUMP_SAME;
}

static bool still(void *self)
{
	return qmp_machine_is_still(self);
}

static void close_source(void *self)
{
	qmp_machine_close(self);
}

static const struct source_ops ops = {
	.pages = pages,
	.notes = notes,
	.look = look,
	.still = still,
	.close = close_source,
};

struct err *qmp_source_open(const char *path, struct dump_parts *parts, const char **ret_about)
{
	struct qmp_machine *m = NULL;
	struct err *e = qmp_machine_open(path, &parts->notes, &parts->info, &m);
	if (e)
		return e;
	parts->ops = &ops;
	parts->self = m;
	*ret_about = qmp_machine_about(m);
	return NULL;
}
