/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a word points to, if that is an object of the kernel's heap: a mark beside words of stacks.
 */
#ifndef SERVER_MONITOR_FRAMES_POINTED_H
#define SERVER_MONITOR_FRAMES_POINTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmcore/kernel/objects/slab.h"

struct buf;
struct json;
struct task;
struct vcpu;
struct vmcore;

struct pointed {
	char name[SLAB_NAME_MAX + 1]; /* the cache's, without a control group's; or "kvm_vcpu" */
	uint64_t start, offset;
	enum slab_state state;
	bool is_vcpu; /* a struct kvm_vcpu in use: of KVM's list, or of the cache of that name */
};

/* Whether @value points to an object, anywhere in it. */
bool pointed_find(struct vmcore *h, uint64_t value, struct pointed *ret);

/* Appends "[kvm_vcpu+0x280]", "[dentry, free]". */
void pointed_text(const struct pointed *p, struct buf *out);
/* The member "object": {"name", "start", "offset", "state"}. */
void pointed_json(const struct pointed *p, struct json *j);

#endif
