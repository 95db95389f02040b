/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The paths through a function: its instructions, how they lead to one another, and the state in
 * which all paths to a place arrive there. Private to unwind/.
 */
#ifndef ARCH_X86_64_UNWIND_CODE_PATHS_H
#define ARCH_X86_64_UNWIND_CODE_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/unwind/code_fill.h"
#include "arch/x86_64/unwind/code_state.h"
#include "arch/x86_64/unwind/code_table.h"
#include "arch/x86_64/unwind/decode.h"
#include "base/map.h"

enum { CODE_OPS_MAX = 32768, CODE_NONE = -1, CODE_NO_RULES = 0xffff, CODE_WINDOW_BYTES = 1024 };

/* What a direct jump, branch or call means. */
enum edge {
	EDGE_NONE,   /* nothing that is followed */
	EDGE_INSIDE, /* the same function goes on there */
	EDGE_TAIL,   /* another function begins there, in this one's place */
	EDGE_THUNK,  /* a jump by a register */
};

struct op {
	uint64_t pc;
	struct decoded d;
	int next, target;      /* ops, or CODE_NONE */
	int also;	       /* where the source says that it may lead to */
	int state;	       /* of a leader, in builder.states, or CODE_NONE */
	int first_edge, edges; /* where a table leads, in builder.edges */
	uint8_t edge;	       /* enum edge */
	uint8_t thunk;	       /* the register, of EDGE_THUNK */
	bool leader;	       /* paths meet there */
	bool follows;	       /* an instruction goes on there */
	bool waits;	       /* its state has changed */
	bool unresolved;       /* a jump to nobody knows where */
	bool fills;	       /* a loop begins here that is taken as one, and leads to target */
	struct code_fill fill; /* that loop */
	uint16_t rules;	       /* CODE_NO_RULES */
};

struct code_paths {
	const struct code_source *source;
	struct code_symbol own;
	struct op *ops;
	int op_count, op_capacity;
	/* Where the instruction at a pc is among ops: of those of the function's own range, unless
	 * it is a very long one, by their distance from its beginning, plus one (0: nowhere). */
	int *own_ops;
	size_t own_bytes;
	struct map index; /* pc to op, of the others */
	struct code_state *states;
	int state_count, state_capacity;
	int *edges;
	int edge_count, edge_capacity;
	/* Ops to be looked at, and leaders whose states have changed; as many at most as there are
	 * ops. */
	int *todo, *waiting;
	int todo_count, waiting_count;
	struct code_rules *rules;
	int rule_count, rule_capacity;
	unsigned char window[CODE_WINDOW_BYTES];
	uint64_t window_start;
	size_t window_len;
	bool no_memory, too_much; /* why it is not whole */
	bool again;		  /* paths meet where they did not before */
};

/* From own.start along all paths; source and own must be set. Afterwards no_memory or too_much may
 * be set, and what is there is then only part of it. */
void code_paths_follow(struct code_paths *b);
void code_paths_free(struct code_paths *b);

/* A call that pushes its address for a jump within the function, such as a retpoline is. */
bool code_is_inner_call(const struct code_paths *b, const struct op *op);

/* Whether control leaves the instruction for the next one, as far as is known, with what
 * code_state_apply() makes of the state. */
bool code_goes_on(const struct code_paths *b, const struct op *op);

static inline bool code_paths_failed(const struct code_paths *b)
{
	return b->no_memory || b->too_much;
}

/* @array with room for one more than @count, wherever it is now; NULL, and @array is as it was, if
 * that would be more than @max or memory is out. */
void *code_paths_grow(struct code_paths *b, void *array, int count, int *capacity, int max,
		      size_t size);

#endif
