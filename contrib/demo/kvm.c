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
/* Of mmu.c: two-dimensional paging is on, the tables at root_hpa are EPT. */
KVM_DATA bool tdp_enabled = 1;
KVM_DATA struct module kvm_module = { .name = "kvm" };

KVM_INTEL_DATA struct module kvm_intel_module = { .name = "kvm_intel" };

/*
 * The modules' parts of kallsyms: ELF symbols that the loader has given their addresses, with nm's
 * letter in st_info (kernel/module.c). The first is always empty.
 */
#define SYMBOL(strings, symbol)                                                        \
	{                                                                              \
		.st_name = __builtin_offsetof(struct strings, symbol), .st_info = 't', \
		.st_shndx = 1, .st_value = (u64)symbol                                 \
	}
#define STRING(symbol) .symbol = #symbol

extern const char kvm_vcpu_ioctl[], vcpu_enter_guest[], kvm_arch_vcpu_load[];
extern const char kvm_arch_vcpu_ioctl_run[], kvm_mmu_load[], vmx_cache_reg[], vmx_set_cr3[];

KVM_DATA struct kvm_strings {
	char empty[1];
	char kvm_vcpu_ioctl[16], vcpu_enter_guest[20], kvm_arch_vcpu_load[20];
	char kvm_arch_vcpu_ioctl_run[24], kvm_mmu_load[16];
} kvm_strtab = {
	STRING(kvm_vcpu_ioctl),		 STRING(vcpu_enter_guest), STRING(kvm_arch_vcpu_load),
	STRING(kvm_arch_vcpu_ioctl_run), STRING(kvm_mmu_load),
};
KVM_DATA struct elf64_sym kvm_symtab[KVM_SYMBOLS] = {
	{ 0 },
	SYMBOL(kvm_strings, kvm_vcpu_ioctl),
	SYMBOL(kvm_strings, vcpu_enter_guest),
	SYMBOL(kvm_strings, kvm_arch_vcpu_load),
	SYMBOL(kvm_strings, kvm_arch_vcpu_ioctl_run),
	SYMBOL(kvm_strings, kvm_mmu_load),
};

KVM_INTEL_DATA struct kvm_intel_strings {
	char empty[1];
	char vmx_cache_reg[16], vmx_set_cr3[16];
} kvm_intel_strtab = { STRING(vmx_cache_reg), STRING(vmx_set_cr3) };
KVM_INTEL_DATA struct elf64_sym kvm_intel_symtab[KVM_INTEL_SYMBOLS] = {
	{ 0 },
	SYMBOL(kvm_intel_strings, vmx_cache_reg),
	SYMBOL(kvm_intel_strings, vmx_set_cr3),
};

/* Only its type is wanted. */
extern struct vcpu_vmx *demo_vcpu_vmx;
