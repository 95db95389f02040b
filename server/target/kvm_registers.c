// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/target/kvm_registers.h"

#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/guest/guest_regs.h"
#include "vmcore/kernel/tasks.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/vcpu_state.h"
#include "vmcore/vmcore.h"

#define FEATURE "org.vmcore-gdbserver.kvm"

#define ROW(n, type, bits)                          \
	{                                           \
		n, FEATURE, type, "kvm", bits, true \
	}
#define NUMBER(n) ROW(n, "uint64", 64)

/* The rows before the guest's registers. */
enum { ROW_TASK, ROW_KVM, ROW_VCPU, ROW_ROOT, ROW_GUEST };

/* In the order of guest_rows below. */
const struct target_register kvm_registers[KVM_REGISTER_COUNT] = {
	ROW("task", "data_ptr", 64),
	ROW("kvm", "data_ptr", 64),
	ROW("kvm_vcpu", "data_ptr", 64),
	NUMBER("root_hpa"),
	NUMBER("guest_rip"),
	NUMBER("guest_rsp"),
	ROW("guest_rflags", "i386_eflags", 32),
	ROW("guest_cr0", "x64_cr0", 64),
	NUMBER("guest_cr2"),
	NUMBER("guest_cr3"),
	ROW("guest_cr4", "x64_cr4", 64),
	ROW("guest_efer", "x64_efer", 64),
	NUMBER("guest_rax"),
	NUMBER("guest_rbx"),
	NUMBER("guest_rcx"),
	NUMBER("guest_rdx"),
	NUMBER("guest_rsi"),
	NUMBER("guest_rdi"),
	NUMBER("guest_rbp"),
	NUMBER("guest_r8"),
	NUMBER("guest_r9"),
	NUMBER("guest_r10"),
	NUMBER("guest_r11"),
	NUMBER("guest_r12"),
	NUMBER("guest_r13"),
	NUMBER("guest_r14"),
	NUMBER("guest_r15"),
	NUMBER("guest_cs"),
	NUMBER("guest_fs_base"),
	NUMBER("guest_gs_base"),
	NUMBER("guest_kernel_gs_base"),
};

static const enum guest_reg guest_rows[KVM_REGISTER_COUNT - ROW_GUEST] = {
	GUEST_RIP,     GUEST_RSP,     GUEST_RFLAGS,
	GUEST_CR0,     GUEST_CR2,     GUEST_CR3,
	GUEST_CR4,     GUEST_EFER,    GUEST_RAX,
	GUEST_RBX,     GUEST_RCX,     GUEST_RDX,
	GUEST_RSI,     GUEST_RDI,     GUEST_RBP,
	GUEST_R8,      GUEST_R9,      GUEST_R10,
	GUEST_R11,     GUEST_R12,     GUEST_R13,
	GUEST_R14,     GUEST_R15,     GUEST_CS,
	GUEST_FS_BASE, GUEST_GS_BASE, GUEST_KERNEL_GS_BASE,
};

struct values {
	uint64_t value[KVM_REGISTER_COUNT];
	bool *known;
};

static void set(struct values *v, unsigned row, uint64_t value)
{
	v->value[row] = value;
	v->known[row] = true;
}

static struct err *set_guest(const struct vmcore *h, const struct vcpu *vcpu, struct values *v)
{
	struct guest_regs guest;
	uint64_t root;
	bool has_root;
	set(v, ROW_KVM, vcpu->vm->address);
	set(v, ROW_VCPU, vcpu->address);
	struct err *e = vcpu_root_hpa(h->kvm, vcpu, &has_root, &root);
	if (!e && has_root)
		set(v, ROW_ROOT, root);
	if (!e)
		e = guest_regs_read(h->kvm, vcpu, &guest);
	for (unsigned i = 0; !e && i < KVM_REGISTER_COUNT - ROW_GUEST; i++) {
		const struct guest_value *g = &guest.value[guest_rows[i]];
		if (g->known && !guest.is_encrypted)
			set(v, ROW_GUEST + i, g->value);
	}
	return e;
}

struct err *kvm_registers_fill(const struct vmcore *h, const struct task *task, uint8_t *values,
			       bool *known)
{
	struct values v = { .known = known };
	const struct vcpu *vcpu = kvm_vcpu_of_task(h->kvm, task);
	memset(known, 0, KVM_REGISTER_COUNT * sizeof(*known));
	set(&v, ROW_TASK, task->address);
	struct err *e = vcpu ? set_guest(h, vcpu, &v) : NULL;
	if (e)
		return e;
	for (unsigned i = 0; i < KVM_REGISTER_COUNT; i++) {
		uint8_t bytes[8];
		put_u64(bytes, v.value[i]);
		memcpy(values, bytes, kvm_registers[i].bits / 8);
		values += kvm_registers[i].bits / 8;
	}
	return NULL;
}
