// SPDX-License-Identifier: GPL-2.0-or-later
/* What the strategies of x86-64 share. */
#include <inttypes.h>
#include <string.h>

#include "arch/x86_64/unwind/steps.h"
#include "base/bytes.h"
#include "base/err.h"

_Static_assert(PT_REGS_BYTES == 8 * PT_REGS_WORDS, "pt_regs is whole");

const struct x86_asks *walk_asks(const struct walk *w)
{
	static const struct x86_asks nobody = { 0 };
	return w->source->asks ? w->source->asks : &nobody;
}

bool walk_restore_pt_regs(struct walk *w, struct frame *caller, uint64_t address, unsigned first)
{
	unsigned char image[PT_REGS_BYTES];
	uint64_t start = address + 8 * first;
	struct err *e = w->source->read(w->source->self, start, image, PT_REGS_BYTES - 8 * first);
	if (e) {
		walk_note(w, "read pt_regs at 0x%" PRIx64 ": %s", address, err_msg(e));
		err_free(e);
		return false;
	}
	for (unsigned i = first; i < PT_REGS_WORDS; i++) {
		enum reg n = pt_regs_order[i];
		uint64_t word = get_u64(image + 8 * (i - first));
		walk_saved(caller, n, pt_regs_value(n, word), address + 8 * i);
	}
	return true;
}

bool walk_decode(struct walk *w, uint64_t pc, unsigned char code[DECODE_MAX], struct decoded *ret)
{
	enum { PAGE = 4096 };
	/* The page that follows may not be there. */
	const uint64_t in_page = PAGE - pc % PAGE;
	const size_t sizes[] = { DECODE_MAX, in_page < DECODE_MAX ? (size_t)in_page : DECODE_MAX };
	memset(code, 0, DECODE_MAX);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct err *e = w->source->read(w->source->self, pc, code, sizes[i]);
		bool read = !e;
		err_free(e);
		if (read)
			return decode(code, sizes[i], pc, ret);
	}
	return false;
}
