// SPDX-License-Identifier: GPL-2.0-or-later
/* kallsyms out of a dump's virtual memory; a file of its own, for the decoder needs no dump. */
#include "base/err.h"
#include "vmcore/memory/memory.h"
#include "vmcore/names/kallsyms.h"
#include "vmcore/names/symbols.h"

struct source {
	struct memory *memory;
	const struct vspace *space;
};

static struct err *read_virtual(void *self, uint64_t address, void *out, size_t len,
				size_t *ret_done)
{
	const struct source *s = self;
	return memory_read(s->memory, s->space, address, out, len, ret_done);
}

struct err *symbols_from_kallsyms(struct memory *m, const struct vspace *space,
				  const struct vmcoreinfo *info, struct symbols **ret)
{
	struct source source = { m, space };
	struct kallsyms_memory memory = { &source, read_virtual };
	return kallsyms_read(&memory, info, ret);
}
