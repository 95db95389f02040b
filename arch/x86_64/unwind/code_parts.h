/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of functions that no symbol names: compilers move what is seldom reached out of a
 * function's way, and gcc 5 to 7 gave it no name. It lies behind a function that it has nothing to
 * do with, and would be taken for what a call at that function's end comes back to. What tells is
 * that another function jumps there.
 */
#ifndef ARCH_X86_64_UNWIND_CODE_PARTS_H
#define ARCH_X86_64_UNWIND_CODE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct code_source;
struct code_symbol;
struct err;

struct code_part {
	uint64_t start;
	uint64_t function; /* where the function begins that jumps there */
};

/* Zeros to begin with. */
struct code_parts {
	struct code_part *list; /* owned; ascending once code_parts_sort() was called */
	size_t count, capacity;
};

/*
 * Adds the places in [@low, @high) that jumps in there lead to from another function of those that
 * @source->symbol tells, unless that begins there. What no symbol covers is no function.
 * Instructions are not told from what only looks like one: there may be some too many, never one
 * too few. What cannot be read is passed over; an error only when memory is out.
 */
__attribute__((warn_unused_result)) struct err *code_parts_scan(const struct code_source *source,
								uint64_t low, uint64_t high,
								struct code_parts *parts);
void code_parts_sort(struct code_parts *parts);
void code_parts_free(struct code_parts *parts);

/* How many begin at or below @address. */
size_t code_parts_upto(const struct code_parts *parts, uint64_t address);

/* Leaves of @symbol, which covers @address, the part that @address is in, or what is before the
 * first of its parts. */
void code_parts_cut(const struct code_parts *parts, uint64_t address, struct code_symbol *symbol);

#endif
