// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/guest/x86/guest_regs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/x86_64/base/regs.h"
#include "arch/x86_64/code/asm_names.h"
#include "base/err.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/module_types.h"
#include "vmcore/code/modules.h"
#include "vmcore/dump/dump.h"
#include "vmcore/dump/prstatus.h"
#include "vmcore/guest/x86/guest_notes.h"
#include "vmcore/guest/x86/guest_private.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/registers.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/read.h"
#include "vmcore/kvm/vcpu_stamp.h"
#include "vmcore/memory/memory.h"

enum { LIVE_ATTEMPTS = 4 }; /* to read a vCPU that keeps running */
#include "vmcore/kvm/vcpu_state.h"
#include "vmcore/kvm/x86/mmu.h"

/* Members of kvm_vcpu_arch that are registers. */
static const struct {
	enum guest_reg reg;
	enum kvm_member member;
} arch_members[] = {
	{ GUEST_RIP, M_VCPU_RIP }, { GUEST_CR0, M_VCPU_CR0 }, { GUEST_CR2, M_VCPU_CR2 },
	{ GUEST_CR3, M_VCPU_CR3 }, { GUEST_CR4, M_VCPU_CR4 }, { GUEST_EFER, M_VCPU_EFER },
};

static struct err *read_arch(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *r)
{
	const struct member *regs;
	struct err *e = kvm_find_member(kvm, M_VCPU_REGS, NULL, &regs);
	for (unsigned i = GUEST_RAX; !e && i <= GUEST_R15 && i < regs->count; i++) {
		struct member one = *regs;
		uint64_t value;
		one.size = one.element_size;
		one.count = 1;
		one.is_array = false;
		one.offset += i * one.element_size;
		if (kvm_read_number(kvm, vcpu->address, &one, &value))
			guest_set(r, i, value, GUEST_ARCH);
	}
	for (size_t i = 0; !e && i < sizeof(arch_members) / sizeof(*arch_members); i++) {
		bool found;
		uint64_t value;
		e = kvm_read_member(kvm, vcpu->address, arch_members[i].member, &found, &value);
		if (!e && found)
			guest_set(r, arch_members[i].reg, value, GUEST_ARCH);
	}
	return e;
}

const char *const kvm_cr3_bits[2] = { "VCPU_REG_CR3", "VCPU_EXREG_CR3" };

struct err *kvm_find_reg_bit(struct kvm *kvm, const char *const *names, bool *ret_found,
			     int64_t *ret)
{
	*ret_found = false;
	for (int i = 0; i < 2 && names[i]; i++) {
		struct err *e = type_scope_enumerator(kvm_types(kvm), NULL, names[i], ret);
		if (e && err_code(e) == ERR_NOMEM)
			return e;
		*ret_found = !e && *ret >= 0 && *ret < 64;
		err_free(e);
		if (*ret_found)
			return NULL;
	}
	return NULL;
}

/* The CPU that runs the vCPU's thread while that has it loaded; -1 if none does. */
static int running_on(const struct vcpu *vcpu)
{
	const struct task *task = vcpu->loader;
	return task && task->on_cpu ? task->cpu : -1;
}

/*
 * Whether the guest's registers may be in none of the host's structures: the vCPU is loaded by a
 * thread that runs, and the dump has no note of the host's registers on that CPU. A crash's NMI
 * makes the guest exit before the host's are noted.
 */
static bool is_without_note(const struct kvm *kvm, const struct vcpu *vcpu)
{
	int cpu = running_on(vcpu);
	return cpu >= 0 && !registers_note(kvm_parts(kvm)->registers, (unsigned)cpu);
}

/*
 * Whether the CPU was found in the code that leaves the guest, before KVM has put away all of the
 * guest's registers. Only a hypervisor below stops it there: of a crash the vendor's code hears
 * when that is done (SVM lets no NMI in before), or by the exit itself (VMX).
 */
static bool is_leaving(struct kvm *kvm, const struct vcpu *vcpu, enum vcpu_side side)
{
	struct code_map *code = kvm_parts(kvm)->code;
	struct symbol symbol;
	enum guest_code kind;
	int cpu = running_on(vcpu);
	const struct cpu_note *note =
		cpu < 0 ? NULL : registers_note(kvm_parts(kvm)->registers, (unsigned)cpu);
	if (!note || !note->from_qemu || side != VCPU_SIDE_GUEST)
		return false;
	uint64_t rip = note->regs.value[REG_RIP];
	const struct module *m = code_map_module(code, rip);
	if (m)
		return m == modules_named(code_map_modules(code), "kvm_amd") ||
		       m == modules_named(code_map_modules(code), "kvm_intel");
	return code_map_symbol(code, rip, &symbol) &&
	       (asm_enters_guest(symbol.name, &kind) || !strcmp(symbol.name, "vmx_vmexit"));
}

static void make_all_stale(struct guest_regs *r)
{
	for (unsigned i = 0; i < GUEST_REGS; i++)
		if (r->value[i].from != GUEST_NOWHERE)
			guest_set(r, i, r->value[i].value, GUEST_STALE);
}

struct err *guest_hardware_read(struct kvm *kvm, const struct vcpu *vcpu,
				struct guest_hardware *ret)
{
	struct guest_hardware h = { 0 };
	struct vcpu_mmu mmu = { 0 };
	bool found = false;
	struct err *e = vcpu_root_hpa(kvm, vcpu, &h.has_root, &h.root);
	if (!e && kvm_vendor(kvm) == KVM_SVM) {
		e = guest_svm_hardware(kvm, vcpu, &h);
	} else if (!e && kvm_vendor(kvm) == KVM_VMX) {
		e = kvm_read_member(kvm, vcpu->address, M_VCPU_CR4_OWNED, &found, &h.cr4_owned);
		if (!e)
			e = kvm_only_nomem(vcpu_mmu_read(kvm, vcpu, &mmu));
		h.paging_known = !e && mmu.tdp_known;
		h.is_shadow = h.paging_known && !mmu.tdp;
	}
	if (!e)
		*ret = h;
	return e;
}

struct err *guest_regs_read_kept(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *ret)
{
	struct guest_regs r = { .is_encrypted = vcpu->is_protected || vcpu->vm->kind == VM_TDX };
	struct err *e = NULL;
	if (!r.is_encrypted)
		e = read_arch(kvm, vcpu, &r);
	if (!e && !r.is_encrypted && kvm_vendor(kvm) == KVM_SVM)
		e = guest_svm_read(kvm, vcpu, &r);
	else if (!e && !r.is_encrypted && kvm_vendor(kvm) == KVM_VMX)
		e = guest_vmx_read(kvm, vcpu, &r);
	else
		make_all_stale(&r); /* nothing tells which copies are current */
	if (!e)
		*ret = r;
	return e;
}

static struct err *read_of_dump(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *ret)
{
	struct guest_regs r;
	enum vcpu_side side;
	bool noted = false;
	struct err *e = guest_regs_read_kept(kvm, vcpu, &r);
	if (!e)
		e = vcpu_side_read(kvm, vcpu, &side);
	if (e)
		return e;
	bool unnoted = is_without_note(kvm, vcpu);
	r.in_guest = unnoted && side != VCPU_SIDE_HOST;
	if (unnoted && !r.is_encrypted)
		e = guest_notes_apply(kvm, vcpu, &r, &noted);
	if (e)
		return e;
	if (unnoted && !noted)
		r.why_stale = r.in_guest ? "the CPU was inside the guest"
					 : "the dump has no note of the CPU's registers";
	else if (!unnoted && is_leaving(kvm, vcpu, side))
		r.why_stale = "the CPU was just leaving the guest";
	r.all_stale = r.why_stale;
	if (r.all_stale)
		make_all_stale(&r);
	*ret = r;
	return NULL;
}

static struct err *read_l1(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *ret)
{
	struct guest_regs r = { .is_encrypted = vcpu->is_protected || vcpu->vm->kind == VM_TDX };
	struct err *e = NULL;
	if (r.is_encrypted)
		;
	else if (kvm_vendor(kvm) == KVM_SVM)
		e = guest_svm_read_l1(kvm, vcpu, &r);
	else if (kvm_vendor(kvm) == KVM_VMX)
		e = guest_vmx_read_l1(kvm, vcpu, &r);
	if (!e)
		*ret = r;
	return e;
}

static bool is_running(const struct kvm *kvm)
{
	return dump_info(kernel_dump(kvm_parts(kvm)->k))->running;
}

/* On a machine that runs: registers of one moment, or old ones. */
static struct err *read_live(struct kvm *kvm, const struct vcpu *vcpu,
			     struct err *(*read)(struct kvm *, const struct vcpu *,
						 struct guest_regs *),
			     struct guest_regs *ret)
{
	struct memory *memory = kernel_memory(kvm_parts(kvm)->k);
	struct guest_regs r = { 0 };
	for (unsigned attempt = 0; attempt < LIVE_ATTEMPTS; attempt++) {
		struct vcpu_stamp before, after;
		memory_forget(memory);
		struct err *e = vcpu_stamp_read(kvm, vcpu, STAMP_BEFORE, &before);
		if (!e && !before.is_there) {
			*ret = (struct guest_regs){ 0 };
			return NULL;
		}
		if (!e)
			e = read(kvm, vcpu, &r);
		memory_forget(memory);
		if (!e)
			e = vcpu_stamp_read(kvm, vcpu, STAMP_AFTER, &after);
		if (e)
			return e;
		if (before.runs)
			break;
		if (vcpu_stamp_equal(&before, &after)) {
			*ret = r;
			return NULL;
		}
	}
	make_all_stale(&r);
	r.in_guest = r.all_stale = true;
	r.why_stale = "its thread runs";
	*ret = r;
	return NULL;
}

struct err *guest_regs_read(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *ret)
{
	return is_running(kvm) ? read_live(kvm, vcpu, guest_regs_read_kept, ret)
			       : read_of_dump(kvm, vcpu, ret);
}

struct err *guest_regs_read_l1(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *ret)
{
	return is_running(kvm) ? read_live(kvm, vcpu, read_l1, ret) : read_l1(kvm, vcpu, ret);
}

const char *guest_reg_name(enum guest_reg reg)
{
	static const char *const names[GUEST_REGS] = {
		"rax",	      "rcx",	    "rdx",
		"rbx",	      "rsp",	    "rbp",
		"rsi",	      "rdi",	    "r8",
		"r9",	      "r10",	    "r11",
		"r12",	      "r13",	    "r14",
		"r15",	      "rip",	    "rflags",
		"cr0",	      "cr2",	    "cr3",
		"cr4",	      "efer",	    "cs",
		"ss",	      "ds",	    "es",
		"fs",	      "gs",	    "cs_base",
		"fs_base",    "gs_base",    "kernel_gs_base",
		"gdtr",	      "gdtr_limit", "idtr",
		"idtr_limit",
	};
	return names[reg];
}

const char *guest_from_name(enum guest_from from)
{
	static const char *const names[] = { NULL, "vmcb", "regs", "vmcs12", "note", "stale" };
	return names[from];
}

struct guest_value_text guest_value_text(const struct guest_regs *r, enum guest_reg reg)
{
	const struct guest_value *v = &r->value[reg];
	struct guest_value_text ret = { "unknown" };
	if (r->is_encrypted)
		strcpy(ret.text, "encrypted");
	else if (v->from != GUEST_NOWHERE)
		snprintf(ret.text, sizeof(ret.text), "0x%" PRIx64 "%s", v->value,
			 v->known ? "" : " (stale)");
	return ret;
}
