// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kvm/vcpu_stamp.h"

#include "base/err.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/registers.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/kvm/kvm_private.h"

/* include/linux/mutex.h: flags in the low bits of the owner's address. */
#define MUTEX_FLAGS UINT64_C(7)

/* Freed memory says something else soon. */
static bool is_there(const struct kvm *kvm, const struct vcpu *vcpu)
{
	uint64_t vm, id;
	return kvm_get(kvm, vcpu->address, M_VCPU_KVM, &vm) && vm == vcpu->vm->address &&
	       kvm_get(kvm, vcpu->address, M_VCPU_ID, &id) &&
	       (int)(int32_t)(uint32_t)id == vcpu->id;
}

/* virt/kvm/kvm_main.c: kvm_vcpu_ioctl() holds vcpu->mutex. Where the mutex does not tell by whom,
 * the thread that ran the vCPU last may be in it. */
static struct err *find_holder(const struct kvm *kvm, const struct vcpu *vcpu, uint64_t *ret)
{
	bool found;
	struct err *e = kvm_read_member(kvm, vcpu->address, M_VCPU_MUTEX_OWNER, &found, ret);
	if (!e && found)
		*ret &= ~MUTEX_FLAGS;
	else if (!e)
		*ret = vcpu->task ? vcpu->task->address : 0;
	return e;
}

static struct err *read_holder(const struct kvm *kvm, enum stamp_time when, struct vcpu_stamp *s)
{
	const struct kernel *k = kvm->parts.k;
	struct task holder = { .address = s->holder, .cpu = -1 };
	uint64_t pid;
	struct err *e = kernel_read_path(k, s->holder, "task_struct", "pid", &pid);
	if (!e) {
		holder.tid = (uint32_t)pid;
		e = task_stamp_read(k, registers_stamps(kvm->parts.registers), &holder, when,
				    &s->task);
	}
	/* A thread that has ended meanwhile did run. */
	s->runs = e || s->task.on_cpu;
	return kvm_only_nomem(e);
}

struct err *vcpu_stamp_read(const struct kvm *kvm, const struct vcpu *vcpu, enum stamp_time when,
			    struct vcpu_stamp *ret)
{
	struct vcpu_stamp s = { .is_there = is_there(kvm, vcpu) };
	bool found;
	struct err *e = s.is_there ? find_holder(kvm, vcpu, &s.holder) : NULL;
	if (!e && s.is_there)
		e = kvm_read_member(kvm, vcpu->address, M_VCPU_EXITS, &found, &s.exits);
	if (!e && s.holder)
		e = read_holder(kvm, when, &s);
	if (!e)
		*ret = s;
	return e;
}

bool vcpu_stamp_equal(const struct vcpu_stamp *a, const struct vcpu_stamp *b)
{
	return a->is_there == b->is_there && a->runs == b->runs && a->holder == b->holder &&
	       a->exits == b->exits && task_stamp_equal(&a->task, &b->task);
}
