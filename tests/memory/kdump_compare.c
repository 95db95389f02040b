// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether the pages of a kdump-compressed dump are what libkdumpfile reads of it:
 *
 *	kdump_compare [--step N] FILE...
 *
 * The files are one dump, or the pieces of a split one. With --step only every N-th page and the
 *one behind it are compared.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tests/memory/kdump_oracle.h"

int main(int argc, char **argv)
{
	struct kdump_oracle result = { 0 };
	uint64_t step = 1;
	int first = 1;
	if (argc > 2 && strcmp(argv[1], "--step") == 0) {
		step = strtoull(argv[2], NULL, 10);
		first = 3;
	}
	if (first >= argc || step == 0) {
		fprintf(stderr, "usage: %s [--step N] FILE...\n", argv[0]);
		return 2;
	}
	struct err *e = kdump_oracle_compare((const char *const *)argv + first,
					     (size_t)(argc - first), step, &result);
	printf("%" PRIu64 " pages are the same, %" PRIu64 " are in neither\n", result.equal,
	       result.absent);
	if (!e)
		return 0;
	fprintf(stderr, "%s\n", err_msg(e));
	err_free(e);
	return 1;
}
