// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kvm/x86/mmu.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/module_types.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kvm/kvm_private.h"
#include "vmcore/memory/memory.h"

enum { ROOTS_MAX = 1024 };

/* Where struct page's array begins without KASLR of memory regions (arch/x86/mm; before 4.8
 * always). Whatever is found by it is checked. */
#define VMEMMAP_BASE UINT64_C(0xffffea0000000000)

static const struct kernel *kernel_of(struct kvm *kvm)
{
	return kvm_parts(kvm)->k;
}

static struct mmu_number read_number(struct kvm *kvm, uint64_t base, enum kvm_member which)
{
	struct mmu_number n = { 0 };
	n.known = kvm_get(kvm, base, which, &n.value);
	return n;
}

/* kvm_vcpu_arch.mmu is the structure itself until 4.19, and a pointer since. */
static struct err *find_mmu(struct kvm *kvm, const struct vcpu *vcpu, uint64_t *ret)
{
	const struct member *m;
	bool exists;
	struct err *e = kvm_find_member(kvm, M_VCPU_MMU, &exists, &m);
	if (e)
		return e;
	if (!exists)
		return err_new(ERR_NOTFOUND, "KVM's types have no arch.mmu");
	if (m->is_pointer)
		return kernel_read_member(kernel_of(kvm), vcpu->address, m, ret);
	*ret = vcpu->address + m->offset;
	return NULL;
}

/*
 * Whether the tables are those of the guest's guest: then mmu is guest_mmu, or, before that was,
 * the one that walks the guest's is nested_mmu (mmu_is_nested()).
 */
static bool find_nested(struct kvm *kvm, const struct vcpu *vcpu, uint64_t mmu)
{
	uint64_t walker;
	if (kvm_has_member(kvm, M_VCPU_GUEST_MMU))
		return mmu == vcpu->address + kvm_member(kvm, M_VCPU_GUEST_MMU)->offset;
	return kvm_has_member(kvm, M_VCPU_NESTED_MMU) &&
	       kvm_get(kvm, vcpu->address, M_VCPU_WALK_MMU, &walker) &&
	       walker == vcpu->address + kvm_member(kvm, M_VCPU_NESTED_MMU)->offset;
}

/* How many levels the guest's own tables have. */
static void find_guest_level(struct kvm *kvm, struct vcpu_mmu *mmu)
{
	struct mmu_number walk = read_number(kvm, mmu->address, M_MMU_WALK);
	if (walk.known && walk.value) {
		mmu->pagewalk = walk.value;
		mmu->guest_level = read_number(kvm, walk.value, M_WALK_GUEST_LEVEL);
		return;
	}
	mmu->guest_level = read_number(kvm, mmu->address, M_MMU_GUEST_LEVEL);
}

/* The variable tdp_enabled of kvm.ko: a bool. */
static void find_tdp(struct kvm *kvm, struct vcpu_mmu *mmu)
{
	uint64_t at;
	unsigned char value;
	struct err *e;
	if (!code_map_address(kvm_parts(kvm)->code, "kvm", "tdp_enabled", &at))
		return;
	e = kernel_read(kernel_of(kvm), at, &value, 1);
	mmu->tdp_known = !e && value <= 1;
	mmu->tdp = mmu->tdp_known && value;
	err_free(e);
}

static struct err *read_byte(struct kvm *kvm, uint64_t pa)
{
	unsigned char byte;
	size_t got;
	return memory_read_phys(kernel_memory(kernel_of(kvm)), pa, &byte, 1, &got);
}

/* What kind of tables the root is of. */
static const char *choose_format(struct kvm *kvm, struct vcpu_mmu *mmu)
{
	enum kvm_vendor vendor = kvm_vendor(kvm);
	if (!mmu->has_root)
		return "there are no tables: the root is invalid";
	if (!mmu->level.known)
		return "how many levels they have is unknown";
	if (!mmu->tdp_known)
		return "whether two-dimensional paging is on is unknown (kvm's tdp_enabled)";
	mmu->space = (struct walk_space){
		.root = mmu->root_hpa,
		.levels = (uint8_t)mmu->level.value,
		.spte = true,
		.shadow = !mmu->tdp,
		/* Direct tables stand for one range of guest memory each; shadows of the guest's
		 * own are shared as those are. */
		.tree = mmu->direct.known && mmu->direct.value,
		.c_mask = kernel_space(kernel_of(kvm))->c_mask,
	};
	if (mmu->level.value == 3 && (!mmu->tdp || vendor == KVM_SVM))
		mmu->space.format = WALK_PAE;
	else if (mmu->level.value != 4 && mmu->level.value != 5)
		return "they have a number of levels that no tables have";
	else if (mmu->tdp && vendor == KVM_VMX)
		mmu->space.format = WALK_EPT;
	else if (mmu->tdp && vendor == KVM_VENDOR_UNKNOWN)
		return "whether they are EPT or NPT is unknown";
	else
		mmu->space.format = WALK_LONG;
	return NULL;
}

struct err *vcpu_mmu_read(struct kvm *kvm, const struct vcpu *vcpu, struct vcpu_mmu *ret)
{
	struct vcpu_mmu mmu = { 0 };
	struct err *e = find_mmu(kvm, vcpu, &mmu.address);
	if (e)
		return err_wrap(e, "find the MMU of the vCPU at 0x%" PRIx64, vcpu->address);
	struct mmu_number root = read_number(kvm, mmu.address, M_MMU_ROOT);
	if (!root.known)
		return err_new(ERR_NOTFOUND,
			       "the MMU of the vCPU at 0x%" PRIx64 " has no root that can be read",
			       vcpu->address);
	mmu.root_hpa = root.value;
	mmu.has_root = root.value != UINT64_MAX;
	mmu.pgd = read_number(kvm, mmu.address, M_MMU_PGD);
	mmu.level = read_number(kvm, mmu.address, M_MMU_LEVEL);
	find_guest_level(kvm, &mmu);
	mmu.direct = read_number(kvm, mmu.address, M_MMU_DIRECT);
	mmu.is_nested = find_nested(kvm, vcpu, mmu.address);
	find_tdp(kvm, &mmu);
	mmu.why = choose_format(kvm, &mmu);
	if (!mmu.why) {
		struct walk_reader reader = mmu_reader(kvm);
		e = guest_walk_find_rules(&reader, &mmu.space);
		if (!e)
			e = read_byte(kvm, walk_root_table(&mmu.space));
		if (e)
			mmu.why = "the dump does not hold the root table";
		err_free(e);
	}
	mmu.walkable = !mmu.why;
	*ret = mmu;
	return NULL;
}

static struct err *read_host(void *self, uint64_t pa, void *out, size_t len)
{
	struct kvm *kvm = self;
	size_t done;
	struct err *e = memory_read_phys(kernel_memory(kernel_of(kvm)), pa, out, len, &done);
	if (!e && done < len)
		e = err_new(ERR_MISSING, "physical address 0x%" PRIx64 ": not in the dump",
			    pa + done);
	return e;
}

struct walk_reader mmu_reader(struct kvm *kvm)
{
	return (struct walk_reader){ kvm, read_host };
}

/* ---- descriptors of tables ---- */

struct err *mmu_page_at(struct kvm *kvm, uint64_t address, struct mmu_page *ret,
			uint64_t *ret_table)
{
	struct vtop vtop;
	struct mmu_number spt = read_number(kvm, address, M_SP_SPT);
	if (!spt.known)
		return err_new(ERR_NOTFOUND,
			       "there is no struct kvm_mmu_page at 0x%" PRIx64 " that can be read",
			       address);
	struct err *e = memory_vtop(kernel_memory(kernel_of(kvm)), kernel_space(kernel_of(kvm)),
				    spt.value, &vtop);
	if (e)
		return e;
	*ret = (struct mmu_page){
		.address = address,
		.gfn = read_number(kvm, address, M_SP_GFN),
		.root_count = read_number(kvm, address, M_SP_ROOT_COUNT),
		.tdp_mmu = read_number(kvm, address, M_SP_TDP_MMU),
		.nx_huge_page_disallowed = read_number(kvm, address, M_SP_NX_HUGE),
	};
	*ret_table = vtop.pa;
	return NULL;
}

struct err *kvm_page_array(struct kvm *kvm, uint64_t *ret_base, uint64_t *ret_size)
{
	uint64_t symbol, base = VMEMMAP_BASE, size;
	struct err *e = NULL;
	if (kernel_symbol(kernel_of(kvm), "vmemmap_base", &symbol))
		e = kernel_read_u64(kernel_of(kvm), symbol, &base);
	if (!e)
		e = type_scope_size(kvm_types(kvm), "page", &size);
	if (!e && !size)
		e = err_new(ERR_NOTFOUND, "struct page has no size");
	if (!e) {
		*ret_base = base;
		*ret_size = size;
	}
	return e;
}

struct err *mmu_page_of(struct kvm *kvm, uint64_t table, struct mmu_page *ret)
{
	const struct kernel *k = kernel_of(kvm);
	uint64_t base, size, address, own_table;
	struct mmu_page page;
	struct err *e = kvm_page_array(kvm, &base, &size);
	if (!e)
		e = kernel_read_path(k, base + (table >> PAGE_SHIFT) * size, "page", "private",
				     &address);
	if (!e && !address)
		e = err_new(ERR_NOTFOUND, "struct page.private is 0");
	if (!e)
		e = mmu_page_at(kvm, address, &page, &own_table);
	if (!e && own_table != (table & ~(uint64_t)(PAGE_SIZE - 1)))
		e = err_new(ERR_NOTFOUND, "struct page.private leads to none that is its own");
	if (e)
		return err_wrap(e, "find the struct kvm_mmu_page of the table at 0x%" PRIx64,
				table);
	*ret = page;
	return NULL;
}

/* ---- roles, counts, roots ---- */

bool mmu_role(struct kvm *kvm, uint64_t base, const char *type, const char *path, mmu_role_fn *fn,
	      void *closure)
{
	/* union kvm_mmu_page_role and, below "ext", kvm_mmu_extended_role, through the years. */
	static const char *const names[] = {
		"level",	   "has_4_byte_gpte",
		"gpte_is_8_bytes", "cr4_pae",
		"quadrant",	   "direct",
		"access",	   "invalid",
		"efer_nx",	   "nxe",
		"cr0_wp",	   "smep_andnot_wp",
		"smap_andnot_wp",  "ad_disabled",
		"guest_mode",	   "passthrough",
		"is_mirror",	   "smm",
	};
	bool any = false;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char whole[96];
		struct member m;
		uint64_t value;
		snprintf(whole, sizeof(whole), "%s.%s", path, names[i]);
		struct err *e = type_scope_member(kvm_types(kvm), type, whole, &m);
		if (!e)
			e = kernel_read_member(kernel_of(kvm), base, &m, &value);
		if (!e) {
			fn(closure, names[i], value);
			any = true;
		}
		err_free(e);
	}
	return any;
}

void mmu_counts(struct kvm *kvm, const struct vm *vm, mmu_role_fn *fn, void *closure)
{
	static const struct {
		const char *name;
		enum kvm_member member;
	} counts[] = {
		{ "n_used_mmu_pages", M_KVM_USED_PAGES },
		{ "n_requested_mmu_pages", M_KVM_REQUESTED_PAGES },
		{ "n_max_mmu_pages", M_KVM_MAX_PAGES },
		{ "indirect_shadow_pages", M_KVM_INDIRECT_PAGES },
		{ "tdp_mmu_pages", M_KVM_TDP_PAGES },
	};
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct mmu_number n = read_number(kvm, vm->address, counts[i].member);
		if (n.known)
			fn(closure, counts[i].name, n.value);
	}
}

bool mmu_tdp_roots(struct kvm *kvm, const struct vm *vm, void (*fn)(void *closure, uint64_t page),
		   void *closure)
{
	const struct kernel *k = kernel_of(kvm);
	uint64_t at;
	if (!kvm_has_member(kvm, M_KVM_TDP_ROOTS) || !kvm_has_member(kvm, M_SP_LINK))
		return true;
	const uint64_t head = vm->address + kvm_member(kvm, M_KVM_TDP_ROOTS)->offset;
	const uint64_t link = kvm_member(kvm, M_SP_LINK)->offset;
	struct err *e = kernel_read_u64(k, head, &at);
	unsigned count = 0;
	/* A list head that was never initialised is 0. */
	for (; !e && at && at != head && count < ROOTS_MAX; count++) {
		fn(closure, at - link);
		e = kernel_read_u64(k, at, &at);
	}
	bool whole = !e && count < ROOTS_MAX && (at == head || !count);
	err_free(e);
	return whole;
}
