/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must hold, for the fuzz targets. */
#ifndef TESTS_FUZZ_REQUIRE_H
#define TESTS_FUZZ_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

/* abort(), and the fuzzer has found something. */
_Noreturn static inline void not_so(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}
#define REQUIRE(condition) ((condition) ? (void)0 : not_so(__FILE__, __LINE__, #condition))

#endif
