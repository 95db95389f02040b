/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tar archive, compressed with xz, as it is written by --write-types. */
#ifndef SERVER_FILES_TYPES_ARCHIVE_H
#define SERVER_FILES_TYPES_ARCHIVE_H

struct err;
struct types_archive;

/* A new file at @path. ERR_INVALID if it is not called NAME.types.tar.xz, or is there already;
 * ERR_UNSUPPORTED without libarchive; ERR_IO. */
__attribute__((warn_unused_result)) struct err *types_archive_new(const char *path,
								  struct types_archive **ret);
/* Adds the whole of the file open as @fd (borrowed) as @name. */
__attribute__((warn_unused_result)) struct err *types_archive_add(struct types_archive *a,
								  const char *name, int fd);
/* Ends and frees it (NULL is allowed). If @e (taken) is an error, or this fails, no file is left.
 */
__attribute__((warn_unused_result)) struct err *types_archive_finish(struct types_archive *a,
								     struct err *e);

#endif
