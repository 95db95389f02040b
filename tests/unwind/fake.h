/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An unwind_source whose every answer a test lays down. */
#ifndef TESTS_UNWIND_FAKE_H
#define TESTS_UNWIND_FAKE_H

#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/unwind/asks.h"
#include "arch/x86_64/unwind/code_table.h"
#include "arch/x86_64/unwind/orc.h"
#include "arch/x86_64/unwind/x86_64.h"
#include "unwind/unwind.h"

enum { FAKE_MAX = 16 };

struct fake {
	struct {
		uint64_t address;
		const void *bytes;
		size_t len;
	} memory[FAKE_MAX];
	struct {
		uint64_t start, end;
	} text[FAKE_MAX];
	struct {
		uint64_t start, end;
		struct orc_entry entry;
	} orc[FAKE_MAX];
	struct unwind_stack stacks[FAKE_MAX];
	uint64_t keeps_start, keeps_end;   /* code that keeps callee-saved registers */
	uint64_t enters_start, enters_end; /* code that enters a guest */
	struct guest_entry entry;	   /* what it is; without a function it begins there */
	uint64_t drops_start, drops_end, kept_at; /* code that keeps the user's rsp elsewhere */
	uint64_t handler_start, handler_end;	  /* code that calls a handler of this kind */
	enum unwind_handler handler;
	uint64_t thunk;		       /* a function that jumps by rax */
	bool follows;		       /* code is followed, function by function */
	uint64_t part, parent;	       /* a part of a function, and which */
	uint64_t returns;	       /* a function that returns are made to jump to */
	uint64_t edge_start, edge_end; /* entry code */
	struct entry_edge edge;
	uint64_t trampoline;		     /* a tracer's; 0: none */
	uint64_t traced_slot, traced_return; /* where it lies, and what was there before */
	struct Dwarf_CFI_s *cfi;
	uint64_t bias;
	size_t memory_count, text_count, orc_count, stack_count;
};

void fake_memory(struct fake *f, uint64_t address, const void *bytes, size_t len);
void fake_text(struct fake *f, uint64_t start, uint64_t len);
void fake_orc(struct fake *f, uint64_t start, uint64_t len, struct orc_entry entry);
void fake_stack(struct fake *f, uint64_t low, uint64_t high, const char *name);

/* Both borrow @f. */
struct code_source fake_code(struct fake *f);
struct unwind_source fake_source(struct fake *f);

#endif
