/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compressed files, as distributions ship modules (.ko.xz, .ko.zst, .ko.gz) and some their vmlinux,
 * unpacked into memory. They are an enemy's: what they grow to is bounded.
 */
#ifndef VMCORE_NAMES_FILES_UNPACK_H
#define VMCORE_NAMES_FILES_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Bytes that files grow to at most: the largest module has 20 MiB, with debug information 400; a
 * vmlinux with that some 600, and twice as much in large configurations. */
#define UNPACK_MODULE_MAX  (UINT64_C(512) << 20)
#define UNPACK_VMLINUX_MAX (UINT64_C(2) << 30)

/*
 * How a file that begins with the @len bytes @head (a few will do) is compressed: "xz", "zstd",
 * "gzip" or "bzip2"; NULL if it is not.
 */
const char *unpack_kind(const void *head, size_t len);

/*
 * Unpacks the file open as @fd (borrowed) into a file in memory; *ret is the caller's, or -1 if @fd
 * is not compressed. ERR_FORMAT when it is damaged, cut off, or would grow to more than @most bytes
 * or out of all proportion; ERR_UNSUPPORTED when this program cannot unpack the kind. Messages do
 * not name the file.
 */
__attribute__((warn_unused_result)) struct err *unpack_file(int fd, uint64_t most, int *ret);

/* The same, but what was unpacked takes the place of *@fd, which is closed then; *ret_packed says
 * whether that happened. */
__attribute__((warn_unused_result)) struct err *unpack_in_place(int *fd, uint64_t most,
								bool *ret_packed);

#endif
