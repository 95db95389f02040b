/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A loop of calls that are there only to fill the CPU's return stack buffer, as the kernel runs
 * after a guest has left and in a task switch (__FILL_RETURN_BUFFER in
 * arch/x86/include/asm/nospec-branch.h, 4.15 to 6.0): each call pushes a word and goes to the next
 * one, and no word is taken off again within the loop. Private to unwind/.
 */
#ifndef ARCH_X86_64_UNWIND_CODE_FILL_H
#define ARCH_X86_64_UNWIND_CODE_FILL_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/unwind/code_state.h"
#include "arch/x86_64/unwind/decode.h"

struct code_fill {
	uint64_t end;	 /* where it goes on behind the loop */
	uint8_t calls;	 /* that a round makes */
	uint8_t counter; /* the register (enum reg) that counts the rounds down to 0 */
};

/* The instruction at @pc, within the same function; false if there is none. */
typedef bool code_fill_decode(void *self, uint64_t pc, struct decoded *ret);

/* Whether such a loop begins with the call at @pc, and nothing else can be in it. Bounded. */
bool code_fill_at(code_fill_decode *at, void *self, uint64_t pc, struct code_fill *ret);

/* From the loop's beginning, the first time that it is come to, to behind it. How many rounds there
 * are must be known; if it is not, rsp is not either. */
void code_fill_apply(const struct code_fill *f, struct code_state *s);

#endif
