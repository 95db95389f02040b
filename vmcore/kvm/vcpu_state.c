// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kvm/vcpu_state.h"

#include "base/err.h"
#include "vmcore/kernel/tasks.h"
#include "vmcore/kvm/exit_names.h"
#include "vmcore/kvm/kvm_private.h"

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

static struct err *of_vcpu(const struct kvm *kvm, const struct vcpu *vcpu, const char *path,
			   bool *ret_found, uint64_t *ret)
{
	return kvm_read_path(kvm, vcpu->address, "kvm_vcpu", path, ret_found, ret);
}

/* ---- what it was doing ---- */

struct err *vcpu_side_read(const struct kvm *kvm, const struct vcpu *vcpu, enum vcpu_side *ret)
{
	uint64_t mode = OUTSIDE_GUEST_MODE;
	bool found;
	struct err *e = of_vcpu(kvm, vcpu, "mode", &found, &mode);
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
	       kvm_read_number(kvm, vcpu->task->address, &kvm->layout.task_notifiers, &first);
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
		e = of_vcpu(kvm, vcpu, "preempted", &found, &preempted);
	if (!e)
		e = of_vcpu(kvm, vcpu, "arch.mp_state", &f.has_mp_state, &f.mp_state);
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
	static const char *const names[] = { "root.hpa", "root_hpa" }; /* since 5.19; before */
	struct member mmu, root;
	*ret_valid = false;
	/* In the vCPU until 4.19, a pointer later. */
	struct err *e = type_scope_member(&kvm->types, "kvm_vcpu", "arch.mmu", &mmu);
	if (e)
		return kvm_only_nomem(e);
	uint64_t at = vcpu->address + mmu.offset, value;
	if (mmu.is_pointer && !kvm_read_number(kvm, vcpu->address, &mmu, &at))
		return NULL;
	for (int i = 0; at && i < 2; i++) {
		e = type_scope_member(&kvm->types, "kvm_mmu", names[i], &root);
		if (!e && kvm_read_number(kvm, at, &root, &value) && value != UINT64_MAX) {
			*ret_valid = true;
			*ret = value;
			return NULL;
		}
		e = kvm_only_nomem(e);
		if (e)
			return e;
	}
	return NULL;
}

/* ---- the last exit ---- */

static struct err *svm_exit(struct kvm *kvm, const struct vcpu *vcpu, struct vcpu_state *s)
{
	struct member in, code;
	uint64_t vmcb = 0, high = 0;
	bool found;
	struct err *e = type_scope_member(&kvm->types, "vcpu_svm", "vcpu", &in);
	if (!e)
		e = kvm_read_path(kvm, vcpu->address - in.offset, "vcpu_svm", "vmcb", &found,
				  &vmcb);
	if (!e)
		e = type_scope_member(&kvm->types, "vmcb", "control.exit_code", &code);
	if (e || !vmcb || !kvm_read_number(kvm, vmcb, &code, &s->exit_code))
		return kvm_only_nomem(e);
	s->has_exit = true;
	/* Two numbers until the kernel made it one. */
	if (code.size == 4) {
		e = kvm_read_path(kvm, vmcb, "vmcb", "control.exit_code_hi", &found, &high);
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
	static const char *const paths[] = { "vt.exit_reason.full", "exit_reason.full",
					     "exit_reason" };
	struct member in;
	struct err *e = type_scope_member(&kvm->types, "vcpu_vmx", "vcpu", &in);
	for (size_t i = 0; !e && !s->has_exit && i < sizeof(paths) / sizeof(*paths); i++)
		e = kvm_read_path(kvm, vcpu->address - in.offset, "vcpu_vmx", paths[i],
				  &s->has_exit, &s->exit_code);
	s->exit_code = (uint32_t)s->exit_code;
	/* The upper half has flags: that the entry failed, or SMM. */
	if (s->has_exit)
		s->exit_name = vmx_exit_name(s->exit_code & 0xffff);
	return kvm_only_nomem(e);
}

/* ---- all ---- */

struct err *vcpu_state_read(struct kvm *kvm, const struct vcpu *vcpu, struct vcpu_state *ret)
{
	struct vcpu_state s = { 0 };
	uint64_t mode = 0;
	bool has_mode;
	struct err *e = of_vcpu(kvm, vcpu, "mode", &has_mode, &mode);
	if (!e)
		e = vcpu_doing_read(kvm, vcpu, &s.doing);
	if (has_mode)
		s.mode = mode_name(mode);
	if (!e)
		e = of_vcpu(kvm, vcpu, "requests", &s.has_requests, &s.requests);
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
