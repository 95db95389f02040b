// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/context_places.h"

#include "arch/address.h"
#include "unwind/unwind.h"

/* THREAD_SIZE with KASAN, the largest stack that x86-64 has: two frames further apart than that
 * are on two stacks. */
enum { STACK_MAX = 1 << 15 };
/* Between the function that changes stacks and the pt_regs lies the entry's assembly at most. */
enum { ENTRY_FRAMES = 2 };

/* Whether frames n - 1 and n of @f are on two stacks of the kernel. */
static bool changes_stack(const struct frames *f, size_t n)
{
	const struct regs *inner = &f->list[n - 1].regs, *outer = &f->list[n].regs;
	if (!regs_sp_known(inner) || !regs_sp_known(outer) || !is_kernel_address(regs_sp(outer)))
		return false;
	/* The caller's end of a stack is the higher one. */
	return regs_sp(outer) - regs_sp(inner) > STACK_MAX;
}

/* Whether a pt_regs comes so soon behind frame @n that this is how an entry begins. */
static bool is_entry(const struct frames *f, size_t n)
{
	for (size_t i = n + 1; i < f->count && i <= n + ENTRY_FRAMES; i++) {
		if (f->list[i].how == HOW_REGS)
			return true;
	}
	return false;
}

size_t context_places_find(const struct frames *f, struct context_place *places)
{
	size_t begin = 0, count = 0; /* the first frame since the last pt_regs */
	bool changed = false;
	for (size_t n = 1; n < f->count && count < CONTEXT_PLACES_MAX; n++) {
		if (f->list[n].how == HOW_REGS) {
			size_t by = n >= begin + ENTRY_FRAMES ? n - ENTRY_FRAMES : begin;
			if (frame_mode(&f->list[n]) == FRAME_KERNEL || changed)
				places[count++] = (struct context_place){ n, by, false };
			begin = n;
			changed = false;
		} else if (changes_stack(f, n)) {
			changed = true;
			if (!is_entry(f, n))
				places[count++] = (struct context_place){ n, n - 1, true };
		}
	}
	return count;
}
