/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is shown of vCPUs where KVM's types are not known (vmcore/seen_vcpus.h). */
#ifndef SERVER_MONITOR_FRAMES_SEEN_VCPU_ROWS_H
#define SERVER_MONITOR_FRAMES_SEEN_VCPU_ROWS_H

#include "server/monitor/rows.h"

struct buf;
struct json;
struct seen_vcpu;
struct vmcore;

/* A line for each, or an object; nothing if there are none. */
void seen_vcpus_print(struct vmcore *h, enum row_printer printer, struct buf *out);

/* Behind a thread's title: ", inside struct kvm_vcpu 0x... (by r12 of frame #2)". @v may be NULL.
 */
void seen_vcpu_title(const struct seen_vcpu *v, struct buf *out);
/* The member "vcpu_by". */
void seen_vcpu_json(const struct seen_vcpu *v, struct json *j);

#endif
