// SPDX-License-Identifier: GPL-2.0-or-later
/* Objects of the kernel's heap: of slab caches, and KVM's. */
#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "server/monitor/memory/what_facts.h"
#include "vmcore/code/module_types.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/objects/slab.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/vmcore.h"

/* ---- KVM ---- */

/* The size of @type of KVM's; 0 if it is not known. */
static uint64_t size_of(const struct vmcore *h, const char *type)
{
	uint64_t size;
	struct err *e = type_scope_size(kvm_types(h->kvm), type, &size);
	bool ok = !e;
	err_free(e);
	return ok ? size : 0;
}

static bool lies_in(uint64_t address, uint64_t start, uint64_t size)
{
	return address >= start && address - start < size;
}

static void say_offset(struct facts *f, uint64_t start)
{
	if (f->address != start)
		fact_say(f, "+0x%" PRIx64, f->address - start);
	fact_hex(f, "start", start);
	fact_hex(f, "offset", f->address - start);
}

static void vcpu_fact(struct facts *f, const struct vcpu *vcpu)
{
	fact_begin(f, "vcpu");
	fact_say(f, "struct kvm_vcpu");
	say_offset(f, vcpu->address);
	fact_say(f, " of vCPU %d of VM %" PRIu32, vcpu->id, vcpu->vm->pid);
	fact_number(f, "vm", vcpu->vm->pid);
	fact_number(f, "id", (uint64_t)vcpu->id);
	if (vcpu->task) {
		fact_say(f, ", thread %" PRIu32, vcpu->task->tid);
		fact_number(f, "tid", vcpu->task->tid);
	}
	fact_end(f);
}

static void vm_fact(struct facts *f, const struct vm *vm)
{
	fact_begin(f, "vm");
	fact_say(f, "struct kvm");
	say_offset(f, vm->address);
	fact_say(f, " of VM %" PRIu32, vm->pid);
	fact_number(f, "vm", vm->pid);
	fact_end(f);
}

void facts_of_kvm(struct facts *f)
{
	struct vm *vms;
	size_t count;
	struct err *e = kvm_vms(f->h->kvm, &vms, &count);
	uint64_t vcpu_size = e || !count ? 0 : size_of(f->h, "kvm_vcpu");
	uint64_t vm_size = vcpu_size ? size_of(f->h, "kvm") : 0;
	for (size_t i = 0; !e && i < count; i++) {
		if (lies_in(f->address, vms[i].address, vm_size))
			vm_fact(f, &vms[i]);
		for (size_t n = 0; n < vms[i].vcpu_count; n++)
			if (lies_in(f->address, vms[i].vcpus[n].address, vcpu_size))
				vcpu_fact(f, &vms[i].vcpus[n]);
	}
	err_free(e);
}

/* ---- tasks ---- */

static void task_fact(struct facts *f, const struct task *task)
{
	fact_begin(f, "task");
	fact_say(f, "task_struct");
	say_offset(f, task->address);
	fact_say(f, " of %" PRIu32 " ", task->tid);
	fact_say_text(f, task->comm);
	fact_number(f, "tid", task->tid);
	fact_str(f, "comm", task->comm);
	fact_end(f);
}

/* The size of struct task_struct; without types as far as it is proven to reach, or 0. */
static uint64_t task_bytes(const struct kernel *k)
{
	const struct types *t = kernel_types(k);
	uint64_t size = 0;
	err_free(types_size(kernel_types(k), "task_struct", &size));
	for (size_t i = 0; i < types_told_count(t); i++) {
		struct types_told_row told;
		types_told_at(t, i, &told);
		uint64_t end = told.member.offset + told.member.size;
		if (!strcmp(told.type, "task_struct") && end > size)
			size = end;
	}
	return size;
}

void facts_of_task(struct facts *f)
{
	const struct tasks *tasks = &f->h->tasks;
	struct slab_object object;
	uint64_t n;
	/* The type has room for the largest FPU state; the kernel allocates what its processor
	 * needs (arch_task_struct_size). */
	if (vmcore_slab_object(f->h, f->address, &object) && object.start) {
		if (map_get(&tasks->by_address, object.start, &n))
			task_fact(f, &tasks->list[n]);
		return;
	}
	const uint64_t size = task_bytes(f->h->kernel);
	for (size_t i = 0; i < tasks->count; i++)
		if (tasks->list[i].address && lies_in(f->address, tasks->list[i].address, size))
			task_fact(f, &tasks->list[i]);
}

/* ---- slab objects ---- */

static void say_state(struct facts *f, const struct slab_object *object)
{
	fact_str(f, "state", slab_state_name(object->state));
	if (object->state != SLAB_UNKNOWN) {
		fact_say(f, ", %s%s", slab_state_name(object->state),
			 object->on_cpu ? " (on a CPU's list)" : "");
	} else if (object->why) {
		fact_say(f, ", allocated or free: %s", object->why);
		fact_str(f, "why", object->why);
	}
}

void facts_of_slab(struct facts *f)
{
	struct slab_object object;
	if (!vmcore_slab_object(f->h, f->address, &object))
		return;
	fact_begin(f, "slab");
	fact_str(f, "cache", object.cache->name);
	fact_hex(f, "kmem_cache", object.cache->address);
	fact_hex(f, "slab", object.slab);
	if (object.start) {
		fact_say_text(f, object.cache->name);
		say_offset(f, object.start);
		fact_number(f, "size", object.cache->object_size);
		fact_say(f, ": object at 0x%" PRIx64 " of the slab cache ", object.start);
		fact_say_text(f, object.cache->name);
		fact_say(f, ", %" PRIu64 " bytes", object.cache->object_size);
		if (object.offset >= object.cache->object_size)
			fact_say(f, ", behind its end");
		say_state(f, &object);
	} else {
		fact_say(f, "between the objects of a slab of the cache ");
		fact_say_text(f, object.cache->name);
	}
	fact_end(f);
}
