/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of kdump-compressed dumps, held against what libkdumpfile reads of the same files. */
#ifndef TESTS_MEMORY_KDUMP_ORACLE_H
#define TESTS_MEMORY_KDUMP_ORACLE_H

#include <stddef.h>
#include <stdint.h>

struct err;

struct kdump_oracle {
	uint64_t equal;	 /* pages that are the same */
	uint64_t absent; /* page frames that neither has */
};

/*
 * Compares every @step-th page frame of the dump in the @count files, flattened or not, and the one
 * behind each, and where the pages lie that are the next ones. An error says where they differ.
 */
struct err *kdump_oracle_compare(const char *const *paths, size_t count, uint64_t step,
				 struct kdump_oracle *ret);

#endif
