/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a path in a package tells of the file there: the debug packages of all distributions keep to
 * a few names. It is a hint; what the file is, only its content says. */
#ifndef VMCORE_NAMES_FILES_PACKAGE_NAME_H
#define VMCORE_NAMES_FILES_PACKAGE_NAME_H

#include <stdbool.h>

enum {
	PACKAGE_MODULE_SIZE = 64,  /* MODULE_NAME_LEN is 56 */
	PACKAGE_RELEASE_SIZE = 65, /* __NEW_UTS_LEN + 1 */
};

enum package_file {
	PACKAGE_OTHER,
	PACKAGE_VMLINUX, /* vmlinux, vmlinux-RELEASE, with .debug or compressed */
	PACKAGE_MODULE,	 /* as module_search_module_name() says */
};

struct package_name {
	enum package_file file;
	char module[PACKAGE_MODULE_SIZE];   /* of a module: its name, with '_'; else "" */
	char release[PACKAGE_RELEASE_SIZE]; /* of the kernel that it is of; "" if that is not told
					     */
};

/* Whether @text may be a release: it becomes part of messages. */
bool package_name_is_release(const char *text);
/* Whether @text may be a module's name: it becomes part of what looks like a path. */
bool package_name_is_module(const char *text);

/* @path is as the package has it, and hostile. All of @ret is filled. */
void package_name_read(const char *path, struct package_name *ret);

#endif
