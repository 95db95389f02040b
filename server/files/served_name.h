/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a file of symbols is called among those that clients may read. */
#ifndef SERVER_FILES_SERVED_NAME_H
#define SERVER_FILES_SERVED_NAME_H

#include <stdbool.h>

/*
 * The real path of the file at @path, without the end that says how it is compressed if @packed is
 * set: clients get what is in it. With @in_package the last part of @path is in the package that
 * the rest names. To free; NULL with errno when it is not there any more, or memory is out.
 */
char *served_name(const char *path, bool packed, bool in_package);

#endif
