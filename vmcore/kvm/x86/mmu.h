/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KVM's MMU of a vCPU: which tables the processor uses for it (EPT, NPT, or shadow tables), and
 * what KVM says of them.
 */
#ifndef VMCORE_KVM_X86_MMU_H
#define VMCORE_KVM_X86_MMU_H

#include <stdbool.h>
#include <stdint.h>

#include "vmcore/kvm/kvm.h"
#include "vmcore/memory/guest_walk.h"

struct err;

/* A number that this kernel may not have. */
struct mmu_number {
	bool known;
	uint64_t value;
};

struct vcpu_mmu {
	uint64_t address;  /* struct kvm_mmu: kvm_vcpu_arch.mmu */
	uint64_t root_hpa; /* all ones: there are no tables */
	bool has_root;
	struct mmu_number pgd; /* the guest's root that they stand for: CR3 or EPTP */
	struct mmu_number level, guest_level;
	struct mmu_number direct;
	/* Two-dimensional paging is on (kvm's tdp_enabled): the tables translate guest physical
	 * addresses. */
	bool tdp_known, tdp;
	bool is_nested;	   /* they translate physical addresses of the guest's guest */
	uint64_t pagewalk; /* struct kvm_pagewalk, which has the guest's role since 7.3; 0: none */
	/* The tables, as guest_walk() takes them; valid where `walkable`, else `why` says why not
	 * (static). */
	struct walk_space space;
	bool walkable;
	const char *why;
};

/* ERR_NOTFOUND when this kernel's structures are unknown; a memory kind when they are missing. */
__attribute__((warn_unused_result)) struct err *
vcpu_mmu_read(struct kvm *kvm, const struct vcpu *vcpu, struct vcpu_mmu *ret);

/* Reads the host's physical memory for guest_walk(); borrows @kvm. */
struct walk_reader mmu_reader(struct kvm *kvm);

/* struct kvm_mmu_page: what KVM knows of a table. */
struct mmu_page {
	uint64_t address;
	struct mmu_number gfn, root_count, tdp_mmu, nx_huge_page_disallowed;
};

/*
 * Of the table at physical address @table, by struct page.private. Believed when its `spt` leads
 * back to the table; ERR_NOTFOUND otherwise.
 */
__attribute__((warn_unused_result)) struct err *mmu_page_of(struct kvm *kvm, uint64_t table,
							    struct mmu_page *ret);
/* The descriptor at @address, with its table's physical address. */
__attribute__((warn_unused_result)) struct err *
mmu_page_at(struct kvm *kvm, uint64_t address, struct mmu_page *ret, uint64_t *ret_table);

/* The bits of a union kvm_mmu_page_role, by the names this kernel has for them. */
typedef void mmu_role_fn(void *closure, const char *name, uint64_t value);
/* @path: "role" of a struct kvm_mmu_page, "root_role" of a struct kvm_mmu, ... at @base. False if
 * this kernel has none. */
bool mmu_role(struct kvm *kvm, uint64_t base, const char *type, const char *path, mmu_role_fn *fn,
	      void *closure);

/* Counts of the VM (n_used_mmu_pages, ...) that this kernel has. */
void mmu_counts(struct kvm *kvm, const struct vm *vm, mmu_role_fn *fn, void *closure);

/* Calls @fn with the struct kvm_mmu_page of each root in kvm->arch.tdp_mmu_roots; false if the list
 * is damaged, which ends the walk. */
bool mmu_tdp_roots(struct kvm *kvm, const struct vm *vm, void (*fn)(void *closure, uint64_t page),
		   void *closure);

/* Where the kernel's array of struct page is, and the size of one. Whatever is found by it
 * is to be checked: the place is assumed where no symbol tells it. */
__attribute__((warn_unused_result)) struct err *kvm_page_array(struct kvm *kvm, uint64_t *ret_base,
							       uint64_t *ret_size);

#endif
