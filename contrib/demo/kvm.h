/* SPDX-License-Identifier: GPL-2.0-or-later */
/* As kernel.h, for the structures of 3.10's kvm and kvm-intel. */
#ifndef DEMO_KVM_H
#define DEMO_KVM_H

#include "kernel.h"

typedef unsigned long gva_t;
typedef u64 gpa_t;
typedef unsigned long gfn_t;
typedef u64 hpa_t;
typedef u64 pfn_t;

#define KVM_MAX_VCPUS	  16
#define KVM_MEM_SLOTS_NUM 8

/* arch/x86/include/asm/kvm_host.h: the order of kvm_vcpu_arch.regs and the bits of regs_avail */
enum kvm_reg {
	VCPU_REGS_RAX,
	VCPU_REGS_RCX,
	VCPU_REGS_RDX,
	VCPU_REGS_RBX,
	VCPU_REGS_RSP,
	VCPU_REGS_RBP,
	VCPU_REGS_RSI,
	VCPU_REGS_RDI,
	VCPU_REGS_R8,
	VCPU_REGS_R9,
	VCPU_REGS_R10,
	VCPU_REGS_R11,
	VCPU_REGS_R12,
	VCPU_REGS_R13,
	VCPU_REGS_R14,
	VCPU_REGS_R15,
	VCPU_REGS_RIP,
	NR_VCPU_REGS,
};

enum kvm_reg_ex {
	VCPU_EXREG_PDPTR = NR_VCPU_REGS,
	VCPU_EXREG_CR3,
	VCPU_EXREG_RFLAGS,
	VCPU_EXREG_CPL,
	VCPU_EXREG_SEGMENTS,
};

struct kvm;
struct kvm_vcpu;
struct preempt_notifier;

struct preempt_ops {
	void (*sched_in)(struct preempt_notifier *notifier, int cpu);
	void (*sched_out)(struct preempt_notifier *notifier, struct task_struct *next);
};

struct preempt_notifier {
	struct hlist_node link;
	struct preempt_ops *ops;
};

union kvm_mmu_page_role {
	unsigned int word;
	struct {
		unsigned int level : 4;
		unsigned int cr4_pae : 1;
		unsigned int quadrant : 2;
		unsigned int pad_for_nice_hex_output : 6;
		unsigned int direct : 1;
		unsigned int access : 3;
		unsigned int invalid : 1;
		unsigned int nxe : 1;
		unsigned int cr0_wp : 1;
		unsigned int smep_andnot_wp : 1;
	};
};

struct kvm_mmu_page {
	struct list_head link;
	struct hlist_node hash_link;
	gfn_t gfn;
	union kvm_mmu_page_role role;
	u64 *spt;
	gfn_t *gfns;
	int root_count;
	unsigned int unsync_children;
};

struct kvm_mmu {
	void (*set_cr3)(struct kvm_vcpu *vcpu, unsigned long root);
	unsigned long (*get_cr3)(struct kvm_vcpu *vcpu);
	u64 (*get_pdptr)(struct kvm_vcpu *vcpu, int index);
	int (*page_fault)(struct kvm_vcpu *vcpu, gva_t gva, u32 err, bool prefault);
	void (*inject_page_fault)(struct kvm_vcpu *vcpu, void *fault);
	gpa_t (*gva_to_gpa)(struct kvm_vcpu *vcpu, gva_t gva, u32 access, void *exception);
	gpa_t (*translate_gpa)(struct kvm_vcpu *vcpu, gpa_t gpa, u32 access);
	int (*sync_page)(struct kvm_vcpu *vcpu, struct kvm_mmu_page *sp);
	void (*invlpg)(struct kvm_vcpu *vcpu, gva_t gva);
	void (*update_pte)(struct kvm_vcpu *vcpu, struct kvm_mmu_page *sp, u64 *spte);
	hpa_t root_hpa;
	int root_level;
	int shadow_root_level;
	union kvm_mmu_page_role base_role;
	bool direct_map;
	u8 permissions[16];
	u64 *pae_root;
	u64 *lm_root;
	u64 rsvd_bits_mask[2][4];
	bool nx;
	u64 pdptrs[4];
};

struct kvm_vcpu_arch {
	unsigned long regs[NR_VCPU_REGS];
	u32 regs_avail;
	u32 regs_dirty;
	unsigned long cr0;
	unsigned long cr0_guest_owned_bits;
	unsigned long cr2;
	unsigned long cr3;
	unsigned long cr4;
	unsigned long cr4_guest_owned_bits;
	unsigned long cr8;
	u32 hflags;
	u64 efer;
	u64 apic_base;
	struct kvm_lapic *apic;
	unsigned long apic_attention;
	int mp_state;
	u64 ia32_misc_enable_msr;
	bool tpr_access_reporting;
	struct kvm_mmu mmu;
	struct kvm_mmu nested_mmu;
	struct kvm_mmu *walk_mmu;
};

struct kvm_vcpu_stat {
	u32 pf_fixed, pf_guest, tlb_flush, invlpg;
	u32 exits, io_exits, mmio_exits, signal_exits;
	u32 irq_window_exits, nmi_window_exits, halt_exits, halt_wakeup;
	u32 request_irq_exits, irq_exits, host_state_reload, efer_reload;
	u32 fpu_reload, insn_emulation, insn_emulation_fail, hypercalls;
	u32 irq_injections, nmi_injections;
};

struct kvm_mmio_fragment {
	gpa_t gpa;
	void *data;
	unsigned int len;
};

struct kvm_async_pf_queue {
	u32 queued;
	struct list_head queue;
	struct list_head done;
	spinlock_t lock;
};

struct kvm_vcpu {
	struct kvm *kvm;
	struct preempt_notifier preempt_notifier;
	int cpu;
	int vcpu_id;
	int srcu_idx;
	int mode;
	unsigned long requests;
	unsigned long guest_debug;
	struct mutex mutex;
	struct kvm_run *run;
	int fpu_active;
	int guest_fpu_loaded, guest_xcr0_loaded;
	wait_queue_head_t wq;
	struct pid *pid;
	int sigset_active;
	unsigned long sigset;
	struct kvm_vcpu_stat stat;
	bool mmio_needed;
	bool mmio_read_completed;
	bool mmio_is_write;
	int mmio_cur_fragment;
	int mmio_nr_fragments;
	struct kvm_mmio_fragment mmio_fragments[2];
	struct kvm_async_pf_queue async_pf;
	bool preempted;
	/* For all that is left out above: puts arch.mmu.set_cr3 at 0x348, where the case has it. */
	unsigned long demo_left_out[25];
	struct kvm_vcpu_arch arch;
};

struct kvm_memory_slot {
	gfn_t base_gfn;
	unsigned long npages;
	unsigned long *dirty_bitmap;
	unsigned long userspace_addr;
	u32 flags;
	short id;
};

struct kvm_memslots {
	u64 generation;
	struct kvm_memory_slot memslots[KVM_MEM_SLOTS_NUM];
	short id_to_index[KVM_MEM_SLOTS_NUM];
	int used_slots;
};

struct kvm_arch {
	unsigned int n_used_mmu_pages;
	unsigned int n_requested_mmu_pages;
	unsigned int n_max_mmu_pages;
	struct list_head active_mmu_pages;
};

struct kvm {
	spinlock_t mmu_lock;
	struct mutex slots_lock;
	struct mm_struct *mm;
	struct kvm_memslots *memslots;
	struct kvm_vcpu *vcpus[KVM_MAX_VCPUS];
	atomic_t online_vcpus;
	int last_boosted_vcpu;
	struct list_head vm_list;
	struct mutex lock;
	struct kvm_arch arch;
	atomic_t users_count;
	unsigned long mmu_notifier_seq;
	long mmu_notifier_count;
	pid_t userspace_pid;
};

/* arch/x86/kvm/vmx.c */
struct vmcs {
	u32 revision_id;
	u32 abort;
	char data[0];
};

struct loaded_vmcs {
	struct vmcs *vmcs;
	int cpu;
	int launched;
	struct list_head loaded_vmcss_on_cpu_link;
};

struct vcpu_vmx {
	struct kvm_vcpu vcpu;
	unsigned long host_rsp;
	u8 fail;
	u8 cpl;
	bool nmi_known_unmasked;
	u32 exit_intr_info;
	u32 idt_vectoring_info;
	unsigned long rflags;
	u64 msr_host_kernel_gs_base;
	u64 msr_guest_kernel_gs_base;
	struct loaded_vmcs vmcs01;
	struct loaded_vmcs *loaded_vmcs;
	bool __launched;
	int vpid;
	bool emulation_required;
	u32 exit_reason;
};

/* How long the modules' symbol tables are; the recipe says so too. */
enum { KVM_SYMBOLS = 6, KVM_INTEL_SYMBOLS = 3 };

#endif
