// SPDX-License-Identifier: GPL-2.0-or-later
/* Finding the VMs: the list that KVM keeps, and what else leads to them. */
#include <inttypes.h>
#include <stdlib.h>

#include "arch/address.h"
#include "base/err.h"
#include "vmcore/code/code_map.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/kvm/kvm_private.h"

/* Whether @address can be that of a kernel object. */
static bool is_kernel_object(uint64_t address)
{
	return is_kernel_address(address) && !(address & 7);
}

static struct err *append(struct kvm *kvm, const struct vm *vm)
{
	if (kvm->vm_count == kvm->vm_capacity) {
		size_t capacity = kvm->vm_capacity ? 2 * kvm->vm_capacity : 16;
		struct vm *grown = reallocarray(kvm->vms, capacity, sizeof(*grown));
		if (!grown)
			return err_nomem();
		kvm->vms = grown;
		kvm->vm_capacity = capacity;
	}
	kvm->vms[kvm->vm_count++] = *vm;
	return NULL;
}

/* The process: whose memory it is, else who KVM says made it. */
static void find_owner(struct kvm *kvm, struct vm *vm)
{
	const struct tasks *tasks = kvm->parts.tasks;
	uint64_t i, pid;
	if (map_get(&kvm->mms, vm->mm, &i)) {
		vm->owner = &tasks->list[i];
		vm->pid = vm->owner->pid;
	} else if (kvm_get(kvm, vm->address, M_KVM_USERSPACE_PID, &pid) && pid &&
		   pid <= PID_LIMIT) {
		vm->pid = (uint32_t)pid;
	}
}

struct err *kvm_add_vm(struct kvm *kvm, uint64_t address, bool *ret_added)
{
	struct vm vm = { .address = address };
	uint64_t online;
	*ret_added = false;
	if (!is_kernel_object(address) || kvm->vm_count == VMS_MAX ||
	    map_get(&kvm->vm_at, address, &online) || !kvm_get(kvm, address, M_KVM_MM, &vm.mm) ||
	    !is_kernel_object(vm.mm) || !kvm_get(kvm, address, M_KVM_ONLINE_VCPUS, &online))
		return NULL;
	find_owner(kvm, &vm);
	vm.kind = kvm_find_kind(kvm, &vm);
	if (!map_add(&kvm->vm_at, address, kvm->vm_count, ret_added))
		return err_nomem();
	return append(kvm, &vm);
}

/*
 * Follows the list of VMs from its head @head by the pointers at @step (0: next, 8: prev). An entry
 * that does not point back is no entry. *ret_whole says whether the way led back to the head.
 */
static struct err *walk_list(struct kvm *kvm, uint64_t head, uint64_t step, bool *ret_whole)
{
	uint64_t here = head, next, back;
	*ret_whole = false;
	/* One more than there can be, for the way back. */
	for (size_t n = 0; n <= VMS_MAX; n++) {
		bool added;
		struct err *e = kernel_read_u64(kvm->parts.k, here + step, &next);
		if (!e)
			e = kernel_read_u64(kvm->parts.k, next + 8 - step, &back);
		if (e)
			return kvm_only_nomem(e);
		if (back != here)
			return NULL;
		if (next == head) {
			*ret_whole = true;
			return NULL;
		}
		e = kvm_add_vm(kvm, next - kvm_member(kvm, M_KVM_VM_LIST)->offset, &added);
		if (e)
			return e;
		/* From the other side the list ends where this one came to. */
		if (!added)
			return NULL;
		here = next;
	}
	return NULL;
}

struct err *kvm_add_stray(struct kvm *kvm, uint64_t vcpu)
{
	struct stray stray = { .vcpu = vcpu };
	if (!is_kernel_object(vcpu) || kvm->stray_count == ALL_VCPUS_MAX ||
	    !kvm_get(kvm, vcpu, M_VCPU_KVM, &stray.vm) || !is_kernel_object(stray.vm))
		return NULL;
	if (kvm->stray_count == kvm->stray_capacity) {
		size_t capacity = kvm->stray_capacity ? 2 * kvm->stray_capacity : 64;
		struct stray *grown = reallocarray(kvm->strays, capacity, sizeof(*grown));
		if (!grown)
			return err_nomem();
		kvm->strays = grown;
		kvm->stray_capacity = capacity;
	}
	kvm->strays[kvm->stray_count++] = stray;
	return NULL;
}

struct err *kvm_add_stray_vms(struct kvm *kvm)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < kvm->stray_count; i++) {
		bool added;
		e = kvm_add_vm(kvm, kvm->strays[i].vm, &added);
		if (!e && added)
			kvm_note(kvm,
				 "the VM at 0x%" PRIx64 " is not in vm_list; its vCPU at 0x%" PRIx64
				 " led to it",
				 kvm->strays[i].vm, kvm->strays[i].vcpu);
	}
	return e;
}

/* The vCPU that each CPU has loaded (since 5.6). */
static struct err *find_running(struct kvm *kvm)
{
	const struct cpus *cpus = kvm->parts.cpus;
	struct err *e = NULL;
	for (size_t i = 0; !e && i < cpus->count; i++) {
		uint64_t at, vcpu;
		if (!code_map_percpu(kvm->parts.code, "kvm", "kvm_running_vcpu", &cpus->list[i],
				     &at))
			return NULL;
		e = kernel_read_u64(kvm->parts.k, at, &vcpu);
		if (!e && vcpu)
			e = kvm_add_stray(kvm, vcpu);
		e = kvm_only_nomem(e);
	}
	return e;
}

struct err *kvm_find_vms(struct kvm *kvm)
{
	uint64_t head;
	bool whole = false, back;
	struct err *e = NULL;
	if (!code_map_address(kvm->parts.code, "kvm", "vm_list", &head)) {
		e = kvm_set_why(kvm, "%s", KVM_NO_VM_LIST);
	} else {
		e = walk_list(kvm, head, 0, &whole);
		if (!e && !whole)
			e = walk_list(kvm, head, 8, &back);
		if (!whole)
			kvm_note(kvm,
				 "the list of VMs (vm_list) is damaged: VMs may be missing, %zu "
				 "were found in it",
				 kvm->vm_count);
	}
	if (!e)
		e = find_running(kvm);
	if (!e && !whole)
		e = kvm_find_files(kvm);
	if (!e)
		e = kvm_add_stray_vms(kvm);
	if (kvm->vm_count) {
		free(kvm->why);
		kvm->why = NULL;
	}
	return e;
}
