/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the instructions of the kernel's and its modules' functions say
 * (arch/x86_64/unwind/code_table.h), from the dump's memory, kept for each function that was asked
 * for. */
#ifndef ARCH_X86_64_CODE_CODE_TABLES_H
#define ARCH_X86_64_CODE_CODE_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/unwind/code_table.h"

struct code_map;
struct code_tables;
struct err;
struct kernel;

/* Reads nothing yet. Both are borrowed and must outlive the result. */
__attribute__((warn_unused_result)) struct err *
code_tables_new(const struct kernel *k, struct code_map *code, struct code_tables **ret);
void code_tables_free(struct code_tables *t);

/*
 * What holds before the instruction at @pc, if @exact, or in the call that returns to @pc, and
 * where the function begins of which that is a part. False if nothing is known, or memory is out.
 */
bool code_tables_find(struct code_tables *t, uint64_t pc, bool exact, struct code_rules *ret,
		      uint64_t *ret_function);

/* Whether @name is what compilers call a part that they moved out of its function's way. */
bool code_tables_is_part(const char *name);

/* Instructions in a row of which the same is known. */
struct code_span {
	uint64_t start, end; /* [start, end) */
	struct code_rules rules;
};

struct code_spans {
	struct code_span *list; /* owned; in the order of their addresses, none over another */
	size_t count, capacity;
};

/*
 * What holds in the function that lies at [@low, @high), also where no symbol says so, in *spans,
 * whose old content it takes the place of. Nothing is in it where nothing is known. An error only
 * when memory is out.
 */
__attribute__((warn_unused_result)) struct err *
code_tables_spans(struct code_tables *t, uint64_t low, uint64_t high, struct code_spans *spans);

#endif
