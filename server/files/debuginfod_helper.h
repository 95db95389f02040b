/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that downloads for debuginfod.h. It gets build-ids as arguments and says on standard
 * output what becomes of them, a line each: "progress DONE TOTAL" (bytes, of the one under way) any
 * number of times, then "done PATH" or "failed SENTENCE", in their order. One behind a '+' is asked
 * for even if libdebuginfod remembers that no server has it.
 */
#ifndef SERVER_FILES_DEBUGINFOD_HELPER_H
#define SERVER_FILES_DEBUGINFOD_HELPER_H

#include <stdbool.h>
#include <stddef.h>

/* Whether it was built with libdebuginfod's header. */
bool debuginfod_helper_built(void);

/* Downloads, and ends the process. */
_Noreturn void debuginfod_helper(const char *const *build_ids, size_t count);

/* How the server starts itself for that: no option for users. */
#define OPTION_DEBUGINFOD_HELPER "debuginfod-helper"
#define DEBUGINFOD_ANEW		 '+'

#endif
