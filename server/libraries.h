/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The document of qXfer:libraries:read: the files beside the kernel's image that gdb is to load. */
#ifndef SERVER_LIBRARIES_H
#define SERVER_LIBRARIES_H

struct buf;
struct host;

/*
 * Appends the document (gdb manual, "Library List Format") to @out. Every library has the addresses
 * of all its sections that take memory, in their order in the file; gdb takes no other number.
 */
void libraries_describe(const struct host *host, struct buf *out);

#endif
