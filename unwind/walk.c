// SPDX-License-Identifier: GPL-2.0-or-later
#include "unwind/walk.h"

#include <inttypes.h>
#include <string.h>

#include "arch/address.h"
#include "base/bytes.h"
#include "base/err.h"

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

bool walk_is_code(const struct walk *w, uint64_t pc)
{
	uint64_t function;
	return w->source->is_text(w->source->self, pc, &function);
}

bool walk_may_be_code(const struct walk *w, uint64_t pc)
{
	unsigned char byte;
	if (!is_kernel_address(pc))
		return false;
	struct err *e = w->source->read(w->source->self, pc, &byte, sizeof(byte));
	err_free(e);
	return !e;
}

bool walk_on_stack(const struct walk *w, uint64_t address, uint64_t len)
{
	return address >= walk_sp(w) && address <= w->stack.high && len <= w->stack.high - address;
}

bool walk_on_other_stack(const struct walk *w, uint64_t address, uint64_t len)
{
	struct unwind_stack stack;
	if (address >= w->stack.low && address < w->stack.high)
		return walk_on_stack(w, address, len);
	return w->source->stack(w->source->self, address, &stack) && address >= stack.low &&
	       address < stack.high && len <= stack.high - address;
}

void walk_saved(struct frame *caller, unsigned n, uint64_t value, uint64_t address)
{
	regs_set(&caller->regs, n, value);
	caller->saved[n] = address;
	caller->saved_known |= UINT32_C(1) << n;
}

bool walk_restore(struct walk *w, struct frame *caller, unsigned n, uint64_t address)
{
	uint64_t value;
	if (!walk_word(w, address, &value))
		return false;
	walk_saved(caller, n, value, address);
	return true;
}

void walk_keep(const struct walk *w, struct frame *caller, unsigned n)
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
