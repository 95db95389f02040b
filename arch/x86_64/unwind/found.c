// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The last resort for a function that the kernel has ORC tables for and that they leave out
 * (STACK_FRAME_NON_STANDARD: __crash_kexec() is one): its caller is looked for on the stack.
 * Believed is the nearest return address behind a call of this very function; only rip and rsp are
 * then known.
 */
#include "arch/x86_64/unwind/steps.h"

#include "base/bytes.h"
#include "base/err.h"

enum { CALL_REL32 = 0xe8, CALL_BYTES = 5, WORDS_MAX = 512 };

bool walk_returns_from(const struct walk *w, uint64_t address, uint64_t function)
{
	const struct unwind_source *s = w->source;
	unsigned char code[CALL_BYTES];
	uint64_t caller;
	if (address < CALL_BYTES || !s->is_text(s->self, address - 1, &caller))
		return false;
	struct err *e = s->read(s->self, address - CALL_BYTES, code, sizeof(code));
	bool calls = !e && code[0] == CALL_REL32 &&
		     address + (uint64_t)(int32_t)get_u32(code + 1) == function;
	err_free(e);
	return calls;
}

enum step found_step(struct walk *w, struct frame *ret)
{
	struct frame caller = { .how = HOW_FOUND };
	uint64_t function, word, slot = (walk_reg(w, REG_RSP) + 7) & ~UINT64_C(7);
	if (!w->source->is_text(w->source->self, w->pc, &function) || !function)
		return STEP_NONE;
	for (unsigned i = 0; i < WORDS_MAX && walk_on_stack(w, slot, 8); i++, slot += 8) {
		if (!walk_word(w, slot, &word))
			return STEP_NONE;
		if (!walk_returns_from(w, word, function))
			continue;
		if (!walk_restore(w, &caller, REG_RIP, slot))
			return STEP_NONE;
		regs_set(&caller.regs, REG_RSP, slot + 8);
		w->cfa = slot + 8;
		*ret = caller;
		return STEP_CALLER;
	}
	walk_note(w, "no return address behind a call of this function is on the stack");
	return STEP_NONE;
}
