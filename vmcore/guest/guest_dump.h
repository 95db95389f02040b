/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual machine in a dump as a dump of its own: its memory by its slots, its CPUs' registers as
 * notes of the kind that QEMU writes, its VMCOREINFO as it was found in its memory. A guest's Linux
 * is then opened as every other is.
 */
#ifndef VMCORE_GUEST_GUEST_DUMP_H
#define VMCORE_GUEST_GUEST_DUMP_H

struct dump;
struct err;
struct guest_dump;
struct kvm;
struct vm;

/* Of @vm; both are borrowed and must outlive the result. ERR_UNSUPPORTED if it runs no Linux that
 * could be found, or its memory is encrypted. */
__attribute__((warn_unused_result)) struct err *guest_dump_open(struct kvm *kvm, struct vm *vm,
								struct guest_dump **ret);
/* After the dump below was closed. */
void guest_dump_free(struct guest_dump *g);

/* A struct dump over it, which is the caller's, to close before @g is freed. */
__attribute__((warn_unused_result)) struct err *guest_dump_new_dump(struct guest_dump *g,
								    struct dump **ret);

#endif
