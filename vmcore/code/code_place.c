// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/code_place.h"

#include <inttypes.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/printable.h"
#include "base/regs.h"
#include "unwind/unwind.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/modules.h"

static uint64_t code_address(uint64_t pc, bool exact)
{
	return exact || !pc ? pc : pc - 1;
}

uint64_t frame_code_address(const struct frame *f)
{
	return code_address(regs_pc(&f->regs), f->interrupted || f->is_trampoline);
}

struct code_place code_place_find(struct code_map *c, uint64_t pc, bool exact)
{
	uint64_t at = code_address(pc, exact);
	struct code_place p = { .module = code_map_module(c, at) };
	if (code_map_symbol(c, at, &p.symbol)) {
		p.kind = PLACE_NAMED;
		p.offset = pc - p.symbol.address;
	} else if (p.module) {
		p.kind = PLACE_NAMELESS;
	} else if (code_map_is_code(c, pc)) {
		p.kind = code_map_knows_modules(c) ? PLACE_MADE : PLACE_UNLISTED;
	}
	return p;
}

struct code_place code_place_of_frame(struct code_map *c, const struct frame *f)
{
	if (frame_mode(f) == FRAME_USER)
		return (struct code_place){ .kind = PLACE_USER };
	return code_place_find(c, regs_pc(&f->regs), f->interrupted || f->is_trampoline);
}

void add_code_place(const struct code_place *p, struct buf *out)
{
	static const char *const words[] = {
		[PLACE_NOWHERE] = "(no known code)",
		[PLACE_NAMELESS] = "(no symbol)",
		[PLACE_MADE] = "(code made at run time: no symbol)",
		[PLACE_UNLISTED] = "(outside the image, and which modules there are is not known)",
		[PLACE_USER] = "(user mode)",
	};
	if (p->kind == PLACE_NAMED) {
		add_printable(out, p->symbol.name);
		buf_addf(out, "+0x%" PRIx64, p->offset);
	} else {
		buf_addstr(out, words[p->kind]);
	}
	if (p->module) {
		buf_addstr(out, " [");
		add_printable(out, p->module->name);
		buf_addch(out, ']');
	}
}
