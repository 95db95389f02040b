// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kvm/vcpu_state.h"

#include "base/err.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/kvm/kvm_private.h"
#include "vmcore/kvm/x86/exit_names.h"

/* vcpu->mode, include/linux/kvm_host.h */
enum { OUTSIDE_GUEST_MODE, IN_GUEST_MODE, EXITING_GUEST_MODE, READING_SHADOW_PAGE_TABLES };

/* KVM_MP_STATE_*, include/uapi/linux/kvm.h */
enum { MP_UNINITIALIZED = 1, MP_INIT_RECEIVED = 2, MP_HALTED = 3, MP_AP_RESET_HOLD = 9 };

static const char *mode_name(uint64_t mode)
{
	static const char *const names[] = { "outside guest", "in guest", "exiting guest",
					     "reading shadow page tables" };
	return mode < sizeof(names) / sizeof(*names) ? names[mode] : NULL;
}

/* ---- what it was doing ---- */

struct err *vcpu_side_read(const struct kvm *kvm, const struct vcpu *vcpu, enum vcpu_side *ret)
{
	uint64_t mode = OUTSIDE_GUEST_MODE;
	bool found;
	struct err *e = kvm_read_member(kvm, vcpu->address, M_VCPU_MODE, &found, &mode);
	if (e)
		return e;
	if (!found)
		*ret = VCPU_SIDE_UNKNOWN;
	else if (mode == IN_GUEST_MODE || mode == EXITING_GUEST_MODE)
		*ret = VCPU_SIDE_GUEST;
	else
		*ret = VCPU_SIDE_HOST;
	return NULL;
}

/* A thread is in an ioctl and does not run. */
static enum vcpu_doing waits_for(const struct vcpu_facts *f)
{
	if (f->preempted)
		return VCPU_PREEMPTED;
	if (!f->has_mp_state)
		return VCPU_IN_KERNEL;
	switch (f->mp_state) {
	case MP_HALTED:
	case MP_AP_RESET_HOLD:
		return VCPU_HALTED;
	case MP_UNINITIALIZED:
	case MP_INIT_RECEIVED:
		return VCPU_WAITING;
	default:
		return VCPU_IN_KERNEL;
	}
}

enum vcpu_doing vcpu_doing_of(const struct vcpu_facts *f)
{
	if (f->loaded && !f->on_cpu)
		return waits_for(f);
	if (f->loaded)
		return f->side == VCPU_SIDE_GUEST  ? VCPU_IN_GUEST
		       : f->side == VCPU_SIDE_HOST ? VCPU_IN_KERNEL
						   : VCPU_UNKNOWN;
	if (!f->has_run)
		return VCPU_NEVER_RUN;
	if (f->thread_ended)
		return VCPU_THREAD_GONE;
	return f->thread_is_out ? VCPU_IN_USER : VCPU_UNKNOWN;
}

/* Whether the vCPU's thread surely has not loaded it: its notifiers can be read, and KVM's is not
 * among them. */
static bool is_outside(const struct kvm *kvm, const struct vcpu *vcpu)
{
	uint64_t first;
	return kvm->loaders_known && vcpu->task &&
	       kvm_get(kvm, vcpu->task->address, M_TASK_NOTIFIERS, &first);
}

struct err *vcpu_doing_read(const struct kvm *kvm, const struct vcpu *vcpu, enum vcpu_doing *ret)
{
	struct vcpu_facts f = {
		.has_run = vcpu->has_run,
		.thread_ended = vcpu->thread_ended,
		.loaded = vcpu->loader,
		.on_cpu = vcpu->loader && vcpu->loader->on_cpu,
	};
	uint64_t preempted = 0;
	bool found;
	struct err *e = vcpu_side_read(kvm, vcpu, &f.side);
	if (!e)
		e = kvm_read_member(kvm, vcpu->address, M_VCPU_PREEMPTED, &found, &preempted);
	if (!e)
		e = kvm_read_member(kvm, vcpu->address, M_VCPU_MP_STATE, &f.has_mp_state,
				    &f.mp_state);
	if (e)
		return e;
	f.preempted = preempted & 1;
	f.thread_is_out = !f.loaded && is_outside(kvm, vcpu);
	*ret = vcpu_doing_of(&f);
	return NULL;
}

/* ---- the MMU's root ---- */

struct err *vcpu_root_hpa(struct kvm *kvm, const struct vcpu *vcpu, bool *ret_valid, uint64_t *ret)
{
	const struct member *mmu;
	uint64_t at, value;
	*ret_valid = false;
	bool exists;
	struct err *e = kvm_find_member(kvm, M_VCPU_MMU, &exists, &mmu);
	if (e || !exists)
		return e;
	/* In the vCPU until 4.19, a pointer later. */
	at = vcpu->address + mmu->offset;
	if (mmu->is_pointer && !kvm_read_number(kvm, vcpu->address, mmu, &at))
		return NULL;
	e = at ? kvm_read_member(kvm, at, M_MMU_ROOT, ret_valid, &value) : NULL;
	*ret_valid = *ret_valid && value != UINT64_MAX;
	if (*ret_valid)
		*ret = value;
	return e;
}

/* ---- the last exit ---- */

static struct err *svm_exit(struct kvm *kvm, const struct vcpu *vcpu, struct vcpu_state *s)
{
	const struct member *in;
	uint64_t vmcb = 0, high = 0;
	bool found;
	struct err *e = kvm_find_member(kvm, M_SVM_VCPU, &found, &in);
	if (e || !found)
		return e;
	e = kvm_read_member(kvm, vcpu->address - in->offset, M_SVM_VMCB, &found, &vmcb);
	if (!e && vmcb)
		e = kvm_read_member(kvm, vmcb, M_VMCB_EXIT_CODE, &s->has_exit, &s->exit_code);
	if (e || !s->has_exit)
		return e;
	/* Two numbers until the kernel made it one. */
	if (kvm_member(kvm, M_VMCB_EXIT_CODE)->size == 4) {
		e = kvm_read_member(kvm, vmcb, M_VMCB_EXIT_CODE_HIGH, &found, &high);
		s->exit_code = (uint32_t)s->exit_code | high << 32;
		/* The reserved codes are negative, and some processors leave the upper half 0. */
		if (!high && s->exit_code >= 0xfffffff0)
			s->exit_code |= UINT64_C(0xffffffff) << 32;
	}
	s->exit_name = svm_exit_name(s->exit_code);
	return e;
}

static struct err *vmx_exit(struct kvm *kvm, const struct vcpu *vcpu, struct vcpu_state *s)
{
	const struct member *in;
	bool exists;
	struct err *e = kvm_find_member(kvm, M_VMX_VCPU, &exists, &in);
	if (!e && exists)
		e = kvm_read_member(kvm, vcpu->address - in->offset, M_VMX_EXIT_REASON,
				    &s->has_exit, &s->exit_code);
	s->exit_code = (uint32_t)s->exit_code;
	/* The upper half has flags: that the entry failed, or SMM. */
	if (s->has_exit)
		s->exit_name = vmx_exit_name(s->exit_code & 0xffff);
	return e;
}

/* ---- all ---- */

struct err *vcpu_state_read(struct kvm *kvm, const struct vcpu *vcpu, struct vcpu_state *ret)
{
	struct vcpu_state s = { 0 };
	uint64_t mode = 0;
	bool has_mode;
	struct err *e = kvm_read_member(kvm, vcpu->address, M_VCPU_MODE, &has_mode, &mode);
	if (!e)
		e = vcpu_doing_read(kvm, vcpu, &s.doing);
	if (has_mode)
		s.mode = mode_name(mode);
	if (!e)
		e = kvm_read_member(kvm, vcpu->address, M_VCPU_REQUESTS, &s.has_requests,
				    &s.requests);
	if (!e)
		e = vcpu_root_hpa(kvm, vcpu, &s.has_root, &s.root_hpa);
	if (!e && vcpu->has_run && kvm->vendor == KVM_SVM)
		e = svm_exit(kvm, vcpu, &s);
	if (!e && vcpu->has_run && kvm->vendor == KVM_VMX && vcpu->vm->kind != VM_TDX)
		e = vmx_exit(kvm, vcpu, &s);
	if (!e)
		*ret = s;
	return e;
}

const char *vcpu_doing_name(enum vcpu_doing doing)
{
	static const char *const names[] = {
		[VCPU_UNKNOWN] = "unknown",
		[VCPU_NEVER_RUN] = "never run",
		[VCPU_IN_GUEST] = "in guest",
		[VCPU_IN_KERNEL] = "in kernel",
		[VCPU_HALTED] = "halted",
		[VCPU_WAITING] = "waiting for start-up",
		[VCPU_PREEMPTED] = "preempted",
		[VCPU_IN_USER] = "in user space",
		[VCPU_THREAD_GONE] = "thread ended",
	};
	return names[doing];
}
