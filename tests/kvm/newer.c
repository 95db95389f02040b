// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KVM's structures in kernels from 5.17 on, under their public names, built into the newer test
 * kernel: vCPUs in an XArray, memory slots in a tree, the MMU behind a pointer, both makers' parts.
 * Offsets are those of no real build.
 */
#include "basics.h"

enum kvm_reg {
	VCPU_REGS_RSP = 4,
	VCPU_REGS_RIP = 16,
	VCPU_EXREG_PDPTR,
	VCPU_EXREG_CR0,
	VCPU_EXREG_CR3,
	VCPU_EXREG_CR4,
	VCPU_EXREG_RFLAGS,
	VCPU_EXREG_SEGMENTS,
};

struct preempt_notifier {
	struct hlist_node link;
	void *ops;
};
struct kvm_mmu {
	struct {
		u64 pgd, hpa;
	} root;
	struct {
		u32 level, direct;
	} root_role;
};
struct kvm_vcpu_arch {
	unsigned long regs[17];
	u32 regs_avail, regs_dirty;
	unsigned long cr0, cr0_guest_owned_bits, cr2, cr3, cr4, cr4_guest_owned_bits;
	u64 efer;
	u32 hflags;
	int mp_state;
	bool guest_state_protected;
	struct kvm_mmu *mmu, root_mmu, guest_mmu;
};
struct kvm_vcpu {
	struct kvm *kvm;
	struct preempt_notifier preempt_notifier;
	int cpu, vcpu_id, vcpu_idx, mode;
	u64 requests;
	struct pid *pid;
	bool preempted;
	struct kvm_vcpu_arch arch;
};

struct kvm_memory_slot {
	struct rb_node gfn_node[2];
	u64 base_gfn;
	unsigned long npages, userspace_addr;
	u32 flags;
	short id;
	u16 as_id;
};
struct kvm_memslots {
	u64 generation;
	struct rb_root gfn_tree;
	int node_idx;
};
struct kvm {
	struct mm_struct *mm;
	struct kvm_memslots *memslots[2];
	struct xarray vcpu_array;
	atomic_t online_vcpus;
	struct list_head vm_list;
	struct {
		u8 vm_type;
	} arch;
};

struct vmcb_seg {
	u16 selector, attrib;
	u32 limit;
	u64 base;
};
struct vmcb {
	struct {
		u32 exit_code, exit_code_hi;
		u64 nested_ctl;
	} control;
	struct {
		struct vmcb_seg es, cs, ss, ds, fs, gs;
		u64 efer, cr4, cr3, cr0, rflags, rip, rsp, rax, kernel_gs_base, cr2;
	} save;
};
struct kvm_vmcb_info {
	struct vmcb *ptr;
};
struct vcpu_svm {
	struct kvm_vcpu vcpu;
	struct vmcb *vmcb;
	struct kvm_vmcb_info vmcb01, *current_vmcb;
	struct {
		struct kvm_vmcb_info vmcb02;
	} nested;
};
struct kvm_svm {
	struct kvm kvm;
	struct {
		bool active, es_active;
	} sev_info;
};

struct vmcs {
	u32 revision_id, abort;
	char data[4096 - 8];
};
struct vmcs12 {
	u32 revision_id, abort, launch_state;
	u64 guest_cr3, guest_rip, guest_rsp, guest_rflags, host_cr3, host_rip, host_rsp;
};
struct loaded_vmcs {
	struct vmcs *vmcs;
	int cpu;
	bool launched;
#ifndef OLDER_ENTRY
	struct {
		unsigned long cr3, rsp;
	} host_state;
#endif
};
struct vcpu_vmx {
	struct kvm_vcpu vcpu;
#ifdef OLDER_ENTRY
	unsigned long host_rsp;
#endif
	unsigned long rflags;
	u32 exit_reason;
	u64 msr_guest_kernel_gs_base;
	struct {
		u32 bitmask;
		struct kvm_save_segment {
			u16 selector;
			unsigned long base;
			u32 limit, ar;
		} seg[8];
	} segment_cache;
	struct loaded_vmcs vmcs01, *loaded_vmcs;
	struct {
		struct vmcs12 *cached_vmcs12;
		struct loaded_vmcs vmcs02;
	} nested;
};

/* Where SVM keeps the host: with OLDER_ENTRY, and as VMX's above, as before 6.1 (and 5.1). */
struct page {
	unsigned long flags;
	char rest[56];
};
struct svm_cpu_data {
	u64 asid_generation;
	u32 max_asid, next_asid, min_asid;
#ifdef OLDER_ENTRY
	struct page *save_area;
#else
	struct vmcb *save_area;
	unsigned long save_area_pa;
#endif
};
#ifdef OLDER_ENTRY
__attribute__((section(".data..percpu"))) struct svm_cpu_data *svm_data;
#else
__attribute__((section(".data..percpu"))) struct svm_cpu_data svm_data;
#endif

struct cpuinfo_x86 {
	u8 x86, x86_vendor;
};

struct cpuinfo_x86 boot_cpu_data;
struct list_head vm_list = { &vm_list, &vm_list };
long kvm_preempt_ops;
bool tdp_enabled = 1;

/* Only their types are wanted. */
extern struct kvm_svm *of_type_kvm_svm;
extern struct vcpu_svm *of_type_vcpu_svm;
extern struct vcpu_vmx *of_type_vcpu_vmx;
extern struct vmcs12 *of_type_vmcs12;
extern struct kvm_memory_slot *of_type_slot;
extern enum kvm_reg of_type_kvm_reg;
extern struct svm_cpu_data *of_type_svm_cpu_data;
extern struct page *of_type_page;

/* SVM built in: pushes, and what is behind VMRUN, at 0x60. */
asm("	.text\n"
    "	.globl __svm_vcpu_run\n"
    "	.type __svm_vcpu_run, @function\n"
    "__svm_vcpu_run:\n"
    "	push %rbp; push %r15; push %r14; push %r13; push %r12; push %rbx; push %rdi\n"
    "	.org __svm_vcpu_run + 0x5d, 0x90\n"
    "	.byte 0x0f, 0x01, 0xd8\n"
    "	.org __svm_vcpu_run + 0x80, 0x90\n"
    "	.size __svm_vcpu_run, . - __svm_vcpu_run\n"
    "	.globl svm_vcpu_enter_exit\n"
    "	.type svm_vcpu_enter_exit, @function\n"
    "svm_vcpu_enter_exit:\n"
    "	.skip 0x20, 0x90\n"
    "	.byte 0xe8\n"
    "	.long __svm_vcpu_run - . - 4\n"
    "	.skip 0x20, 0x90\n"
    "	.size svm_vcpu_enter_exit, . - svm_vcpu_enter_exit\n");
