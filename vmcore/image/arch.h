/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an architecture brings for the files that debuggers are given: how to leave its frames. */
#ifndef VMCORE_IMAGE_ARCH_H
#define VMCORE_IMAGE_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct entry_frames;
struct err;
struct image_frames;
struct image_layout;
struct image_source;
struct made_code;
struct traced_layout;

struct image_arch {
	/*
	 * The generated image's .debug_frame. All that is given is borrowed and must outlive the
	 * result. A step takes some 20 ms; after the last one, which sets *ret_done, finish() moves
	 * the section's bytes to *out and tells how many functions are in it.
	 */
	struct err *(*frames_new)(const struct image_source *source,
				  const struct image_layout *layout,
				  const struct traced_layout *traced, const struct made_code *bpf,
				  struct image_frames **ret);
	struct err *(*frames_step)(struct image_frames *f, bool *ret_done);
	size_t (*frames_finish)(struct image_frames *f, struct buf *out);
	void (*frames_free)(struct image_frames *f);

	/*
	 * The library of frames that a debugger with the kernel's vmlinux cannot leave: entry code,
	 * assembly. new() makes nothing yet; what @source points at is borrowed and must outlive
	 * the result. A step does some 20 ms of the work; the last one appends the file to @out,
	 * which is empty until then, and sets *ret_done. After that, or an error, there is nothing
	 * left but to free it. All are NULL where debuggers need none.
	 */
	struct err *(*entries_new)(const struct image_source *source, struct entry_frames **ret);
	struct err *(*entries_step)(struct entry_frames *f, struct buf *out, bool *ret_done);
	void (*entries_free)(struct entry_frames *f);
	/* The functions of the kernel's image that change the stack, of whose frames a vmlinux's
	 * own CFI is not true: their addresses as linked, ascending, in *ret (freed by the caller).
	 */
	struct err *(*stack_changers)(const struct image_source *source, uint64_t **ret,
				      size_t *ret_count);
};

#endif
