// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KVM's structures through the years, under their public names, built into the newer test kernel:
 * SHAPE says as which kernel has them (404: 4.4, 504: 5.4, 515: 5.15, 601: 6.1, 612: 6.12, 703:
 * 7.3). Only what is read of them is here; offsets are those of no real build.
 */
#include "basics.h"

#if SHAPE >= 702
enum kvm_reg {
	VCPU_REGS_RSP = 4,
	VCPU_REG_RIP = 16,
	VCPU_REG_PDPTR,
	VCPU_REG_CR0,
	VCPU_REG_CR3,
	VCPU_REG_CR4,
	VCPU_REG_RFLAGS,
	VCPU_REG_SEGMENTS,
};
#elif SHAPE >= 507
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
#else
enum kvm_reg {
	VCPU_REGS_RSP = 4,
	VCPU_REGS_RIP = 16,
	VCPU_EXREG_PDPTR,
	VCPU_EXREG_CR3,
	VCPU_EXREG_RFLAGS,
	VCPU_EXREG_SEGMENTS,
};
#endif

/* ---- the MMU ---- */

union kvm_mmu_page_role {
	u32 word;
	struct {
		unsigned level : 4;
#if SHAPE < 519
		unsigned gpte_is_8_bytes : 1;
#else
		unsigned has_4_byte_gpte : 1;
#endif
		unsigned quadrant : 2, direct : 1, access : 3, invalid : 1, efer_nx : 1, cr0_wp : 1;
		unsigned smep_andnot_wp : 1, smap_andnot_wp : 1, ad_disabled : 1, guest_mode : 1;
		unsigned : 6;
		unsigned smm : 8;
	};
};
union kvm_cpu_role {
	u64 as_u64;
	struct {
		union kvm_mmu_page_role base;
		union {
			u32 word;
			struct {
				unsigned valid : 1, execonly : 1, cr4_pse : 1, cr4_pke : 1;
				unsigned cr4_smap : 1, cr4_smep : 1, cr4_la57 : 1;
			};
		} ext;
	};
};
struct kvm_mmu_page {
	struct list_head link;
	struct hlist_node hash_link;
#if SHAPE >= 507
	bool tdp_mmu_page;
#endif
	union kvm_mmu_page_role role;
	u64 gfn;
	u64 *spt;
#if SHAPE >= 514
	union {
		int root_count;
		struct {
			atomic_t refs;
		} tdp_mmu_root_count;
	};
#else
	int root_count;
#endif
};
#if SHAPE >= 703
struct kvm_pagewalk {
	union kvm_cpu_role cpu_role;
};
#endif
struct kvm_mmu {
#if SHAPE < 507
	void *set_cr3;
#endif
#if SHAPE >= 519
	struct {
		u64 pgd, hpa;
	} root;
	union kvm_mmu_page_role root_role;
#if SHAPE >= 703
	struct kvm_pagewalk *w;
#else
	union kvm_cpu_role cpu_role;
#endif
#else
	u64 root_hpa;
#if SHAPE >= 507
	u64 root_pgd;
#endif
	u8 root_level, shadow_root_level;
	bool direct_map;
#if SHAPE >= 420
	union kvm_cpu_role mmu_role;
#else
	union kvm_mmu_page_role base_role;
#endif
#endif
	u64 *pae_root;
};

/* ---- vCPUs ---- */

struct preempt_notifier {
	struct hlist_node link;
	void *ops;
};
struct kvm_vcpu_arch {
#if SHAPE >= 702
	unsigned long regs[16], rip;
	unsigned long regs_avail[1], regs_dirty[1];
#else
	unsigned long regs[17];
	u32 regs_avail, regs_dirty;
#endif
	unsigned long cr0, cr0_guest_owned_bits, cr2, cr3, cr4, cr4_guest_owned_bits;
	u64 efer;
	u32 hflags;
	int mp_state;
#if SHAPE >= 511
	bool guest_state_protected;
#endif
#if SHAPE >= 420
	struct kvm_mmu *mmu, root_mmu, guest_mmu, nested_mmu, *walk_mmu;
#if SHAPE >= 703
	struct kvm_pagewalk gva_walk, ngpa_walk;
#endif
#else
	struct kvm_mmu mmu, nested_mmu, *walk_mmu;
#endif
};
struct kvm_vcpu {
	struct kvm *kvm;
	struct preempt_notifier preempt_notifier;
	int cpu, vcpu_id, mode;
#if SHAPE >= 507
	int vcpu_idx;
#endif
	u64 requests;
	struct pid *pid;
	bool preempted;
	struct kvm_vcpu_arch arch;
};

/* ---- VMs ---- */

struct kvm_memory_slot {
#if SHAPE >= 517
	struct rb_node gfn_node[2];
#endif
	u64 base_gfn;
	unsigned long npages, userspace_addr;
	u32 flags;
	short id;
#if SHAPE >= 510
	u16 as_id;
#endif
#if SHAPE >= 608
	struct {
		struct file *file;
		unsigned long pgoff;
	} gmem;
#endif
};
struct kvm_memslots {
	u64 generation;
#if SHAPE >= 517
	struct rb_root gfn_tree;
	int node_idx;
#elif SHAPE >= 507
	int used_slots;
	struct kvm_memory_slot memslots[];
#else
	struct kvm_memory_slot memslots[512];
	int used_slots;
#endif
};
struct kvm {
	struct mm_struct *mm;
#if SHAPE >= 404
	struct kvm_memslots *memslots[2];
#endif
#if SHAPE >= 517
	struct xarray vcpu_array;
#else
	struct kvm_vcpu *vcpus[255];
#endif
	atomic_t online_vcpus;
	struct list_head vm_list;
#if SHAPE >= 608
	struct xarray mem_attr_array;
#endif
	struct {
#if SHAPE >= 608
		u8 vm_type;
#endif
#if SHAPE < 702
		unsigned long n_used_mmu_pages;
#endif
		unsigned long n_max_mmu_pages;
		struct list_head active_mmu_pages;
#if SHAPE >= 510
		struct list_head tdp_mmu_roots;
#endif
	} arch;
};

/* ---- AMD ---- */

struct vmcb_seg {
	u16 selector, attrib;
	u32 limit;
	u64 base;
};
struct vmcb {
	struct {
		u32 exit_code, exit_code_hi;
		u64 nested_ctl, nested_cr3;
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
#if SHAPE >= 514
	struct kvm_vmcb_info vmcb01, *current_vmcb;
	struct {
		struct kvm_vmcb_info vmcb02;
	} nested;
#else
	struct {
		struct vmcb *hsave;
	} nested;
#endif
};
struct kvm_svm {
	struct kvm kvm;
	struct {
		bool active, es_active;
		u64 vmsa_features;
	} sev_info;
};

/* ---- Intel ---- */

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
#if SHAPE >= 504
	struct {
		unsigned long cr3, rsp;
	} host_state;
#endif
};
union vmx_exit_reason {
	struct {
		u32 basic : 16, : 15, failed_vmentry : 1;
	};
	u32 full;
};
struct vcpu_vt {
	union vmx_exit_reason exit_reason;
};
struct vcpu_vmx {
	struct kvm_vcpu vcpu;
#if SHAPE >= 616
	struct vcpu_vt vt;
#endif
#if SHAPE < 504
	unsigned long host_rsp;
#endif
	unsigned long rflags;
#if SHAPE >= 511 && SHAPE < 616
	union vmx_exit_reason exit_reason;
#elif SHAPE < 511
	u32 exit_reason;
#endif
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
#if SHAPE >= 415
		struct loaded_vmcs vmcs02;
#endif
	} nested;
};

/* ---- what is around them ---- */

struct page {
	unsigned long flags;
	union {
		struct {
			struct list_head lru;
			struct address_space *mapping;
			unsigned long index, private;
		};
	};
	u32 page_type, _refcount;
	unsigned long memcg_data;
};
struct folio {
	union {
		struct {
			unsigned long flags;
			struct list_head lru;
			struct address_space *mapping;
			unsigned long index;
		};
		struct page page;
	};
};
struct address_space {
	struct inode *host;
	struct xarray i_pages;
};
struct inode {
	struct address_space *i_mapping;
	long long i_size;
};
struct file {
	void *f_op, *private_data;
	struct inode *f_inode;
	struct address_space *f_mapping;
};

struct cpuinfo_x86 {
	u8 x86, x86_vendor;
};

struct cpuinfo_x86 boot_cpu_data;
struct list_head vm_list = { &vm_list, &vm_list };
long kvm_preempt_ops;
bool tdp_enabled = 1;
unsigned long vmemmap_base = 0xffffea0000000000;

/* Only their types are wanted. */
extern struct kvm_svm *of_type_kvm_svm;
extern struct vcpu_svm *of_type_vcpu_svm;
extern struct vcpu_vmx *of_type_vcpu_vmx;
extern struct vmcs12 *of_type_vmcs12;
extern struct kvm_memory_slot *of_type_slot;
extern enum kvm_reg of_type_kvm_reg;
extern struct kvm_mmu_page *of_type_kvm_mmu_page;
extern struct page *of_type_page;
extern struct folio *of_type_folio;
extern struct file *of_type_file;
extern struct inode *of_type_inode;
