// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/target/kvm_registers.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/map.h"
#include "vmcore/guest/x86/guest_regs.h"
#include "vmcore/kernel/tasks/tasks.h"
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

/* The rows of a thread, as target_register_ops.read() answers them. */
struct rows {
	uint64_t task;	/* whose; 0: nobody's yet */
	uint64_t epoch; /* of the host, when they were read */
	bool guest;	/* also rows from ROW_ROOT on */
	bool known[KVM_REGISTER_COUNT];
	uint8_t values[KVM_REGISTER_COUNT * sizeof(uint64_t)];
};

/* A client asks for one thread's registers a packet at a time, and several clients may. */
enum { KEPT = 64 };

struct kvm_register_cache {
	struct rows list[KEPT]; /* each at a place by its task's address */
};

struct kvm_register_cache *kvm_register_cache_new(void)
{
	return calloc(1, sizeof(struct kvm_register_cache));
}

void kvm_register_cache_free(struct kvm_register_cache *c)
{
	free(c);
}

/* How many bytes rows @first to @end - 1 take. */
static size_t size_of(size_t first, size_t end)
{
	size_t bytes = 0;
	for (; first < end; first++)
		bytes += kvm_registers[first].bits / 8;
	return bytes;
}

static void set(struct rows *r, size_t row, uint64_t value)
{
	uint8_t bytes[8];
	put_u64(bytes, value);
	memcpy(r->values + size_of(0, row), bytes, kvm_registers[row].bits / 8);
	r->known[row] = true;
}

static struct err *read_guest(const struct vmcore *h, const struct vcpu *vcpu, struct rows *r)
{
	struct guest_regs guest;
	uint64_t root;
	bool has_root;
	struct err *e = vcpu_root_hpa(h->kvm, vcpu, &has_root, &root);
	if (!e && has_root)
		set(r, ROW_ROOT, root);
	if (!e)
		e = guest_regs_read(h->kvm, vcpu, &guest);
	for (size_t i = 0; !e && i < KVM_REGISTER_COUNT - ROW_GUEST; i++) {
		const struct guest_value *g = &guest.value[guest_rows[i]];
		if (g->known && !guest.is_encrypted)
			set(r, ROW_GUEST + i, g->value);
	}
	return e;
}

/* @guest: whether rows from ROW_ROOT on are asked for. */
static struct err *read_rows(struct vmcore *h, const struct task *task, bool guest,
			     struct rows *ret)
{
	struct rows r = { .epoch = h->epoch, .guest = guest };
	const struct vcpu *vcpu = kvm_vcpu_of_task(h->kvm, task);
	const struct seen_vcpu *seen = vcpu ? NULL : vmcore_seen_vcpu_of(h, task);
	struct err *e = NULL;
	/* That there is no vCPU is asked again: perhaps memory was out. */
	r.task = vcpu ? task->address : 0;
	if (task->address)
		set(&r, ROW_TASK, task->address);
	if (vcpu) {
		set(&r, ROW_KVM, vcpu->vm->address);
		set(&r, ROW_VCPU, vcpu->address);
	} else if (seen) {
		if (seen->kvm)
			set(&r, ROW_KVM, seen->kvm);
		set(&r, ROW_VCPU, seen->address);
	}
	if (vcpu && guest)
		e = read_guest(h, vcpu, &r);
	if (!e)
		*ret = r;
	return e;
}

struct err *kvm_registers_read(struct kvm_register_cache *c, struct vmcore *h,
			       const struct task *task, size_t first, size_t count, uint8_t *values,
			       bool *known)
{
	struct rows *r = &c->list[map_hash(task->address) % KEPT];
	bool guest = first + count > ROW_ROOT;
	struct err *e = NULL;
	if (!task->address || r->task != task->address || r->epoch != h->epoch ||
	    (guest && !r->guest))
		e = read_rows(h, task, guest, r);
	if (e)
		return e;
	memcpy(values, r->values + size_of(0, first), size_of(first, first + count));
	memcpy(known, r->known + first, count * sizeof(*known));
	return NULL;
}
