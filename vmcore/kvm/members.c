// SPDX-License-Identifier: GPL-2.0-or-later
/* The members of KVM's structures, under all the names they have had. */
#include "vmcore/kvm/members.h"

#include "base/err.h"
#include "vmcore/code/module_types.h"
#include "vmcore/kvm/kvm_private.h"
#include "vmcore/names/types/types.h"
#include "vmcore/names/types/wants.h"

/* clang-format off */
static const struct want wants[KVM_MEMBERS] = {
	[M_KVM_VM_LIST] = { "kvm", { "vm_list.next" }, .is_vital = true },
	[M_KVM_MM] = { "kvm", { "mm" }, .is_vital = true },
	[M_KVM_ONLINE_VCPUS] = { "kvm", { "online_vcpus.counter" }, .is_vital = true },
	[M_KVM_VCPUS] = { "kvm", { "vcpus" } },			/* until 5.16 */
	[M_KVM_VCPU_ARRAY] = { "kvm", { "vcpu_array.xa_head" } }, /* later */
	[M_KVM_MEMSLOTS] = { "kvm", { "memslots" } },
	[M_KVM_USERSPACE_PID] = { "kvm", { "userspace_pid" } },	/* el7, 4.13 and later */
	[M_KVM_USERS] = { "kvm", { "users_count.refs.counter", "users_count.counter" } }, /* 4.12; before */
	[M_KVM_TYPE] = { "kvm", { "arch.vm_type" } },		/* 6.7 */
	[M_KVM_MEM_ATTRS] = { "kvm", { "mem_attr_array.xa_head" } },
	[M_KVM_USED_PAGES] = { "kvm", { "arch.n_used_mmu_pages" } },
	[M_KVM_REQUESTED_PAGES] = { "kvm", { "arch.n_requested_mmu_pages" } },
	[M_KVM_MAX_PAGES] = { "kvm", { "arch.n_max_mmu_pages" } },
	[M_KVM_INDIRECT_PAGES] = { "kvm", { "arch.indirect_shadow_pages" } },
	[M_KVM_TDP_PAGES] = { "kvm", { "arch.tdp_mmu_pages.counter" } },
	[M_KVM_TDP_ROOTS] = { "kvm", { "arch.tdp_mmu_roots" } },

	[M_VCPU_KVM] = { "kvm_vcpu", { "kvm" }, .is_vital = true },
	[M_VCPU_ID] = { "kvm_vcpu", { "vcpu_id" }, .is_vital = true },
	[M_VCPU_CPU] = { "kvm_vcpu", { "cpu" } },
	[M_VCPU_PID] = { "kvm_vcpu", { "pid" } },
	[M_VCPU_NOTIFIER] = { "kvm_vcpu", { "preempt_notifier" } },
	[M_VCPU_MODE] = { "kvm_vcpu", { "mode" } },
	[M_VCPU_PREEMPTED] = { "kvm_vcpu", { "preempted" } },
	[M_VCPU_REQUESTS] = { "kvm_vcpu", { "requests" } },
	[M_VCPU_MUTEX_OWNER] = { "kvm_vcpu", { "mutex.owner.counter", "mutex.owner" } },
	[M_VCPU_EXITS] = { "kvm_vcpu", { "stat.exits" } },
	[M_VCPU_PROTECTED] = { "kvm_vcpu", { "arch.guest_state_protected" } }, /* 5.11 */
	[M_VCPU_MP_STATE] = { "kvm_vcpu", { "arch.mp_state" } },
	[M_VCPU_HFLAGS] = { "kvm_vcpu", { "arch.hflags" } },
	[M_VCPU_MMU] = { "kvm_vcpu", { "arch.mmu" } }, /* itself until 4.19, a pointer later */
	[M_VCPU_GUEST_MMU] = { "kvm_vcpu", { "arch.guest_mmu" } },
	[M_VCPU_NESTED_MMU] = { "kvm_vcpu", { "arch.nested_mmu" } },
	[M_VCPU_WALK_MMU] = { "kvm_vcpu", { "arch.walk_mmu" } },
	[M_VCPU_REGS] = { "kvm_vcpu", { "arch.regs" } },
	[M_VCPU_RIP] = { "kvm_vcpu", { "arch.rip", "arch.regs[16]" } }, /* since 7.2; before */
	[M_VCPU_CR0] = { "kvm_vcpu", { "arch.cr0" } },
	[M_VCPU_CR2] = { "kvm_vcpu", { "arch.cr2" } },
	[M_VCPU_CR3] = { "kvm_vcpu", { "arch.cr3" } },
	[M_VCPU_CR4] = { "kvm_vcpu", { "arch.cr4" } },
	[M_VCPU_EFER] = { "kvm_vcpu", { "arch.efer" } },
	[M_VCPU_CR0_OWNED] = { "kvm_vcpu", { "arch.cr0_guest_owned_bits" } },
	[M_VCPU_CR4_OWNED] = { "kvm_vcpu", { "arch.cr4_guest_owned_bits" } },
	/* An array of unsigned long since 7.1, a number before. */
	[M_VCPU_REGS_AVAIL] = { "kvm_vcpu", { "arch.regs_avail[0]", "arch.regs_avail" } },
	[M_VCPU_REGS_DIRTY] = { "kvm_vcpu", { "arch.regs_dirty[0]", "arch.regs_dirty" } },

	[M_SLOT_BASE_GFN] = { "kvm_memory_slot", { "base_gfn" } },
	[M_SLOT_NPAGES] = { "kvm_memory_slot", { "npages" } },
	[M_SLOT_HVA] = { "kvm_memory_slot", { "userspace_addr" } },
	[M_SLOT_FLAGS] = { "kvm_memory_slot", { "flags" } },
	[M_SLOT_ID] = { "kvm_memory_slot", { "id" } },
	[M_SLOT_NODE] = { "kvm_memory_slot", { "gfn_node" } },	   /* since 5.17 */
	[M_SLOT_GMEM_FILE] = { "kvm_memory_slot", { "gmem.file" } }, /* since 6.8 */
	[M_SLOT_GMEM_PGOFF] = { "kvm_memory_slot", { "gmem.pgoff" } },
	[M_SLOTS_ARRAY] = { "kvm_memslots", { "memslots" } }, /* until 5.16 */
	[M_SLOTS_USED] = { "kvm_memslots", { "used_slots" } },
	[M_SLOTS_TREE] = { "kvm_memslots", { "gfn_tree.rb_node" } }, /* since 5.17 */
	[M_SLOTS_NODE_IDX] = { "kvm_memslots", { "node_idx" } },
	[M_RB_LEFT] = { "rb_node", { "rb_left" } },
	[M_RB_RIGHT] = { "rb_node", { "rb_right" } },

	[M_MMU_ROOT] = { "kvm_mmu", { "root.hpa", "root_hpa" } }, /* since 5.19; before */
	[M_MMU_PGD] = { "kvm_mmu", { "root.pgd", "root_pgd", "root_cr3" } },
	[M_MMU_LEVEL] = { "kvm_mmu", { "root_role.level", "shadow_root_level" } },
	[M_MMU_DIRECT] = { "kvm_mmu", { "root_role.direct", "direct_map" } },
	[M_MMU_WALK] = { "kvm_mmu", { "w" } },
	[M_MMU_GUEST_LEVEL] = { "kvm_mmu", { "cpu_role.base.level", "root_level" } },
	[M_WALK_GUEST_LEVEL] = { "kvm_pagewalk", { "cpu_role.base.level" } },
	[M_SP_SPT] = { "kvm_mmu_page", { "spt" } },
	[M_SP_GFN] = { "kvm_mmu_page", { "gfn" } },
	[M_SP_ROOT_COUNT] = { "kvm_mmu_page", { "tdp_mmu_root_count.refs.counter", "root_count" } },
	[M_SP_TDP_MMU] = { "kvm_mmu_page", { "tdp_mmu_page" } },
	[M_SP_NX_HUGE] = { "kvm_mmu_page", { "nx_huge_page_disallowed", "lpage_disallowed" } },
	[M_SP_LINK] = { "kvm_mmu_page", { "link" } },

	[M_NOTIFIER_LINK] = { "preempt_notifier", { "link.next" } },
	[M_NOTIFIER_OPS] = { "preempt_notifier", { "ops" } },
	[M_TASK_NOTIFIERS] = { "task_struct", { "preempt_notifiers.first" } },
	/* pid_links is what counts where both are there: el8 keeps a stale pids. */
	[M_TASK_LINK] = { "task_struct", { "pid_links[0].next", "pids[0].node.next" } },
	[M_PID_TASKS] = { "pid", { "tasks[0].first" } },
	[M_TASK_FILES] = { "task_struct", { "files" } }, /* include/linux/fdtable.h */
	[M_FILES_TABLE] = { "files_struct", { "fdt" } },
	[M_TABLE_COUNT] = { "fdtable", { "max_fds" } },
	[M_TABLE_FILES] = { "fdtable", { "fd" } },
	[M_FILE_OPS] = { "file", { "f_op" } },
	[M_FILE_DATA] = { "file", { "private_data" } },
	[M_FILE_INODE] = { "file", { "f_inode" } },
	[M_INODE_MAPPING] = { "inode", { "i_mapping" } },
	[M_MAPPING_PAGES] = { "address_space", { "i_pages.xa_head" } },
	[M_FOLIO_MAPPING] = { "folio", { "mapping" } },
	[M_FOLIO_INDEX] = { "folio", { "index" } },
	[M_PAGE_MAPPING] = { "page", { "mapping" } }, /* before there were folios */
	[M_PAGE_INDEX] = { "page", { "index" } },
	[M_CPU_VENDOR] = { "cpuinfo_x86", { "x86_vendor" } },

	[M_SVM_KVM] = { "kvm_svm", { "kvm" } },
	[M_SVM_SEV_ACTIVE] = { "kvm_svm", { "sev_info.active" } },
	[M_SVM_SEV_ES_ACTIVE] = { "kvm_svm", { "sev_info.es_active" } },
	[M_SVM_SEV_FEATURES] = { "kvm_svm", { "sev_info.vmsa_features" } },
	[M_SVM_VCPU] = { "vcpu_svm", { "vcpu" } },
	[M_SVM_VMCB] = { "vcpu_svm", { "vmcb" } },
	[M_SVM_CURRENT_VMCB] = { "vcpu_svm", { "current_vmcb" } },
	[M_SVM_VMCB01] = { "vcpu_svm", { "vmcb01.ptr" } },
	[M_SVM_VMCB02] = { "vcpu_svm", { "nested.vmcb02" } },
	[M_SVM_HSAVE] = { "vcpu_svm", { "nested.hsave" } },
	[M_SVM_SAVE_AREA_PA] = { "svm_cpu_data", { "save_area_pa" } },
	[M_SVM_SAVE_AREA] = { "svm_cpu_data", { "save_area" } },
	[M_VMCB_EXIT_CODE] = { "vmcb", { "control.exit_code" } },
	[M_VMCB_EXIT_CODE_HIGH] = { "vmcb", { "control.exit_code_hi" } },
	[M_VMCB_NESTED_CTL] = { "vmcb", { "control.nested_ctl", "control.misc_ctl" } },
	[M_VMCB_RAX] = { "vmcb", { "save.rax" } },
	[M_VMCB_RSP] = { "vmcb", { "save.rsp" } },
	[M_VMCB_RIP] = { "vmcb", { "save.rip" } },
	[M_VMCB_RFLAGS] = { "vmcb", { "save.rflags" } },
	[M_VMCB_CR0] = { "vmcb", { "save.cr0" } },
	[M_VMCB_CR2] = { "vmcb", { "save.cr2" } },
	[M_VMCB_CR3] = { "vmcb", { "save.cr3" } },
	[M_VMCB_CR4] = { "vmcb", { "save.cr4" } },
	[M_VMCB_EFER] = { "vmcb", { "save.efer" } },
	[M_VMCB_CS] = { "vmcb", { "save.cs.selector" } },
	[M_VMCB_SS] = { "vmcb", { "save.ss.selector" } },
	[M_VMCB_DS] = { "vmcb", { "save.ds.selector" } },
	[M_VMCB_ES] = { "vmcb", { "save.es.selector" } },
	[M_VMCB_FS] = { "vmcb", { "save.fs.selector" } },
	[M_VMCB_GS] = { "vmcb", { "save.gs.selector" } },
	[M_VMCB_CS_BASE] = { "vmcb", { "save.cs.base" } },
	[M_VMCB_FS_BASE] = { "vmcb", { "save.fs.base" } },
	[M_VMCB_GS_BASE] = { "vmcb", { "save.gs.base" } },
	[M_VMCB_KERNEL_GS_BASE] = { "vmcb", { "save.kernel_gs_base" } },
	[M_VMCB_GDTR] = { "vmcb", { "save.gdtr.base" } },
	[M_VMCB_GDTR_LIMIT] = { "vmcb", { "save.gdtr.limit" } },
	[M_VMCB_IDTR] = { "vmcb", { "save.idtr.base" } },
	[M_VMCB_IDTR_LIMIT] = { "vmcb", { "save.idtr.limit" } },

	[M_VMX_VCPU] = { "vcpu_vmx", { "vcpu" } },
	[M_VMX_EXIT_REASON] = { "vcpu_vmx", { "vt.exit_reason.full", "exit_reason.full", "exit_reason" } },
	[M_VMX_RFLAGS] = { "vcpu_vmx", { "rflags" } },
	[M_VMX_KERNEL_GS_BASE] = { "vcpu_vmx", { "msr_guest_kernel_gs_base" } },
	[M_VMX_SEGMENTS] = { "vcpu_vmx", { "segment_cache.seg" } },
	[M_VMX_SEGMENT_SELECTOR] = { "vcpu_vmx", { "segment_cache.seg[0].selector" } },
	[M_VMX_SEGMENT_BASE] = { "vcpu_vmx", { "segment_cache.seg[0].base" } },
	[M_VMX_SEGMENTS_CACHED] = { "vcpu_vmx", { "segment_cache.bitmask" } },
	[M_VMX_LOADED_VMCS] = { "vcpu_vmx", { "loaded_vmcs" } },
	[M_VMX_VMCS02] = { "vcpu_vmx", { "nested.vmcs02" } },
	[M_VMX_VMCS02_VMCS] = { "vcpu_vmx", { "nested.vmcs02.vmcs" } },
	[M_VMX_CACHED_VMCS12] = { "vcpu_vmx", { "nested.cached_vmcs12" } },
	[M_VMX_HOST_RSP] = { "vcpu_vmx", { "host_rsp" } }, /* until 5.3 */
	[M_LOADED_VMCS] = { "loaded_vmcs", { "vmcs" } },
	[M_LOADED_LAUNCHED] = { "loaded_vmcs", { "launched" } },
	[M_LOADED_HOST_RSP] = { "loaded_vmcs", { "host_state.rsp" } }, /* since 5.4 */
	/* Their offsets never change: kernels of guests keep them in memory. */
	[M_VMCS12_GUEST_RIP] = { "vmcs12", { "guest_rip" } },
	[M_VMCS12_GUEST_RSP] = { "vmcs12", { "guest_rsp" } },
	[M_VMCS12_GUEST_RFLAGS] = { "vmcs12", { "guest_rflags" } },
	[M_VMCS12_GUEST_CR3] = { "vmcs12", { "guest_cr3" } },
	[M_VMCS12_GUEST_CS] = { "vmcs12", { "guest_cs_selector" } },
	[M_VMCS12_GUEST_SS] = { "vmcs12", { "guest_ss_selector" } },
	[M_VMCS12_GUEST_DS] = { "vmcs12", { "guest_ds_selector" } },
	[M_VMCS12_GUEST_ES] = { "vmcs12", { "guest_es_selector" } },
	[M_VMCS12_GUEST_FS] = { "vmcs12", { "guest_fs_selector" } },
	[M_VMCS12_GUEST_GS] = { "vmcs12", { "guest_gs_selector" } },
	[M_VMCS12_GUEST_CS_BASE] = { "vmcs12", { "guest_cs_base" } },
	[M_VMCS12_GUEST_FS_BASE] = { "vmcs12", { "guest_fs_base" } },
	[M_VMCS12_GUEST_GS_BASE] = { "vmcs12", { "guest_gs_base" } },
	[M_VMCS12_GUEST_GDTR] = { "vmcs12", { "guest_gdtr_base" } },
	[M_VMCS12_GUEST_GDTR_LIMIT] = { "vmcs12", { "guest_gdtr_limit" } },
	[M_VMCS12_GUEST_IDTR] = { "vmcs12", { "guest_idtr_base" } },
	[M_VMCS12_GUEST_IDTR_LIMIT] = { "vmcs12", { "guest_idtr_limit" } },
	[M_VMCS12_HOST_RIP] = { "vmcs12", { "host_rip" } },
	[M_VMCS12_HOST_RSP] = { "vmcs12", { "host_rsp" } },
	[M_VMCS12_HOST_CR0] = { "vmcs12", { "host_cr0" } },
	[M_VMCS12_HOST_CR3] = { "vmcs12", { "host_cr3" } },
	[M_VMCS12_HOST_CR4] = { "vmcs12", { "host_cr4" } },
	[M_VMCS12_HOST_CS] = { "vmcs12", { "host_cs_selector" } },
	[M_VMCS12_HOST_SS] = { "vmcs12", { "host_ss_selector" } },
	[M_VMCS12_HOST_DS] = { "vmcs12", { "host_ds_selector" } },
	[M_VMCS12_HOST_ES] = { "vmcs12", { "host_es_selector" } },
	[M_VMCS12_HOST_FS] = { "vmcs12", { "host_fs_selector" } },
	[M_VMCS12_HOST_GS] = { "vmcs12", { "host_gs_selector" } },
	[M_VMCS12_HOST_FS_BASE] = { "vmcs12", { "host_fs_base" } },
	[M_VMCS12_HOST_GS_BASE] = { "vmcs12", { "host_gs_base" } },
	[M_VMCS12_HOST_GDTR] = { "vmcs12", { "host_gdtr_base" } },
	[M_VMCS12_HOST_IDTR] = { "vmcs12", { "host_idtr_base" } },
};
/* clang-format on */

static const struct want_set sets[KVM_MEMBER_SETS] = {
	{ "KVM", wants, M_SVM_FIRST },
	{ "KVM on AMD", wants + M_SVM_FIRST, M_VMX_FIRST - M_SVM_FIRST },
	{ "KVM on Intel", wants + M_VMX_FIRST, KVM_MEMBERS - M_VMX_FIRST },
};

const struct want_set *kvm_member_set(size_t i, enum kvm_member *ret_first)
{
	*ret_first = (enum kvm_member)(sets[i].wants - wants);
	return &sets[i];
}

/* ---- looked up once ---- */

struct want_answers *kvm_members_new(void)
{
	return want_answers_new(wants, KVM_MEMBERS);
}

static struct err *ask_scope(void *closure, const char *type, const char *path, struct member *ret)
{
	return type_scope_member(closure, type, path, ret);
}

struct err *kvm_name_member(const struct kvm *kvm, enum kvm_member which, const char **ret_path,
			    const struct member **ret)
{
	struct type_scope types = kvm->types;
	return want_answers_find(kvm->members, which, ask_scope, &types, ret_path, ret);
}

struct err *kvm_find_member(const struct kvm *kvm, enum kvm_member which, bool *ret_exists,
			    const struct member **ret)
{
	const char *path = NULL;
	struct err *e = kvm_name_member(kvm, which, &path, ret);
	if (ret_exists)
		*ret_exists = path;
	return e;
}

const struct member *kvm_member(const struct kvm *kvm, enum kvm_member which)
{
	static const struct member none;
	const struct member *m = &none;
	err_free(kvm_name_member(kvm, which, NULL, &m));
	return m;
}

bool kvm_has_member(const struct kvm *kvm, enum kvm_member which)
{
	const struct member *m;
	const char *path = NULL;
	err_free(kvm_name_member(kvm, which, &path, &m));
	return path;
}
