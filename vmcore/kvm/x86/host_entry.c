// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kvm/x86/host_entry.h"

#include <string.h>

#include "arch/address.h"
#include "arch/x86_64/base/regs.h"
#include "arch/x86_64/code/asm_names.h"
#include "arch/x86_64/tasks/host_space.h"
#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/kvm/kvm_private.h"
#include "vmcore/kvm/vcpu_state.h"

/* Where struct page of frame 0 lies without KASLR (arch/x86/include/asm/pgtable_64_types.h). */
#define VMEMMAP_4_LEVELS UINT64_C(0xffffea0000000000)

/* The state save area of a VMCB (AMD APM vol. 2, table B-2): VMRUN keeps the host's in the page
 * that MSR VM_HSAVE_PA names, in the same form. */
enum {
	SAVE_CR3 = 0x550,
	SAVE_RFLAGS = 0x570,
	SAVE_RIP = 0x578,
	SAVE_RSP = 0x5d8,
	SAVE_RAX = 0x5f8,
};

static bool is_on_stack(const struct kvm *kvm, const struct task *task, uint64_t rsp)
{
	return task->stack && !(rsp & 7) && rsp >= task->stack &&
	       rsp - task->stack < kvm->parts.tasks->stack_size;
}

/* Code of the vendor's module or, if that is built in, of a function that enters guests. */
static bool is_code_of(const struct kvm *kvm, const char *module, uint64_t rip)
{
	struct code_map *code = kvm->parts.code;
	const struct module *m = modules_named(code_map_modules(code), module);
	enum guest_code kind;
	struct symbol symbol;
	if (!code_map_is_code(code, rip) || code_map_module(code, rip) != m)
		return false;
	return m || (code_map_symbol(code, rip, &symbol) &&
		     (asm_enters_guest(symbol.name, &kind) || !strcmp(symbol.name, "vmx_vmexit")));
}

/* ---- SVM ---- */

/* struct svm_cpu_data of @cpu: per-CPU itself since 6.1, before a pointer to it. It begins with the
 * generation of ASIDs, a counter from 1 on. */
static bool svm_cpu_data(struct kvm *kvm, const struct cpu *cpu, uint64_t *ret)
{
	uint64_t place, first;
	if (!code_map_percpu(kvm->parts.code, "kvm_amd", "svm_data", cpu, &place) ||
	    !kernel_get_u64(kvm->parts.k, place, &first))
		return false;
	*ret = is_kernel_address(first) ? first : place;
	return true;
}

static bool phys_of_page(struct kvm *kvm, uint64_t page, uint64_t *ret)
{
	uint64_t symbol, base = VMEMMAP_4_LEVELS, size;
	if (kernel_symbol(kvm->parts.k, "vmemmap_base", &symbol) &&
	    !kernel_get_u64(kvm->parts.k, symbol, &base))
		return false;
	struct err *e = types_size(kernel_types(kvm->parts.k), "page", &size);
	bool good = !e && size && page >= base && (page - base) % size == 0;
	err_free(e);
	if (good)
		*ret = (page - base) / size << PAGE_SHIFT;
	return good;
}

/* The save area's physical address: kept as such, or by its struct page, or by where it is mapped.
 */
static bool save_area(struct kvm *kvm, uint64_t data, uint64_t *ret)
{
	const struct member *area = kvm_member(kvm, M_SVM_SAVE_AREA);
	uint64_t value;
	struct vtop vtop;
	if (kvm_has_member(kvm, M_SVM_SAVE_AREA_PA))
		return kvm_get(kvm, data, M_SVM_SAVE_AREA_PA, ret);
	if (!kvm_read_number(kvm, data, area, &value))
		return false;
	if (area->type_name && !strcmp(area->type_name, "page"))
		return phys_of_page(kvm, value, ret);
	struct err *e =
		memory_vtop(kernel_memory(kvm->parts.k), kernel_space(kvm->parts.k), value, &vtop);
	if (!e)
		*ret = vtop.pa;
	err_free(e);
	return !e;
}

/* Where the CPU comes back to lies just behind the instruction that entered. */
static bool is_behind_vmrun(struct kvm *kvm, uint64_t rip)
{
	static const unsigned char vmrun[] = { 0x0f, 0x01, 0xd8 };
	unsigned char code[sizeof(vmrun)];
	struct err *e = kernel_read(kvm->parts.k, rip - sizeof(code), code, sizeof(code));
	bool is = !e && !memcmp(code, vmrun, sizeof(code));
	err_free(e);
	return is;
}

/* Stale is what another task left, or an entry that this one came back from; of the latter kind the
 * caller knows. */
static bool svm_entry(struct kvm *kvm, const struct task *task, const struct cpu *cpu,
		      struct regs *ret)
{
	unsigned char page[PAGE_SIZE];
	uint64_t data, pa;
	size_t done;
	struct regs regs = { .arch = &x86_64_regs };
	if (!svm_cpu_data(kvm, cpu, &data) || !save_area(kvm, data, &pa) || pa % PAGE_SIZE)
		return false;
	struct err *e =
		memory_read_phys(kernel_memory(kvm->parts.k), pa, page, sizeof(page), &done);
	bool whole = !e && done == sizeof(page);
	err_free(e);
	if (!whole || !host_space_is(kvm->parts.k, task->mm, get_u64(page + SAVE_CR3)))
		return false;
	regs_set(&regs, REG_RIP, get_u64(page + SAVE_RIP));
	regs_set(&regs, REG_RSP, get_u64(page + SAVE_RSP));
	regs_set(&regs, REG_RAX, get_u64(page + SAVE_RAX));
	regs_set(&regs, REG_EFLAGS, get_u64(page + SAVE_RFLAGS));
	if (!is_on_stack(kvm, task, regs.value[REG_RSP]) ||
	    !is_code_of(kvm, "kvm_amd", regs.value[REG_RIP]) ||
	    !is_behind_vmrun(kvm, regs.value[REG_RIP]))
		return false;
	*ret = regs;
	return true;
}

/* ---- VMX ---- */

/* What KVM told the CPU to come back to (HOST_RSP): in the VMCS's loaded_vmcs since 5.4, before in
 * the vCPU itself. */
static bool vmx_host_rsp(struct kvm *kvm, uint64_t vmx, uint64_t *ret)
{
	uint64_t vmcs;
	if (kvm_has_member(kvm, M_LOADED_HOST_RSP) && kvm_has_member(kvm, M_VMX_LOADED_VMCS))
		return kvm_get(kvm, vmx, M_VMX_LOADED_VMCS, &vmcs) &&
		       kvm_get(kvm, vmcs, M_LOADED_HOST_RSP, ret);
	return kvm_get(kvm, vmx, M_VMX_HOST_RSP, ret);
}

/* What HOST_RIP holds: until 4.20 a constant of that name has it, which inline assembly makes. */
static bool vmx_host_rip(struct kvm *kvm, uint64_t *ret)
{
	struct code_map *code = kvm->parts.code;
	uint64_t constant, rip;
	bool found = code_map_address(code, "kvm_intel", "vmx_return", &constant)
			     ? kernel_get_u64(kvm->parts.k, constant, &rip)
			     : code_map_address(code, "kvm_intel", "vmx_vmexit", &rip);
	if (!found || !is_code_of(kvm, "kvm_intel", rip))
		return false;
	*ret = rip;
	return true;
}

/*
 * What the entry pushed last lies at HOST_RSP: the struct vcpu_vmx or the vCPU's registers, with
 * flags and a return address among them (arch/x86/kvm/vmx/vmenter.S; until 5.0 vmx.c). Elsewhere
 * the thread has been about something else since.
 */
static bool vmx_slots_are_of(struct kvm *kvm, uint64_t vmx, uint64_t vcpu, uint64_t rsp)
{
	enum { SLOTS = 4 };
	uint64_t word;
	if (!kvm_has_member(kvm, M_VCPU_REGS))
		return false;
	const uint64_t regs = kvm_member(kvm, M_VCPU_REGS)->offset;
	for (unsigned i = 0; i < SLOTS; i++) {
		if (!kernel_get_u64(kvm->parts.k, rsp + 8 * i, &word))
			return false;
		if (word == vmx || word == vcpu + regs)
			return true;
	}
	return false;
}

static bool vmx_entry(struct kvm *kvm, const struct task *task, const struct vcpu *vcpu,
		      struct regs *ret)
{
	uint64_t rsp, rip;
	struct regs regs = { .arch = &x86_64_regs };
	if (!vcpu || !kvm_has_member(kvm, M_VMX_VCPU))
		return false;
	uint64_t vmx = vcpu->address - kvm_member(kvm, M_VMX_VCPU)->offset;
	if (!vmx_host_rsp(kvm, vmx, &rsp) || !is_on_stack(kvm, task, rsp) ||
	    !vmx_slots_are_of(kvm, vmx, vcpu->address, rsp) || !vmx_host_rip(kvm, &rip))
		return false;
	regs_set(&regs, REG_RIP, rip);
	regs_set(&regs, REG_RSP, rsp);
	*ret = regs;
	return true;
}

bool kvm_host_entry(struct kvm *kvm, const struct task *task, const struct cpu *cpu,
		    struct regs *ret)
{
	const struct vcpu *vcpu = kvm_vcpu_of_task(kvm, task);
	enum vcpu_side side = VCPU_SIDE_UNKNOWN;
	err_free(vcpu ? vcpu_side_read(kvm, vcpu, &side) : NULL);
	if (side == VCPU_SIDE_HOST)
		return false;
	switch (kvm_vendor(kvm)) {
	case KVM_SVM:
		return svm_entry(kvm, task, cpu, ret);
	case KVM_VMX:
		return vmx_entry(kvm, task, vcpu, ret);
	default:
		return false;
	}
}
