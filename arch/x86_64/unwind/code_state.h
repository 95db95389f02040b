/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is certain, before an instruction of a function, of its registers and its stack: as
 * distances from the CFA (what rsp was before the call), and where what the caller had in its
 * registers is. Private to unwind/.
 */
#ifndef ARCH_X86_64_UNWIND_CODE_STATE_H
#define ARCH_X86_64_UNWIND_CODE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "arch/x86_64/unwind/decode.h"

enum value_kind {
	VALUE_UNKNOWN,
	VALUE_CFA,     /* the CFA + n */
	VALUE_ALIGNED, /* what rsp was once it had been rounded down, + n */
	VALUE_APART,   /* a place where the stack's pointer was stored, on another stack, + n */
	VALUE_CALLERS, /* what register n holds in the caller */
	VALUE_RETURN,  /* the return address */
	VALUE_NUMBER,  /* n */
	VALUE_TABLE,   /* one of the words of eight bytes from n on */
};

struct value {
	uint32_t kind; /* enum value_kind */
	int32_t n;
};

/* Eight bytes of the stack, at the place that is @kind's + n. */
struct slot {
	struct value at, value;
};

enum { SLOTS_MAX = 24 };

struct code_state {
	struct value regs[GPR_COUNT];
	int32_t apart_by; /* the displacement by which rsp was stored apart; 0: none */
	bool weak;	  /* it comes from a trap that may never have gone on */
	unsigned slot_count;
	struct slot slots[SLOTS_MAX]; /* the last member: code_state_copy() */
};

/* Of the slots, those that there are. */
static inline void code_state_copy(struct code_state *to, const struct code_state *from)
{
	memcpy(to, from,
	       offsetof(struct code_state, slots) + from->slot_count * sizeof(*from->slots));
}

/* Where a function begins. */
void code_state_begin(struct code_state *s);

/* Nothing is known. */
void code_state_forget(struct code_state *s);

/* What an instruction does, but for where it goes: a call has come back. */
void code_state_apply(struct code_state *s, const struct decoded *d);

/* The same for a call of the same function's inner parts that does not come back here, but goes to
 * its target with a return address pushed. */
void code_state_push(struct code_state *s);

/* As many words pushed that nobody knows; negative: nobody knows how many. */
void code_state_pushed(struct code_state *s, int words);

/*
 * What holds in both, in *into. False if that is no less than before. A weak state that has rsp
 * elsewhere than a strong one is of a path that is never taken, and changes nothing.
 */
bool code_state_join(struct code_state *into, const struct code_state *from);

/* The word at @place + @by; VALUE_UNKNOWN if it is not known. */
struct value code_state_load(const struct code_state *s, struct value place, int64_t by);

/* Where in the stack the caller's @reg is, in the place that is nearest to the CFA; false if it is
 * nowhere. */
bool code_state_find(const struct code_state *s, struct value value, struct value *ret_at);

static inline bool value_is(struct value a, enum value_kind kind, int32_t n)
{
	return a.kind == (uint32_t)kind && a.n == n;
}

static inline bool value_equal(struct value a, struct value b)
{
	return a.kind == b.kind && a.n == b.n;
}

/* Whether it is an address on the stack. */
static inline bool value_is_place(struct value v)
{
	return v.kind == VALUE_CFA || v.kind == VALUE_ALIGNED || v.kind == VALUE_APART;
}

#endif
