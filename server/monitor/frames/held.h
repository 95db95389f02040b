/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vCPU that a frame's own variables speak of, where DWARF says in which register or on which
 * word of the stack they are: a second witness beside KVM's structures, and heard even if it says
 * otherwise.
 */
#ifndef SERVER_MONITOR_FRAMES_HELD_H
#define SERVER_MONITOR_FRAMES_HELD_H

#include <stdbool.h>
#include <stddef.h>

#include "vmcore/code/code_variables.h"

struct buf;
struct vmcore;
struct json;
struct frame;
struct vcpu;

enum { HELD_MAX = 16 };

struct held_list {
	struct held_pointer list[HELD_MAX];
	size_t count;
};

/* Whether the code of @f is that of KVM's modules. */
bool is_code_of_kvm(const struct vmcore *h, const struct frame *f);

/* The variables of type struct kvm_vcpu * in @f that are known; none but in KVM's own code. @vcpu:
 * which one KVM's structures say that the thread runs; NULL: none. */
struct held_list held_find(const struct vmcore *h, const struct frame *f, const struct vcpu *vcpu);

/* Beside the frame: "  vcpu=0xffff88043ea73280 (rbx)". */
void held_text(const struct held_list *held, struct buf *out);

/* A line for each variable that speaks of another vCPU than @vcpu, which KVM's structures say that
 * the thread runs (NULL: none). */
void held_disagreements(const struct vcpu *vcpu, const struct held_list *held, struct buf *out);

/* The frame's member "holds": [{"name", "type", "value", "where"}], and "why" in one that speaks of
 * another vCPU; nothing if there are none. */
void held_json(struct json *j, const struct vcpu *vcpu, const struct held_list *held);

#endif
