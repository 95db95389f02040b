/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU that lies in a frame: a word of it points to the start of a struct kvm_vcpu. That is a
 * hint for who looks, never a register: the word may be an earlier call's.
 */
#ifndef SERVER_MONITOR_FRAMES_EVIDENCE_H
#define SERVER_MONITOR_FRAMES_EVIDENCE_H

#include <stddef.h>

struct buf;
struct json;
struct raw_stack;

/* A line for each vCPU that lies in frame @number, with its first word; nothing if a register of
 * the frame that is known holds it, which is more. */
void evidence_text(const struct raw_stack *s, size_t number, struct buf *out);
/* The same as the frame's member "evidence": [{"type", "value", "address"}]. */
void evidence_json(const struct raw_stack *s, size_t number, struct json *j);

#endif
