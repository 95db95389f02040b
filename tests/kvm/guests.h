/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine with KVM: opened as the server opens one, up to the struct kvm. */
#ifndef TESTS_KVM_GUESTS_H
#define TESTS_KVM_GUESTS_H

#include "tests/kernel/machine.h"
#include "vmcore/guest/x86/guest_regs.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/vcpu_state.h"

struct guests {
	struct machine m;
	struct code_map *code;
	struct module_types *types;
	struct kvm *kvm;
	struct vm *vms; /* the struct kvm's */
	size_t count;
};

/* The demo (arrays, Intel) and newer.recipe (trees; AMD or Intel by boot_cpu_data), with @extra. */
void guests_open_demo(struct guests *g, const char *extra);
void guests_open_newer(struct guests *g, enum kvm_vendor vendor, const char *extra);
/* The newer one, whose vCPU 0 is inside its guest: the note of CPU 0 is the guest's. @older: host's
 * registers are kept as until 5.0 (VMX) and 6.0 (SVM). */
void guests_open_entered(struct guests *g, enum kvm_vendor vendor, bool older, const char *extra);
/* The newer one with these notes of CPUs in place of the machine's; below, CPU 1's as it is. */
void guests_open_noted(struct guests *g, enum kvm_vendor vendor, const char *notes,
		       const char *extra);
#define GUESTS_IDLE_NOTE                                                     \
	"prstatus 2: rip = default_idle+s+4 rsp = stack1+0x3f00 cs = 0x10\n" \
	"qemu: rip = default_idle+s+4 rsp = stack1+0x3f00 cr3 = cr3\n"       \
	"	cr4 = 0x20|(levels-4)<<12 gs.base = cpu1-percpu cs.selector = 0x10\n"
void guests_close(struct guests *g);

/* Whether kvm_notes() say this. */
void assert_kvm_note(const struct guests *g, const char *part);

#endif
