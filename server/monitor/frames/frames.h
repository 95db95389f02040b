/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How frames are shown: by `bt`, `frame` and `stacks`, in words and as JSON. */
#ifndef SERVER_MONITOR_FRAMES_FRAMES_H
#define SERVER_MONITOR_FRAMES_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct frame;
struct frames;
struct vmcore;
struct json;
struct notebook;
struct task;

/* What is shown of each frame beside what it is. JSON always has the registers. */
struct frames_detail {
	bool regs;		      /* the known registers, and where each was saved */
	bool raw;		      /* the words of the stack, see monitor_raw.h */
	const struct notebook *notes; /* what people wrote down, borrowed; NULL: nothing is shown */
	bool inlined; /* what the compiler inlined, and where in the source that is */
};

/* "110 CPU 0/KVM, on CPU 0" */
void add_task_title(const struct task *task, struct buf *out);

/* One frame in a line: "#2   0xffffffffc09920fb  cfi     vcpu_enter_guest+0x67b [kvm]". */
void add_frame_line(const struct vmcore *h, size_t number, const struct frame *f, struct buf *out);

/*
 * Behind frame @last of @frames: a line that says how often it, or up to eight that end with it,
 * comes again, if that is often. Returns how many frames need not be shown; 0 and no line: none.
 */
size_t add_repeats(const struct frames *frames, size_t last, struct buf *out);

/* Frames of @task, a line or more each, and why they end if they were lost. */
void add_frames_text(struct vmcore *h, const struct task *task, const struct frames *frames,
		     const struct frames_detail *detail, struct buf *out);

/* Of a frame's object: pc, name, offset, module. */
void add_place_members(struct json *j, const struct vmcore *h, const struct frame *f);

/* Of a thread's object: end, and why if they were lost. */
void add_end_members(struct json *j, const struct frames *frames);

/* The members of a frame's object: pc, cfa, name, offset, module, how, interrupted, regs, saved. */
void add_frame_members(struct json *j, const struct vmcore *h, const struct frame *f);

/* The same as one JSON object and a newline. */
void add_frames_json(struct vmcore *h, const struct task *task, const struct frames *frames,
		     const struct frames_detail *detail, struct buf *out);

#endif
