// SPDX-License-Identifier: GPL-2.0-or-later
/* What a VM is protected by, and whose virtualisation it runs on. */
#include "base/err.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kvm/kvm_private.h"

/* By the module that is loaded; where both are built in, by the processor (X86_VENDOR_* in
 * arch/x86/include/asm/processor.h). */
enum kvm_vendor kvm_find_vendor(const struct kvm *kvm)
{
	enum {
		VENDOR_INTEL = 0,
		VENDOR_AMD = 2,
		VENDOR_CENTAUR = 5,
		VENDOR_HYGON = 9,
		VENDOR_ZHAOXIN = 10
	};
	const struct modules *modules = code_map_modules(kvm->parts.code);
	const struct module *amd = modules_named(modules, "kvm_amd");
	const struct module *intel = modules_named(modules, "kvm_intel");
	uint64_t at, vendor;
	if (!amd != !intel)
		return amd ? KVM_SVM : KVM_VMX;
	if (!kernel_symbol(kvm->parts.k, "boot_cpu_data", &at) ||
	    !kvm_get(kvm, at, M_CPU_VENDOR, &vendor))
		return KVM_VENDOR_UNKNOWN;
	switch (vendor) {
	case VENDOR_AMD:
	case VENDOR_HYGON:
		return KVM_SVM;
	case VENDOR_INTEL:
	case VENDOR_CENTAUR:
	case VENDOR_ZHAOXIN:
		return KVM_VMX;
	default:
		return KVM_VENDOR_UNKNOWN;
	}
}

/* kvm_svm.sev_info (arch/x86/kvm/svm/svm.h): active, es_active; SNP is a feature of the VMSAs
 * (SVM_SEV_FEAT_SNP_ACTIVE). The struct kvm lies in the struct kvm_svm. */
static enum vm_kind sev_kind(const struct kvm *kvm, const struct vm *vm)
{
	uint64_t active = 0, es = 0, features = 0;
	if (!kvm_has_member(kvm, M_SVM_KVM))
		return VM_PLAIN;
	uint64_t svm = vm->address - kvm_member(kvm, M_SVM_KVM)->offset;
	if (!kvm_get(kvm, svm, M_SVM_SEV_ACTIVE, &active) || !(active & 1))
		return VM_PLAIN;
	if (kvm_get(kvm, svm, M_SVM_SEV_FEATURES, &features) && features & 1)
		return VM_SNP;
	return kvm_get(kvm, svm, M_SVM_SEV_ES_ACTIVE, &es) && es & 1 ? VM_SEV_ES : VM_SEV;
}

/* kvm_arch.vm_type where there is one (KVM_X86_*_VM in arch/x86/include/uapi/asm/kvm.h); the
 * default type may still be SEV's, set up by the older calls. */
enum vm_kind kvm_find_kind(const struct kvm *kvm, const struct vm *vm)
{
	enum { DEFAULT_VM, SW_PROTECTED_VM, SEV_VM, SEV_ES_VM, SNP_VM, TDX_VM };
	uint64_t type = DEFAULT_VM;
	kvm_get(kvm, vm->address, M_KVM_TYPE, &type);
	switch (type) {
	case DEFAULT_VM:
		return kvm->vendor == KVM_SVM ? sev_kind(kvm, vm) : VM_PLAIN;
	case SW_PROTECTED_VM:
		return VM_SW_PROTECTED;
	case SEV_VM:
		return VM_SEV;
	case SEV_ES_VM:
		return VM_SEV_ES;
	case SNP_VM:
		return VM_SNP;
	case TDX_VM:
		return VM_TDX;
	default:
		return VM_UNKNOWN;
	}
}
