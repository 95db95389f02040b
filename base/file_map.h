/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that are mapped into memory, and what becomes of them meanwhile. To read behind the end of
 * one that was cut off, or where its disk fails, is SIGBUS, which would end the server for
 * everybody. Here the pages that are gone become zeros, and the mapping is bad from then on: who
 * reads a mapping asks afterwards whether what was read counts.
 *
 * This is state of the whole process, for a signal handler finds nothing else. One thread alone
 * reads what is mapped.
 */
#ifndef BASE_FILE_MAP_H
#define BASE_FILE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * Between the two any SIGBUS is taken for one of the mapping that is being made, as nobody knows
 * yet where that is. The second says whether there was one.
 */
void file_map_opening(void);
bool file_map_opened(void);

/*
 * The @len bytes at @base are those of the file that is open as @fd, which must stay so. @owner
 * names the mapping from now on; @path, for messages, is copied. ERR_NOMEM.
 */
__attribute__((warn_unused_result)) struct err *file_map_add(const void *owner, const void *base,
							     size_t len, int fd, const char *path);
/* Before it is unmapped. An @owner that was never added is allowed. */
void file_map_remove(const void *owner);

/* Whether @owner's mapping had to be filled with zeros, or the file was written since. An @owner
 * that was never added is good. */
bool file_map_is_bad(const void *owner);
/* How many files went bad so far: what was read counts if this is as it was before. */
uint64_t file_map_faults(void);

/* Asks the system about every file that is mapped, and marks those that were written. */
void file_map_look(void);
/* The path of one that is bad, which was not told before; NULL if there is none. Borrowed until the
 * next call of these functions. */
const char *file_map_tell_bad(void);

#endif
