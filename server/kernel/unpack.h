/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compressed files, as distributions ship modules (.ko.xz, .ko.zst, .ko.gz), unpacked into memory.
 * They are an enemy's: what they grow to is bounded.
 */
#ifndef SERVER_KERNEL_UNPACK_H
#define SERVER_KERNEL_UNPACK_H

#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * How a file that begins with the @len bytes @head (a few will do) is compressed: "xz", "zstd",
 * "gzip" or "bzip2"; NULL if it is not.
 */
const char *unpack_kind(const void *head, size_t len);

/*
 * Unpacks the file open as @fd (borrowed) into a file in memory; *ret is the caller's, or -1 if @fd
 * is not compressed. ERR_FORMAT when it is damaged, cut off, or would grow out of all proportion;
 * ERR_UNSUPPORTED when this program cannot unpack the kind. Messages do not name the file.
 */
__attribute__((warn_unused_result)) struct err *unpack_file(int fd, int *ret);

#endif
