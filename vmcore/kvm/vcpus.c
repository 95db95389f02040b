// SPDX-License-Identifier: GPL-2.0-or-later
/* The vCPUs of a VM: its table of them, and those that were met elsewhere. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/kernel/xarray.h"
#include "vmcore/kvm/kvm_private.h"

struct reading {
	struct kvm *kvm;
	struct vm *vm;
	size_t capacity; /* of vm->vcpus */
	bool is_damaged;
};

/* ---- one vCPU ---- */

static int as_int(uint64_t value)
{
	return (int)(int32_t)(uint32_t)value;
}

/* False if what is at vcpu->address does not say that it is a vCPU of this VM. */
static bool read_vcpu(struct kvm *kvm, const struct vm *vm, struct vcpu *vcpu)
{
	uint64_t owner, id, cpu, protected = 0, loader;
	if (vcpu->address & 7 || !kvm_get(kvm, vcpu->address, M_VCPU_KVM, &owner) ||
	    owner != vm->address || !kvm_get(kvm, vcpu->address, M_VCPU_ID, &id))
		return false;
	vcpu->id = as_int(id);
	vcpu->cpu = kvm_get(kvm, vcpu->address, M_VCPU_CPU, &cpu) &&
				    cpus_find(kvm->parts.cpus, (unsigned)cpu)
			    ? as_int(cpu)
			    : -1;
	kvm_get(kvm, vcpu->address, M_VCPU_PROTECTED, &protected);
	vcpu->is_protected = protected & 1;
	kvm_find_thread(kvm, vcpu);
	vcpu->loaded = map_get(&kvm->loaders, vcpu->address, &loader);
	vcpu->loader = vcpu->loaded ? &kvm->parts.tasks->list[loader] : NULL;
	return true;
}

/* KVM lets nobody run a vCPU but threads of the process that made it; a dead one has no memory. */
static void check_task(struct kvm *kvm, const struct vm *vm, struct vcpu *vcpu)
{
	if (!vcpu->task || !vcpu->task->mm || vcpu->task->mm == vm->mm)
		return;
	kvm_note(kvm,
		 "the vCPU at 0x%" PRIx64 " says that thread %" PRIu32
		 " ran it, which is of another process",
		 vcpu->address, vcpu->task->tid);
	vcpu->task = NULL;
}

static struct err *append(struct reading *r, const struct vcpu *vcpu)
{
	struct vm *vm = r->vm;
	if (vm->vcpu_count == r->capacity) {
		size_t capacity = r->capacity ? 2 * r->capacity : 8;
		struct vcpu *grown = reallocarray(vm->vcpus, capacity, sizeof(*grown));
		if (!grown)
			return err_nomem();
		vm->vcpus = grown;
		r->capacity = capacity;
	}
	vm->vcpus[vm->vcpu_count++] = *vcpu;
	r->kvm->vcpu_total++;
	return NULL;
}

static struct err *add_vcpu(void *closure, uint64_t index, uint64_t address)
{
	struct reading *r = closure;
	struct vcpu vcpu = { .address = address, .index = (unsigned)index };
	bool added;
	if (r->kvm->vcpu_total == ALL_VCPUS_MAX)
		return NULL;
	if (!map_add(&r->kvm->vcpu_at, address, 0, &added))
		return err_nomem();
	if (!added || !read_vcpu(r->kvm, r->vm, &vcpu)) {
		kvm_note(r->kvm,
			 "the VM at 0x%" PRIx64 ": vCPU %" PRIu64 " at 0x%" PRIx64
			 " is left out: %s",
			 r->vm->address, index, address,
			 added ? "it is freed, damaged or not in the dump" : "it is there twice");
		r->is_damaged = true;
		return NULL;
	}
	check_task(r->kvm, r->vm, &vcpu);
	return append(r, &vcpu);
}

/* ---- the table ---- */

/* Until 5.16: an array. */
static struct err *read_array(struct reading *r, uint64_t online)
{
	const struct member *m = kvm_member(r->kvm, M_KVM_VCPUS);
	struct err *e = NULL;
	for (uint64_t i = 0; !e && i < online && i < m->count; i++) {
		uint64_t vcpu = 0;
		e = kernel_read_u64(r->kvm->parts.k, r->vm->address + m->offset + 8 * i, &vcpu);
		if (!e && vcpu)
			e = add_vcpu(r, i, vcpu);
		e = kvm_only_nomem(e);
	}
	return e;
}

static struct err *read_xarray(struct reading *r, uint64_t online)
{
	const struct xarray_walk walk = { online, VCPUS_MAX, add_vcpu, r };
	uint64_t head;
	bool whole = false;
	char *why = NULL;
	struct err *e = NULL;
	if (kvm_get(r->kvm, r->vm->address, M_KVM_VCPU_ARRAY, &head))
		e = xarray_walk(r->kvm->parts.k, head, &walk, &whole, &why);
	if (!whole) {
		r->is_damaged = true;
		kvm_note(r->kvm, "the VM at 0x%" PRIx64 ": its table of vCPUs is damaged%s%s",
			 r->vm->address, why ? ": " : "", why ? why : "");
	}
	free(why);
	return kvm_only_nomem(e);
}

/* online_vcpus is what publishes a vCPU: one beyond it is being made. */
static struct err *read_table(struct reading *r)
{
	uint64_t online;
	struct err *e = NULL;
	if (!kvm_get(r->kvm, r->vm->address, M_KVM_ONLINE_VCPUS, &online))
		return NULL;
	online = (uint32_t)online;
	uint64_t limit = online < VCPUS_MAX ? online : VCPUS_MAX;
	if (kvm_has_member(r->kvm, M_KVM_VCPU_ARRAY))
		e = read_xarray(r, limit);
	else if (kvm_has_member(r->kvm, M_KVM_VCPUS))
		e = read_array(r, limit);
	if (!e && r->vm->vcpu_count < online) {
		r->is_damaged = true;
		kvm_note(r->kvm,
			 "the VM at 0x%" PRIx64 " says that it has %" PRIu64
			 " vCPUs; %zu were found in its table",
			 r->vm->address, online, r->vm->vcpu_count);
	}
	return e;
}

/* ---- strays ---- */

/* Adds the strays that are in no table to their VMs. */
static struct err *add_strays(struct kvm *kvm)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < kvm->stray_count; i++) {
		const struct stray *s = &kvm->strays[i];
		uint64_t n;
		if (map_get(&kvm->vcpu_at, s->vcpu, &n) || !map_get(&kvm->vm_at, s->vm, &n))
			continue;
		struct reading r = { .kvm = kvm, .vm = &kvm->vms[n] };
		r.capacity = r.vm->vcpu_count;
		size_t before = r.vm->vcpu_count;
		e = add_vcpu(&r, before, s->vcpu);
		if (!e && r.vm->vcpu_count != before)
			kvm_note(kvm,
				 "the VM at 0x%" PRIx64 ": its vCPU at 0x%" PRIx64
				 " is not in its table",
				 s->vm, s->vcpu);
	}
	return e;
}

struct err *kvm_read_vcpus(struct kvm *kvm)
{
	bool is_damaged = false;
	struct err *e = NULL;
	for (size_t i = 0; !e && i < kvm->vm_count; i++) {
		struct reading r = { .kvm = kvm, .vm = &kvm->vms[i] };
		e = read_table(&r);
		is_damaged |= r.is_damaged;
	}
	/* Their files hold the vCPUs, too; a VM found so is not looked for any more. */
	if (!e && is_damaged)
		e = kvm_find_files(kvm);
	return e ? e : add_strays(kvm);
}
