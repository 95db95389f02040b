/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of a stack, frame by frame, with the marks that an engineer writes beside them: which
 * register of which frame a word is, and what code it points to.
 */
#ifndef SERVER_MONITOR_FRAMES_RAW_H
#define SERVER_MONITOR_FRAMES_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

struct buf;
struct err;
struct frames;
struct vmcore;
struct json;
struct task;

struct raw_stack {
	struct vmcore *h;	     /* borrowed, like the next two */
	const struct task *task;     /* whose frames they are */
	const struct frames *frames; /* must outlive this */
	struct map marks;	     /* address -> what was saved there, see monitor_raw.c */
};

/* Notes where registers were saved. An error only when memory is out. *ret is freed with
 * raw_stack_free(). */
__attribute__((warn_unused_result)) struct err *raw_stack_new(struct vmcore *h,
							      const struct task *task,
							      const struct frames *frames,
							      struct raw_stack *ret);
void raw_stack_free(struct raw_stack *s);

/* The words of frame @number: how many there are from *ret_low on; none of user mode's. */
size_t raw_stack_words(const struct raw_stack *s, size_t number, uint64_t *ret_low);
/* The frame among whose words @address is; false if it is none's. */
bool raw_stack_frame_of(const struct raw_stack *s, uint64_t address, size_t *ret_number);
/* Appends ", saved rbx, r12 of #3" to @text if a register was saved in the word that
 * holds @address. */
void raw_stack_saved(const struct raw_stack *s, uint64_t address, struct buf *text);

/* The words from frame @number's rsp up to its caller's, or to the end of the stack: a line each.
 */
void raw_stack_text(const struct raw_stack *s, size_t number, struct buf *out);

/*
 * The same as a member "words" of the frame's object, an array of {"address", "value", "saved":
 * [registers], "frame": whose they are, "symbol", "offset", "module",
 * "object" (see pointed.h)}. A word that cannot be read
 * has a "kind" (of missing memory) instead of a value.
 */
void raw_stack_json(const struct raw_stack *s, size_t number, struct json *j);

#endif
