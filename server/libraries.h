/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The document of qXfer:libraries:read: the files beside the kernel's image that gdb is to load. */
#ifndef SERVER_LIBRARIES_H
#define SERVER_LIBRARIES_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct host;

/*
 * Appends the next part of the document (gdb manual, "Library List Format") to @out: *next (0 at
 * first) counts the modules that are done, and *ret_done says that all is there. A module whose
 * file was found is a library, and its file one that clients may read. Every library has the
 * addresses of all its sections that take memory, in their order in the file; gdb takes no other
 * number. An error only when memory is out.
 */
__attribute__((warn_unused_result)) struct err *libraries_continue(struct host *host, size_t *next,
								   struct buf *out, bool *ret_done);

#endif
