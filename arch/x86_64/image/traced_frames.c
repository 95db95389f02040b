// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/image/traced_frames.h"

#include <stdlib.h>

#include "arch/x86_64/image/cfi_writer.h"
#include "base/err.h"
#include "vmcore/code/traced_returns.h"
#include "vmcore/dump/dump.h"
#include "vmcore/image/image.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/tasks.h"

struct returns {
	struct cfi_return list[CFI_RETURNS_MAX];
	size_t count;
};

static struct err *read_all(const struct image_source *source, const struct traced_layout *layout,
			    struct returns *r)
{
	const struct tasks *tasks = source->tasks;
	for (size_t t = 0; tasks && t < tasks->count; t++) {
		struct traced_returns of_task;
		struct err *e =
			traced_returns_read(source->k, layout, tasks->list[t].address, &of_task);
		if (e)
			return e;
		for (size_t i = 0; i < of_task.count && r->count < CFI_RETURNS_MAX; i++)
			r->list[r->count++] = (struct cfi_return){ of_task.list[i].slot,
								   of_task.list[i].address };
		traced_returns_free(&of_task);
	}
	return NULL;
}

struct err *traced_frames_add(const struct image_source *source, struct cfi_writer *w)
{
	struct traced_layout layout;
	traced_layout_find(source->k, &layout);
	if (!layout.trampoline_count)
		return NULL;
	struct returns *r = calloc(1, sizeof(*r));
	if (!r)
		return err_nomem();
	struct err *e = NULL;
	if (!dump_info(kernel_dump(source->k))->running)
		e = read_all(source, &layout, r);
	for (size_t i = 0; !e && i < layout.trampoline_count; i++)
		e = cfi_writer_traced(w, layout.trampolines[i], r->list, r->count);
	free(r);
	return e;
}
