/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dumped kernel as a debugger's target: one process whose threads are the tasks. */
#ifndef SERVER_TARGET_TARGET_KERNEL_H
#define SERVER_TARGET_TARGET_KERNEL_H

#include "proto/target.h"

struct err;
struct service;

/* @service is borrowed and must outlive the target. */
__attribute__((warn_unused_result)) struct err *target_kernel_new(struct service *service,
								  struct target **ret);
void target_kernel_free(struct target *t);

#endif
