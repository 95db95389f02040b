// SPDX-License-Identifier: GPL-2.0-or-later
/* Tasks and vCPUs: who runs which, by the kernel's own pointers in both directions. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "vmcore/code/code_map.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/kvm/kvm_private.h"

enum { NOTIFIERS_MAX = 64 }; /* of a task; KVM hangs up one */

/*
 * The vCPU that @task is inside an ioctl of: between vcpu_load() and vcpu_put() kvm_preempt_ops is
 * among its preempt notifiers. False if there is none.
 */
static bool loaded_by(const struct kvm *kvm, const struct task *task, uint64_t ops, uint64_t *ret)
{
	uint64_t link, found;
	if (!kvm_get(kvm, task->address, M_TASK_NOTIFIERS, &link))
		return false;
	for (int i = 0; link && i < NOTIFIERS_MAX; i++) {
		uint64_t notifier = link - kvm_member(kvm, M_NOTIFIER_LINK)->offset;
		if (!kvm_get(kvm, notifier, M_NOTIFIER_OPS, &found))
			return false;
		if (found == ops) {
			*ret = notifier - kvm_member(kvm, M_VCPU_NOTIFIER)->offset;
			return true;
		}
		if (!kvm_get(kvm, notifier, M_NOTIFIER_LINK, &link))
			return false;
	}
	return false;
}

struct err *kvm_scan_tasks(struct kvm *kvm)
{
	const struct tasks *tasks = kvm->parts.tasks;
	uint64_t ops, vcpu;
	bool notified = kvm_has_member(kvm, M_VCPU_NOTIFIER) &&
			kvm_has_member(kvm, M_NOTIFIER_LINK) &&
			kvm_has_member(kvm, M_NOTIFIER_OPS) &&
			code_map_address(kvm->parts.code, "kvm", "kvm_preempt_ops", &ops);
	kvm->loaders_known = notified && kvm_has_member(kvm, M_TASK_NOTIFIERS);
	for (size_t i = 0; i < tasks->count; i++) {
		const struct task *task = &tasks->list[i];
		bool added = false;
		if (!task->mm)
			continue;
		if (!map_add(&kvm->mms, task->mm, i, &added) ||
		    (!added && task->tid == task->pid && !map_put(&kvm->mms, task->mm, i)))
			return err_nomem();
		if (!notified || !loaded_by(kvm, task, ops, &vcpu))
			continue;
		if (!map_put(&kvm->loaders, vcpu, i))
			return err_nomem();
		struct err *e = kvm_add_stray(kvm, vcpu);
		if (e)
			return e;
	}
	return NULL;
}

void kvm_find_thread(struct kvm *kvm, struct vcpu *vcpu)
{
	const struct tasks *tasks = kvm->parts.tasks;
	uint64_t pid, link, i;
	vcpu->has_run = true;
	if (!kvm_get(kvm, vcpu->address, M_VCPU_PID, &pid))
		return;
	vcpu->has_run = pid != 0;
	if (!pid || !kvm_has_member(kvm, M_TASK_LINK) || !kvm_get(kvm, pid, M_PID_TASKS, &link))
		return;
	vcpu->thread_ended = !link;
	if (link && map_get(&tasks->by_address, link - kvm_member(kvm, M_TASK_LINK)->offset, &i))
		vcpu->task = &tasks->list[i];
}
