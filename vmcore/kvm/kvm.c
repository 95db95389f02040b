// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kvm/kvm_private.h"
#include "vmcore/names/types/wants.h"

#include <stdlib.h>

#include "base/err.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/memory/memory.h"

static const char *const module_names[] = { "kvm", "kvm_amd", "kvm_intel", NULL };

struct err *kvm_new(const struct kvm_parts *parts, struct kvm **ret)
{
	struct kvm *kvm = calloc(1, sizeof(*kvm));
	if (!kvm)
		return err_nomem();
	kvm->parts = *parts;
	buf_init(&kvm->notes);
	kvm->members = kvm_members_new();
	if (!kvm->members) {
		kvm_free(kvm);
		return err_nomem();
	}
	*ret = kvm;
	return NULL;
}

void kvm_free(struct kvm *kvm)
{
	if (!kvm)
		return;
	for (size_t i = 0; i < kvm->vm_count; i++) {
		free(kvm->vms[i].vcpus);
		free(kvm->vms[i].slots);
		if (kvm->vms[i].linux_kernel)
			kvm->vms[i].free_linux(kvm->vms[i].linux_kernel);
	}
	free(kvm->vms);
	free(kvm->strays);
	want_answers_free(kvm->members);
	map_free(&kvm->vm_at);
	map_free(&kvm->slots_of);
	map_free(&kvm->vcpu_at);
	map_free(&kvm->by_task);
	map_free(&kvm->mms);
	map_free(&kvm->loaders);
	map_free(&kvm->note_of);
	free(kvm->why);
	buf_free(&kvm->notes);
	free(kvm);
}

/* ---- reading all ---- */

static int by_owner(const void *a, const void *b)
{
	const struct vm *x = a, *y = b;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

/* Fills the maps, once nothing moves any more. */
static struct err *index_all(struct kvm *kvm)
{
	if (kvm->vm_count)
		qsort(kvm->vms, kvm->vm_count, sizeof(*kvm->vms), by_owner);
	for (size_t i = 0; i < kvm->vm_count; i++) {
		struct vm *vm = &kvm->vms[i];
		if (!map_put(&kvm->vm_at, vm->address, i))
			return err_nomem();
		for (size_t n = 0; n < vm->vcpu_count; n++) {
			struct vcpu *vcpu = &vm->vcpus[n];
			vcpu->vm = vm;
			if (!map_put(&kvm->vcpu_at, vcpu->address, (uintptr_t)vcpu) ||
			    (vcpu->task &&
			     !map_put(&kvm->by_task, vcpu->task->address, (uintptr_t)vcpu)))
				return err_nomem();
		}
	}
	return NULL;
}

/* Why the types of the module called @name, which is loaded, are not known; NULL if they are, or it
 * is not. ERR_NOMEM is such a reason, too. */
static struct err *why_no_types(const struct kvm *kvm, const char *name)
{
	struct types *types;
	if (!modules_named(code_map_modules(kvm->parts.code), name))
		return NULL;
	return module_types_get(kvm->parts.types, name, &types);
}

/* Says why @missing, a member, is not known. */
static struct err *say_what_is_missing(struct kvm *kvm, const char *missing)
{
	uint64_t list;
	struct err *e = types_need(kernel_types(kvm->parts.k));
	if (!e)
		e = why_no_types(kvm, "kvm");
	if (e && err_code(e) == ERR_NOMEM)
		return e;
	struct err *failed;
	kvm->untyped = true;
	if (e)
		failed = kvm_set_why(kvm, "%s", err_msg(e));
	else if (!code_map_address(kvm->parts.code, "kvm", "vm_list", &list))
		failed = kvm_set_why(kvm, "%s", KVM_NO_VM_LIST);
	else
		failed = kvm_set_why(kvm, "KVM's types have no %s", missing);
	err_free(e);
	return failed;
}

/* Without the vendor's types exits, VMCBs and VMCSs remain unknown. */
static struct err *note_vendor_types(struct kvm *kvm)
{
	static const struct {
		const char *module;
		enum kvm_member vcpu;
	} vendors[] = { { "kvm_amd", M_SVM_VCPU }, { "kvm_intel", M_VMX_VCPU } };
	for (size_t i = 0; i < sizeof(vendors) / sizeof(*vendors); i++) {
		if (kvm_has_member(kvm, vendors[i].vcpu))
			continue;
		struct err *e = why_no_types(kvm, vendors[i].module);
		if (e && err_code(e) == ERR_NOMEM)
			return e;
		if (e)
			kvm_note(kvm, "%s", err_msg(e));
		err_free(e);
	}
	return NULL;
}

/* The first member that nothing is known without and that this kernel does not have; else NULL. */
static struct err *find_missing(struct kvm *kvm, const char **ret)
{
	enum kvm_member first;
	const struct want_set *set = kvm_member_set(0, &first);
	const struct member *m;
	*ret = NULL;
	for (size_t i = 0; i < set->count && !*ret; i++) {
		if (!set->wants[i].is_vital)
			continue;
		bool exists;
		struct err *e = kvm_find_member(kvm, first + i, &exists, &m);
		if (e)
			return e;
		if (!exists)
			*ret = set->wants[i].paths[0];
	}
	return NULL;
}

static struct err *read_all(struct kvm *kvm)
{
	const char *missing;
	struct err *e = module_types_scope(kvm->parts.types, module_names, &kvm->types);
	if (!e)
		e = find_missing(kvm, &missing);
	if (e)
		return e;
	if (missing)
		return say_what_is_missing(kvm, missing);
	kvm->vendor = kvm_find_vendor(kvm);
	e = note_vendor_types(kvm);
	if (!e)
		e = kvm_scan_tasks(kvm);
	if (!e)
		e = kvm_find_vms(kvm);
	if (!e)
		e = kvm_read_vcpus(kvm);
	return e ? e : index_all(kvm);
}

void kvm_look_again(struct kvm *kvm)
{
	if (!kvm->tried || kvm->out_of_memory)
		return;
	if (kvm->untyped) {
		free(kvm->why);
		kvm->why = NULL;
		kvm->untyped = kvm->tried = false;
	}
	/* Without memory for more, what is known has to do. */
	struct want_answers *members = kvm_members_new();
	if (!members)
		return;
	want_answers_free(kvm->members);
	kvm->members = members;
	err_free(module_types_scope(kvm->parts.types, module_names, &kvm->types));
}

bool kvm_is_doubtful(const struct kvm *kvm)
{
	return kvm->doubtful;
}

bool kvm_is_empty(const struct kvm *kvm)
{
	return !kvm->vm_count;
}

/* Nothing is done twice, nor tried again. */
static struct err *need_all(struct kvm *kvm)
{
	if (!kvm->tried) {
		const struct memory *m = kernel_memory(kvm->parts.k);
		uint64_t faults = memory_faults(m);
		kvm->tried = true;
		struct err *e = read_all(kvm);
		kvm->doubtful = e || memory_faults(m) != faults;
		kvm->out_of_memory = e != NULL;
		err_free(e);
	}
	return kvm->out_of_memory ? err_nomem() : NULL;
}

static bool have_all(struct kvm *kvm)
{
	struct err *e = need_all(kvm);
	bool have = !e;
	err_free(e);
	return have;
}

/* ---- answers ---- */

struct err *kvm_vms(struct kvm *kvm, struct vm **ret, size_t *ret_count)
{
	struct err *e = need_all(kvm);
	if (e)
		return e;
	*ret = kvm->vms;
	*ret_count = kvm->vm_count;
	return NULL;
}

const char *kvm_why(const struct kvm *kvm)
{
	return kvm->why;
}

bool kvm_is_untyped(struct kvm *kvm)
{
	return have_all(kvm) && kvm->untyped;
}

/* The kernel's own symbols name the list if KVM is built in, and modules are listed if it is not.
 */
static bool is_loaded(const struct kvm *kvm)
{
	uint64_t list;
	return modules_named(code_map_modules(kvm->parts.code), "kvm") ||
	       code_map_address(kvm->parts.code, "kvm", "vm_list", &list);
}

bool kvm_may_have_vms(struct kvm *kvm)
{
	if (!is_loaded(kvm))
		return false;
	return !have_all(kvm) || kvm->vm_count || kvm->why || kvm->notes.len;
}

const char *kvm_notes(const struct kvm *kvm)
{
	return kvm->notes.len ? kvm->notes.data : "";
}

enum kvm_vendor kvm_vendor(struct kvm *kvm)
{
	return have_all(kvm) ? kvm->vendor : KVM_VENDOR_UNKNOWN;
}

const struct type_scope *kvm_types(const struct kvm *kvm)
{
	return &kvm->types;
}

const struct kvm_parts *kvm_parts(const struct kvm *kvm)
{
	return &kvm->parts;
}

static const struct vcpu *vcpu_in(struct kvm *kvm, const struct map *map, uint64_t key)
{
	uint64_t vcpu;
	if (!have_all(kvm) || !map_get(map, key, &vcpu))
		return NULL;
	return (const struct vcpu *)(uintptr_t)vcpu;
}

const struct vcpu *kvm_vcpu_of_task(struct kvm *kvm, const struct task *task)
{
	return vcpu_in(kvm, &kvm->by_task, task->address);
}

const struct vcpu *kvm_vcpu_at(struct kvm *kvm, uint64_t address)
{
	return vcpu_in(kvm, &kvm->vcpu_at, address);
}

struct vm *kvm_vm_at(struct kvm *kvm, uint64_t address)
{
	uint64_t i;
	return have_all(kvm) && map_get(&kvm->vm_at, address, &i) ? &kvm->vms[i] : NULL;
}

bool kvm_vm_is_there(const struct kvm *kvm, const struct vm *vm)
{
	uint64_t mm, users = 1;
	kvm_get(kvm, vm->address, M_KVM_USERS, &users);
	return (uint32_t)users && kvm_get(kvm, vm->address, M_KVM_MM, &mm) && mm == vm->mm;
}

void kvm_forget_slots(struct kvm *kvm, struct vm *vm)
{
	kvm->slot_total -= vm->slot_count;
	free(vm->slots);
	vm->slots = NULL;
	vm->slot_count = 0;
	vm->slots_read = false;
}

struct err *kvm_slots(struct kvm *kvm, struct vm *vm, const struct memslot **ret, size_t *ret_count)
{
	if (!vm->slots_read) {
		struct err *e = kvm_read_slots(kvm, vm);
		if (e)
			return e;
		vm->slots_read = true;
	}
	*ret = vm->slots;
	*ret_count = vm->slot_count;
	return NULL;
}

struct err *kvm_slot_at(struct kvm *kvm, struct vm *vm, unsigned as, uint64_t gpa,
			const struct memslot **ret)
{
	const struct memslot *slots;
	size_t count;
	struct err *e = kvm_slots(kvm, vm, &slots, &count);
	if (e)
		return e;
	/* The first slot behind (as, gpa) is slots[low] in the end. */
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct memslot *s = &slots[middle];
		if (s->as < as || (s->as == as && s->gpa <= gpa))
			low = middle + 1;
		else
			high = middle;
	}
	const struct memslot *s = low ? &slots[low - 1] : NULL;
	*ret = s && s->as == as && gpa - s->gpa < s->size ? s : NULL;
	return NULL;
}

const char *vm_kind_name(enum vm_kind kind)
{
	switch (kind) {
	case VM_PLAIN:
		return "plain";
	case VM_SW_PROTECTED:
		return "software-protected";
	case VM_SEV:
		return "SEV";
	case VM_SEV_ES:
		return "SEV-ES";
	case VM_SNP:
		return "SNP";
	case VM_TDX:
		return "TDX";
	case VM_UNKNOWN:
		break;
	}
	return "unknown";
}

const char *kvm_vendor_name(enum kvm_vendor vendor)
{
	return vendor == KVM_SVM ? "SVM" : vendor == KVM_VMX ? "VMX" : "unknown";
}
