/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The members of KVM's structures that are read, each looked up once a kernel. */
#ifndef VMCORE_KVM_MEMBERS_H
#define VMCORE_KVM_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct kvm;
struct member;
struct want_answers;
struct want_set;

/* The table in members.c has the type and the names of each. */
enum kvm_member {
	/* struct kvm */
	M_KVM_VM_LIST,
	M_KVM_MM,
	M_KVM_ONLINE_VCPUS,
	M_KVM_VCPUS,
	M_KVM_VCPU_ARRAY,
	M_KVM_MEMSLOTS,
	M_KVM_USERSPACE_PID,
	M_KVM_USERS,
	M_KVM_TYPE,
	M_KVM_MEM_ATTRS,
	M_KVM_USED_PAGES,
	M_KVM_REQUESTED_PAGES,
	M_KVM_MAX_PAGES,
	M_KVM_INDIRECT_PAGES,
	M_KVM_TDP_PAGES,
	M_KVM_TDP_ROOTS,

	/* struct kvm_vcpu */
	M_VCPU_KVM,
	M_VCPU_ID,
	M_VCPU_CPU,
	M_VCPU_PID,
	M_VCPU_NOTIFIER,
	M_VCPU_MODE,
	M_VCPU_PREEMPTED,
	M_VCPU_REQUESTS,
	M_VCPU_MUTEX_OWNER,
	M_VCPU_EXITS,
	M_VCPU_PROTECTED,
	M_VCPU_MP_STATE,
	M_VCPU_HFLAGS,
	M_VCPU_MMU,
	M_VCPU_GUEST_MMU,
	M_VCPU_NESTED_MMU,
	M_VCPU_WALK_MMU,
	M_VCPU_REGS,
	M_VCPU_RIP,
	M_VCPU_CR0,
	M_VCPU_CR2,
	M_VCPU_CR3,
	M_VCPU_CR4,
	M_VCPU_EFER,
	M_VCPU_CR0_OWNED,
	M_VCPU_CR4_OWNED,
	M_VCPU_REGS_AVAIL,
	M_VCPU_REGS_DIRTY,

	/* struct kvm_memory_slot, kvm_memslots, rb_node */
	M_SLOT_BASE_GFN,
	M_SLOT_NPAGES,
	M_SLOT_HVA,
	M_SLOT_FLAGS,
	M_SLOT_ID,
	M_SLOT_NODE,
	M_SLOT_GMEM_FILE,
	M_SLOT_GMEM_PGOFF,
	M_SLOTS_ARRAY,
	M_SLOTS_USED,
	M_SLOTS_TREE,
	M_SLOTS_NODE_IDX,
	M_RB_LEFT,
	M_RB_RIGHT,

	/* struct kvm_mmu, kvm_pagewalk, kvm_mmu_page */
	M_MMU_ROOT,
	M_MMU_PGD,
	M_MMU_LEVEL,
	M_MMU_DIRECT,
	M_MMU_WALK,
	M_MMU_GUEST_LEVEL,
	M_WALK_GUEST_LEVEL,
	M_SP_SPT,
	M_SP_GFN,
	M_SP_ROOT_COUNT,
	M_SP_TDP_MMU,
	M_SP_NX_HUGE,
	M_SP_LINK,

	/* What the rest of the kernel has of it */
	M_NOTIFIER_LINK,
	M_NOTIFIER_OPS,
	M_TASK_NOTIFIERS,
	M_TASK_LINK,
	M_PID_TASKS,
	M_TASK_FILES,
	M_FILES_TABLE,
	M_TABLE_COUNT,
	M_TABLE_FILES,
	M_FILE_OPS,
	M_FILE_DATA,
	M_FILE_INODE,
	M_INODE_MAPPING,
	M_MAPPING_PAGES,
	M_FOLIO_MAPPING,
	M_FOLIO_INDEX,
	M_PAGE_MAPPING,
	M_PAGE_INDEX,
	M_CPU_VENDOR,

	/* AMD: struct kvm_svm, vcpu_svm, vmcb, svm_cpu_data */
	M_SVM_FIRST,
	M_SVM_KVM = M_SVM_FIRST,
	M_SVM_SEV_ACTIVE,
	M_SVM_SEV_ES_ACTIVE,
	M_SVM_SEV_FEATURES,
	M_SVM_VCPU,
	M_SVM_VMCB,
	M_SVM_CURRENT_VMCB,
	M_SVM_VMCB01,
	M_SVM_VMCB02,
	M_SVM_HSAVE,
	M_SVM_SAVE_AREA_PA,
	M_SVM_SAVE_AREA,
	M_VMCB_EXIT_CODE,
	M_VMCB_EXIT_CODE_HIGH,
	M_VMCB_NESTED_CTL,
	M_VMCB_RAX,
	M_VMCB_RSP,
	M_VMCB_RIP,
	M_VMCB_RFLAGS,
	M_VMCB_CR0,
	M_VMCB_CR2,
	M_VMCB_CR3,
	M_VMCB_CR4,
	M_VMCB_EFER,
	M_VMCB_CS,
	M_VMCB_SS,
	M_VMCB_DS,
	M_VMCB_ES,
	M_VMCB_FS,
	M_VMCB_GS,
	M_VMCB_CS_BASE,
	M_VMCB_FS_BASE,
	M_VMCB_GS_BASE,
	M_VMCB_KERNEL_GS_BASE,
	M_VMCB_GDTR,
	M_VMCB_GDTR_LIMIT,
	M_VMCB_IDTR,
	M_VMCB_IDTR_LIMIT,

	/* Intel: struct vcpu_vmx, loaded_vmcs, vmcs12 */
	M_VMX_FIRST,
	M_VMX_VCPU = M_VMX_FIRST,
	M_VMX_EXIT_REASON,
	M_VMX_RFLAGS,
	M_VMX_KERNEL_GS_BASE,
	M_VMX_SEGMENTS,
	M_VMX_SEGMENT_SELECTOR,
	M_VMX_SEGMENT_BASE,
	M_VMX_SEGMENTS_CACHED,
	M_VMX_LOADED_VMCS,
	M_VMX_VMCS02,
	M_VMX_VMCS02_VMCS,
	M_VMX_CACHED_VMCS12,
	M_VMX_HOST_RSP,
	M_LOADED_VMCS,
	M_LOADED_LAUNCHED,
	M_LOADED_HOST_RSP,
	M_VMCS12_GUEST_RIP,
	M_VMCS12_GUEST_RSP,
	M_VMCS12_GUEST_RFLAGS,
	M_VMCS12_GUEST_CR3,
	M_VMCS12_GUEST_CS,
	M_VMCS12_GUEST_SS,
	M_VMCS12_GUEST_DS,
	M_VMCS12_GUEST_ES,
	M_VMCS12_GUEST_FS,
	M_VMCS12_GUEST_GS,
	M_VMCS12_GUEST_CS_BASE,
	M_VMCS12_GUEST_FS_BASE,
	M_VMCS12_GUEST_GS_BASE,
	M_VMCS12_GUEST_GDTR,
	M_VMCS12_GUEST_GDTR_LIMIT,
	M_VMCS12_GUEST_IDTR,
	M_VMCS12_GUEST_IDTR_LIMIT,
	M_VMCS12_HOST_RIP,
	M_VMCS12_HOST_RSP,
	M_VMCS12_HOST_CR0,
	M_VMCS12_HOST_CR3,
	M_VMCS12_HOST_CR4,
	M_VMCS12_HOST_CS,
	M_VMCS12_HOST_SS,
	M_VMCS12_HOST_DS,
	M_VMCS12_HOST_ES,
	M_VMCS12_HOST_FS,
	M_VMCS12_HOST_GS,
	M_VMCS12_HOST_FS_BASE,
	M_VMCS12_HOST_GS_BASE,
	M_VMCS12_HOST_GDTR,
	M_VMCS12_HOST_IDTR,

	KVM_MEMBERS
};

/* What is to be found out about them; a struct kvm has one. NULL without memory. */
struct want_answers *kvm_members_new(void);

/* The member, borrowed from @kvm: it is looked up when it is first asked for. One that this kernel
 * does not have is all zero, and *ret_exists (may be NULL) false. ERR_NOMEM only. */
__attribute__((warn_unused_result)) struct err *kvm_find_member(const struct kvm *kvm,
								enum kvm_member which,
								bool *ret_exists,
								const struct member **ret);
/* The same, never NULL. Without memory it is as if the kernel did not have the member, this time.
 */
const struct member *kvm_member(const struct kvm *kvm, enum kvm_member which);
/* Its name, borrowed; NULL if this kernel does not have it. ERR_NOMEM only. */
__attribute__((warn_unused_result)) struct err *kvm_name_member(const struct kvm *kvm,
								enum kvm_member which,
								const char **ret_path,
								const struct member **ret);
/* False if this kernel does not have it. */
bool kvm_has_member(const struct kvm *kvm, enum kvm_member which);

/* The sets of members, for lists of them: of KVM, of SVM, of VMX. *ret_first is the kvm_member that
 * the set begins with. */
enum { KVM_MEMBER_SETS = 3 };
const struct want_set *kvm_member_set(size_t i, enum kvm_member *ret_first);

#endif
