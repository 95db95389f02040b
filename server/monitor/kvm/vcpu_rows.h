/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of a vCPU, by `vcpus`, `vms`, `vcpu` and `info os vcpus`. */
#ifndef SERVER_MONITOR_KVM_VCPU_ROWS_H
#define SERVER_MONITOR_KVM_VCPU_ROWS_H

#include "server/monitor/rows.h"

struct err;
struct vcpu;
struct vmcore;

/* The titles above the lines of a list. */
void vcpu_titles(struct buf *out);
/* One of a list. ERR_NOMEM only, as all of these. */
__attribute__((warn_unused_result)) struct err *vcpu_print(const struct vmcore *h,
							   const struct vcpu *vcpu,
							   enum row_printer printer,
							   struct buf *out);
/* The same as an object in an array; it does not say whose it is. */
__attribute__((warn_unused_result)) struct err *
vcpu_object(const struct vmcore *h, const struct vcpu *vcpu, struct json *j);
/* Everything about it: with all its guest's registers. `info os` has no such table. */
__attribute__((warn_unused_result)) struct err *vcpu_print_whole(const struct vmcore *h,
								 const struct vcpu *vcpu,
								 enum row_printer printer,
								 struct buf *out);

#endif
