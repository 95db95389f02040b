/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where files of a kernel's modules may lie: by build-id, by release, in folders of the user's. */
#ifndef VMCORE_NAMES_FILES_MODULE_SEARCH_H
#define VMCORE_NAMES_FILES_MODULE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct module_search;

/*
 * @paths (@count files and folders given with --symbols) are searched first, in their order, then
 * the usual places below @root (a folder that stands for /; NULL: / itself). A folder of the user's
 * may be laid out like /, like /usr/lib/debug, or hold the files themselves, at any depth. @release
 * (uname -r) may be NULL, and so may @cache, where libdebuginfod keeps what it downloaded. All is
 * copied; nothing is opened yet.
 */
__attribute__((warn_unused_result)) struct err *
module_search_new(const char *const *paths, size_t count, const char *release, const char *root,
		  const char *cache, struct module_search **ret);
void module_search_free(struct module_search *s);

enum { MODULE_SEARCH_NAME_SIZE = 64 /* MODULE_NAME_LEN is 56 */ };

/* Whether the file at @path is called as files of modules are (NAME.ko, NAME.ko.debug,
 * NAME.ko.xz...). */
bool module_search_has_module_name(const char *path);

/* The kernel's name of the module in the file called @file (no path): with '_' for '-'; false if
 * it is not called so. */
bool module_search_module_name(const char *file, char ret[MODULE_SEARCH_NAME_SIZE]);

/* Is offered the path of a file that is there; true ends the search. */
typedef bool module_search_take(void *closure, const char *path);

/*
 * Offers all files that may be those of the module @name whose build-id is @build_id (hex digits;
 * NULL if unknown), the likeliest first and those with debug information before the ones that a
 * distribution ships to be loaded. '-' and '_' are the same in names. A folder is walked when it is
 * first asked for, and its names are kept. An error only when memory is out.
 */
__attribute__((warn_unused_result)) struct err *
module_search_run(struct module_search *s, const char *name, const char *build_id,
		  module_search_take *take, void *closure);

#endif
