/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unwind entries of a vmlinux that are wrong, taken out of what is served. */
#ifndef SERVER_FILES_FRAME_CURE_H
#define SERVER_FILES_FRAME_CURE_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct overlay;

/*
 * Functions that change stacks in inline assembly (sysvec_* onto the interrupt stack): the compiler
 * knows nothing of that, and its entry in .debug_frame finds the caller on the wrong stack. A
 * debugger takes the first entry it finds, so that one must go before a better one (entry_frames.h)
 * is seen.
 *
 * Adds to @overlay, for the ELF file open as @fd (borrowed), that the entries of the functions at
 * the @count addresses in @starts (ascending, as linked) cover nothing. A file without such
 * entries, or whose section is compressed or damaged, is left as it is. An error when memory is
 * out.
 */
__attribute__((warn_unused_result)) struct err *frame_cure(int fd, const uint64_t *starts,
							   size_t count, struct overlay *overlay);

#endif
