/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An ELF file that is served with one section more than it has. */
#ifndef SERVER_FILES_INDEX_SECTION_H
#define SERVER_FILES_INDEX_SECTION_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct err;
struct overlay;

/* Whether the ELF file open as @fd has DWARF and no index of its own, by the names of its sections:
 * false also for one whose headers are damaged. */
bool index_section_is_wanted(int fd);

/*
 * Checks that @index is one of the file open as @fd: version 8, its tables in order and within it,
 * its units one behind the other and within .debug_info. ERR_FORMAT.
 */
__attribute__((warn_unused_result)) struct err *index_section_check(int fd,
								    const struct buf *index);

/*
 * Adds to @ret (empty) what appends @index to the file open as @fd as the section .gdb_index: its
 * bytes, a new table of sections with their names behind it, and where the ELF header says that
 * those are. Where @cures, which are served with it, change the old table, the new one is changed
 * alike. ERR_FORMAT for a file with damaged headers.
 */
__attribute__((warn_unused_result)) struct err *index_section_add(int fd, const struct buf *index,
								  const struct overlay *cures,
								  struct overlay *ret);

#endif
