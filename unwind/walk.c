// SPDX-License-Identifier: GPL-2.0-or-later
#include "unwind/walk.h"

#include <inttypes.h>
#include <string.h>

#include "arch/x86_64/unwind/decode.h"
#include "arch/x86_64/unwind/pt_regs.h"
#include "base/bytes.h"
#include "base/err.h"

_Static_assert(PT_REGS_BYTES == 8 * PT_REGS_WORDS, "pt_regs is whole");

void walk_note(struct walk *w, const char *fmt, ...)
{
	va_list ap;
	if (w->why.len)
		buf_addstr(&w->why, "; ");
	va_start(ap, fmt);
	buf_vaddf(&w->why, fmt, ap);
	va_end(ap);
}

bool walk_word(struct walk *w, uint64_t address, uint64_t *ret)
{
	unsigned char bytes[8];
	struct err *e = w->source->read(w->source->self, address, bytes, sizeof(bytes));
	if (e) {
		walk_note(w, "read 0x%" PRIx64 ": %s", address, err_msg(e));
		err_free(e);
		return false;
	}
	*ret = get_u64(bytes);
	return true;
}

bool walk_on_stack(const struct walk *w, uint64_t address, uint64_t len)
{
	return address >= walk_reg(w, REG_RSP) && address <= w->stack.high &&
	       len <= w->stack.high - address;
}

bool walk_on_other_stack(const struct walk *w, uint64_t address, uint64_t len)
{
	struct unwind_stack stack;
	if (address >= w->stack.low && address < w->stack.high)
		return walk_on_stack(w, address, len);
	return w->source->stack(w->source->self, address, &stack) && address >= stack.low &&
	       address < stack.high && len <= stack.high - address;
}

static void set_saved(struct frame *caller, enum reg n, uint64_t value, uint64_t address)
{
	regs_set(&caller->regs, n, value);
	caller->saved[n] = address;
	caller->saved_known |= UINT32_C(1) << n;
}

bool walk_restore(struct walk *w, struct frame *caller, enum reg n, uint64_t address)
{
	uint64_t value;
	if (!walk_word(w, address, &value))
		return false;
	set_saved(caller, n, value, address);
	return true;
}

void walk_keep(const struct walk *w, struct frame *caller, enum reg n)
{
	const struct frame *from = w->frame;
	if (!regs_known(&from->regs, n))
		return;
	regs_set(&caller->regs, n, from->regs.value[n]);
	if (from->saved_known >> n & 1) {
		caller->saved[n] = from->saved[n];
		caller->saved_known |= UINT32_C(1) << n;
	}
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
		set_saved(caller, n, pt_regs_value(n, word), address + 8 * i);
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
