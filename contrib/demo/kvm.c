// SPDX-License-Identifier: GPL-2.0-or-later
/* The variables of the modules kvm and kvm-intel. */
#include "kvm.h"

#define KVM_DATA       __attribute__((section(".data.kvm")))
#define KVM_INTEL_DATA __attribute__((section(".data.kvm_intel")))

/* What the case was about: `x/1xg ((struct kvm_vcpu *)0)->arch.mmu.set_cr3` ends at 0x348. */
_Static_assert(__builtin_offsetof(struct kvm_vcpu, arch.mmu.set_cr3) == 0x348,
	       "set_cr3 is where the case has it");
/* text-kvm.S has this offset in an instruction. */
_Static_assert(__builtin_offsetof(struct kvm_vcpu, arch.mmu.root_hpa) == 0x398,
	       "root_hpa is where kvm_mmu_load reads it");

KVM_DATA struct list_head vm_list = { &vm_list, &vm_list };
KVM_DATA struct preempt_ops kvm_preempt_ops;
KVM_DATA struct module kvm_module = { .name = "kvm" };

KVM_INTEL_DATA struct module kvm_intel_module = { .name = "kvm_intel" };

/* Only its type is wanted. */
extern struct vcpu_vmx *demo_vcpu_vmx;
