/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What debuggers cannot cope with in a vmlinux, put right for those that it is served to. */
#ifndef SERVER_FILES_IMAGE_CURE_H
#define SERVER_FILES_IMAGE_CURE_H

struct err;
struct overlay;

/*
 * Per-CPU variables of kernels before 6.15 lie in a segment of their own that is linked at 0, and
 * their symbols are offsets. gdb moves all loadable segments by one distance when it is told where
 * the kernel is (qOffsets), those offsets too. In what it is served this segment is none
 * (PT_NULL), and its section has no bytes to load: then gdb leaves both where they are.
 *
 * Adds the patches for the ELF file that is open as @fd (borrowed). ERR_FORMAT for one whose
 * headers are damaged.
 */
__attribute__((warn_unused_result)) struct err *image_cure(int fd, struct overlay *overlay);

#endif
