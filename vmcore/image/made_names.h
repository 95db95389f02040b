/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names for code that was made at run time (BPF programs and trampolines), which no file has: a
 * small ELF file to be loaded beside a vmlinux. Its frames are among those of entry_frames.h.
 */
#ifndef VMCORE_IMAGE_MADE_NAMES_H
#define VMCORE_IMAGE_MADE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct err;
struct image_source;
struct made_code;

/* Where that code begins and ends, the file's only segment; false if there is none. */
bool made_names_span(const struct made_code *made, uint64_t *ret_low, uint64_t *ret_high);

/* Appends the file to @out, which is empty. ERR_NOTFOUND when there is no such code. */
__attribute__((warn_unused_result)) struct err *made_names_make(const struct image_source *source,
								struct buf *out);

#endif
