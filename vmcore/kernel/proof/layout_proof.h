/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the members of struct task_struct and of what hangs on it are, in a kernel whose types
 * nobody knows: as far as the dump proves it. Each is taken only if there is one place for it alone
 * that no task contradicts of all that it is tried on.
 */
#ifndef VMCORE_KERNEL_LAYOUT_PROOF_H
#define VMCORE_KERNEL_LAYOUT_PROOF_H

#include <stddef.h>

struct err;
struct kernel;

/*
 * Tells the types of @k, which are none, what is proven; nothing happens if they are known. What is
 * not proven stays unknown. To be called once, before the kernel's CPUs and tasks are read.
 * ERR_NOMEM only.
 */
__attribute__((warn_unused_result)) struct err *layout_prove(struct kernel *k);

#endif
