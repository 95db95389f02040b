/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames of tracers' trampolines (vmcore/code/traced_returns.h) for debuggers, which find one where
 * a function's return address was: a frame of its own, whose caller is that function's.
 */
#ifndef ARCH_X86_64_IMAGE_TRACED_FRAMES_H
#define ARCH_X86_64_IMAGE_TRACED_FRAMES_H

struct cfi_writer;
struct err;
struct image_source;

/* Adds an FDE a trampoline. On a machine that runs stacks end there: what is behind changes all the
 * time. An error only when memory is out. */
__attribute__((warn_unused_result)) struct err *traced_frames_add(const struct image_source *source,
								  struct cfi_writer *w);

#endif
