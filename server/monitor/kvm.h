/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How virtual machines are shown, in words and as JSON. */
#ifndef SERVER_MONITOR_KVM_H
#define SERVER_MONITOR_KVM_H

struct buf;
struct err;
struct guest_linux;
struct vmcore;
struct vm;

/* A VM, its vCPUs and its memory slots: some lines, or an object and a newline. ERR_NOMEM only. */
struct err *add_vm_text(const struct vmcore *h, struct vm *vm, struct buf *out);
struct err *add_vm_json(const struct vmcore *h, struct vm *vm, struct buf *out);

/* "Linux 6.1.0, text at 0x...": the kernel that was found in a guest. */
void add_guest_linux(const struct guest_linux *g, struct buf *out);

/* The sentences about what is damaged, if any. */
void add_kvm_notes(const struct vmcore *h, struct buf *out);
void add_kvm_notes_json(const struct vmcore *h, struct buf *out);

#endif
