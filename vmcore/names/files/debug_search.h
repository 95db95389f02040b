/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What those who look for debug files share; others want debugfiles.h or module_files.h. */
#ifndef VMCORE_NAMES_FILES_DEBUG_SEARCH_H
#define VMCORE_NAMES_FILES_DEBUG_SEARCH_H

#include <stdbool.h>

struct buf;
struct debug_file;
struct debug_wanted;
struct err;

/* Opens a regular file for reading (*ret is the caller's); does not wait for the other end of a
 * pipe. The message does not name the file. */
__attribute__((warn_unused_result)) struct err *debug_file_open_regular(const char *path, int *ret);

/* As debug_file_open(), also of a file that is compressed if @unpack is set; *ret_module is set,
 * also on failure: @path is a module (a .ko). */
__attribute__((warn_unused_result)) struct err *
debug_file_open_or_module(const char *path, const struct debug_wanted *wanted, bool unpack,
			  bool *ret_module, struct debug_file **ret);

/* As debug_file_open(), of the file open as @fd (taken, also on failure), which is to be called
 * @path. The message does not name it. */
__attribute__((warn_unused_result)) struct err *
debug_file_open_fd(int fd, const char *path, const struct debug_wanted *wanted, bool *ret_module,
		   struct debug_file **ret);

/*
 * Adds to @out the path of the debug file of @build_id in libdebuginfod's cache @cache (both may be
 * NULL); false if it is not there. An empty file is how libdebuginfod remembers that no server has
 * one.
 */
bool debug_search_cached(const char *cache, const char *build_id, struct buf *out);

#endif
