/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generated image (server/image) as a file on disk: written whole, and known again. */
#ifndef SERVER_FILES_SYMBOL_FILE_H
#define SERVER_FILES_SYMBOL_FILE_H

#include <stdbool.h>

struct buf;
struct err;

/* ERR_INVALID when there is something at @path that is no file that this program wrote: a dump and
 * a vmlinux are never overwritten. */
__attribute__((warn_unused_result)) struct err *symbol_file_check(const char *path);

/* Writes @bytes to @path, which holds them whole or is what it was before: they go to a file beside
 * it that then takes its name. */
__attribute__((warn_unused_result)) struct err *symbol_file_write(const char *path,
								  const struct buf *bytes);

/* Appends the file at @path to @out, which is empty, if this program wrote it; else false, and @out
 * is as it was. */
bool symbol_file_read(const char *path, struct buf *out);

#endif
