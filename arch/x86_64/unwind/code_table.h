/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a function's caller and its registers are, by following the function's instructions from
 * its beginning along every path: what pushes, subtractions and stores of registers do, and what
 * holds on all paths where they meet. An instruction that is reached by no path, or of which paths
 * say different things, has unknown registers: never wrong ones.
 */
#ifndef ARCH_X86_64_UNWIND_CODE_TABLE_H
#define ARCH_X86_64_UNWIND_CODE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/base/regs.h"

struct code_table;
struct err;

enum code_kind {
	CODE_FUNCTION,
	CODE_PART,   /* of a function, elsewhere: jumped to, not called */
	CODE_RETURN, /* what returns are made to jump to */
	CODE_THUNK,  /* a jump by the register reg, which others jump to or call */
};

struct code_symbol {
	uint64_t start, end;
	enum code_kind kind;
	enum reg reg; /* of CODE_THUNK */
};

struct code_source {
	void *self;
	/* All or nothing. The error is the caller's. */
	struct err *(*read)(void *self, uint64_t address, void *out, size_t len);
	/* What covers @address; false if that is no code. */
	bool (*symbol)(void *self, uint64_t address, struct code_symbol *ret);
	/* Where the instruction at @pc may lead to as well: a branch that is not taken now, or what
	 * goes on after a fault. May be NULL: nowhere. */
	bool (*leads_to)(void *self, uint64_t pc, uint64_t *ret_target);
};

/* The registers that a callee keeps, in the order of struct code_rules. */
enum { CODE_KEPT = 6 };
extern const enum reg code_kept[CODE_KEPT];

enum code_base { CODE_NOWHERE, CODE_AT_CFA, CODE_AT_RSP, CODE_AT_RBP };

struct code_place {
	enum code_base base;
	int32_t offset;
};

/*
 * What is known before an instruction. CFA: what rsp was before the call; the return address is the
 * word below it. Each way to find it that is given holds.
 */
struct code_rules {
	bool by_rsp, by_rbp; /* CFA = rsp + rsp_offset, rbp + rbp_offset */
	int32_t rsp_offset, rbp_offset;
	bool rbp_relative; /* rbp = rsp + rbp_distance */
	int32_t rbp_distance;
	struct code_place cfa_at; /* CFA = the word there (not CODE_AT_CFA) + cfa_add */
	int32_t cfa_add;
	/* The caller's code_kept[i] is in the register still (bit i), and in memory at saved[i];
	 * both hold, where both are given. */
	uint32_t in_register;
	struct code_place saved[CODE_KEPT];
};

/*
 * Until 4.9 the switch_to() macro pushes flags and rbp, and pops them when the task goes on. The
 * registers of one that was switched out are told as if that had been done (switch.h), at an
 * instruction before it: of such an instruction, whose rules are @r, what holds behind the pops.
 * False if it cannot be one.
 */
bool code_rules_behind_switch(const struct code_rules *r, struct code_rules *ret);

/*
 * Of the function that begins at @function, freed with code_table_free(). An error only when memory
 * is out; a function that cannot be read or is too large has an empty table. Bounded: 32,768
 * instructions.
 */
__attribute__((warn_unused_result)) struct err *
code_table_new(const struct code_source *source, uint64_t function, struct code_table **ret);
void code_table_free(struct code_table *t);

/* Before the instruction at @pc; false if no path leads there, or the CFA is not known. */
bool code_table_at(const struct code_table *t, uint64_t pc, struct code_rules *ret);

/* In the call that returns to @address; false as above, or if there is no call. */
bool code_table_call(const struct code_table *t, uint64_t address, struct code_rules *ret);

/* The instructions of which something is known, in the order of their addresses; instructions may
 * overlap in hostile code alone. */
struct code_row {
	uint64_t start, end;		/* [start, end) */
	const struct code_rules *rules; /* borrowed; NULL: of the registers, nothing */
};

/* How many there are that begin below @pc. */
size_t code_table_rows_before(const struct code_table *t, uint64_t pc);

/* The one of number @i; false if there are not so many. */
bool code_table_row(const struct code_table *t, size_t i, struct code_row *ret);

/* Bytes of memory that it takes. */
size_t code_table_bytes(const struct code_table *t);

#endif
