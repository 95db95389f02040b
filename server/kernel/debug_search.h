/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What debugfiles.c and debug_search.c share; others want debugfiles.h. */
#ifndef SERVER_KERNEL_DEBUG_SEARCH_H
#define SERVER_KERNEL_DEBUG_SEARCH_H

#include <stdbool.h>

struct debug_file;
struct debug_wanted;
struct err;

/* As debug_file_open(); *ret_module is set, also on failure: @path is a module (a .ko). */
__attribute__((warn_unused_result)) struct err *
debug_file_open_or_module(const char *path, const struct debug_wanted *wanted, bool *ret_module,
			  struct debug_file **ret);

#endif
