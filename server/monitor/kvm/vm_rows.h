/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of a virtual machine, its memory slots and what runs in it: by `vms`, the tables of
 * `info os`, and `info` of a guest. */
#ifndef SERVER_MONITOR_KVM_VM_ROWS_H
#define SERVER_MONITOR_KVM_VM_ROWS_H

#include "server/monitor/rows.h"

struct err;
struct vm;
struct vmcore;

/* A VM; text and JSON have its vCPUs and memory slots, too. ERR_NOMEM only, as all of these. */
__attribute__((warn_unused_result)) struct err *vm_print(const struct vmcore *h, struct vm *vm,
							 enum row_printer printer, struct buf *out);

/* Its vCPUs, one after the other. */
__attribute__((warn_unused_result)) struct err *vm_print_vcpus(const struct vmcore *h,
							       const struct vm *vm,
							       enum row_printer printer,
							       struct buf *out);

/* Its memory slots. */
__attribute__((warn_unused_result)) struct err *
vm_print_slots(const struct vmcore *h, struct vm *vm, enum row_printer printer, struct buf *out);

/* As `info` of a guest says it: two lines, which end in a newline. */
__attribute__((warn_unused_result)) struct err *vm_print_guest(const struct vmcore *h,
							       struct vm *vm, struct buf *out);

/* The sentences about what is damaged, if any. */
void vm_print_notes(const struct vmcore *h, enum row_printer printer, struct buf *out);

#endif
