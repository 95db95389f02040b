/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frames of the tasks that were asked for last. What is in a dump does not change, and a client
 * that looks at a frame asks for its registers one packet at a time.
 */
#ifndef VMCORE_CODE_FRAME_CACHE_H
#define VMCORE_CODE_FRAME_CACHE_H

struct err;
struct frame_cache;
struct frames;
struct task;
struct unwinder;

/* @u is borrowed and must outlive the cache. */
__attribute__((warn_unused_result)) struct err *frame_cache_new(struct unwinder *u,
								struct frame_cache **ret);
void frame_cache_free(struct frame_cache *c);

/* Forgets them all: of a machine that runs they are old soon. */
void frame_cache_forget(struct frame_cache *c);

/* The frames of @task as unwinder_frames() finds them; borrowed until the next call. An error only
 * when memory is out. */
__attribute__((warn_unused_result)) struct err *
frame_cache_get(struct frame_cache *c, const struct task *task, const struct frames **ret);

#endif
