// SPDX-License-Identifier: GPL-2.0-or-later
/* Which vCPU's registers a note of QEMU's holds: only where nothing else can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/kvm/guests.h"

/*
 * vCPU 0 with its VMCB, and 64 KiB of its guest's memory from 0 and from 1 MiB on. There its page
 * tables map the first 2 MiB by a large page, and the same from 2 MiB on without the right to
 * execute.
 */
#define GUEST                                                                                      \
	"virt &vcpu_svm(vcpu0).vmcb: vmcb0\nvirt &vcpu_svm(vcpu0).vmcb01.ptr: vmcb0\n"             \
	"virt &vcpu_svm(vcpu0).current_vmcb: (&vcpu_svm(vcpu0).vmcb01)\n"                          \
	"put vmcb at vmcb0: control.nested_ctl = 1 save.cr0 = 0x80050033 save.cr4 = 0x60\n"        \
	"	save.rip = 0x8000 save.cr3 = 0x100000\n"                                                 \
	"put kvm_vcpu at vcpu0: mode = 1 arch.cr3 = 0x2000\n"                                      \
	"use sh\nmap 0x7f0000000000 0x1c100000 64k user\nmap 0x7f0000100000 0x1c000000 64k user\n" \
	"use kernel\n"                                                                             \
	"zero phys 0x1c000000 64k\nzero phys 0x1c100000 64k\n"                                     \
	"phys 0x1c000000: 0x101007\nphys 0x1c001000: 0x102007\n"                                   \
	"phys 0x1c002000: 0x83 0x8000000000000083\n"
/* A second one: init runs vCPU 1 on CPU 1. */
#define SECOND                                                                                 \
	"set vmcb1 vmcb0 + 0x1000\nput rq at pc1 + runqueues: curr = init\n"                   \
	"put task_struct at init: on_cpu = 1 __state = 0 mm = sh_mm\n"                         \
	"put tlb_state at pc1 + cpu_tlbstate: loaded_mm = init_mm + s\n"                       \
	"hlist &task_struct(init).preempt_notifiers: &kvm_vcpu(vcpu1).preempt_notifier.link\n" \
	"put kvm_vcpu at vcpu1: mode = 1 cpu = 1 pid = pids preempt_notifier.ops = "           \
	"kvm_preempt_ops + s arch.cr0 = 0x80050033 arch.cr4 = 0x60 arch.efer = 0x500\n"        \
	"virt &vcpu_svm(vcpu1).vmcb: vmcb1\nvirt &vcpu_svm(vcpu1).vmcb01.ptr: vmcb1\n"         \
	"virt &vcpu_svm(vcpu1).current_vmcb: (&vcpu_svm(vcpu1).vmcb01)\n"                      \
	"put vmcb at vmcb1: control.nested_ctl = 1 save.cr0 = 0x80050033 save.cr4 = 0x60\n"

/*
 * It runs a guest itself, whose first 2 MiB KVM's tables put elsewhere: with that one's page
 * tables, where the guest's own memory has none any more.
 */
#define NESTED                                                                                 \
	"phys 0x1c000000: 0\nzero phys 0x1c700000 64k\nzero phys 0x1c400000 16k\n"             \
	"phys 0x1c400000: 0x1c401807\nphys 0x1c401000: 0x1c402807\n"                           \
	"phys 0x1c402000: 0x1c600887\n"                                                        \
	"phys 0x1c700000: 0x101007\nphys 0x1c701000: 0x102007\nphys 0x1c702000: 0x83\n"        \
	"virt &vcpu_svm(vcpu0).vmcb: (vmcb0 + 0x1000)\n"                                       \
	"virt &vcpu_svm(vcpu0).current_vmcb: (&vcpu_svm(vcpu0).nested.vmcb02)\n"               \
	"put vmcb at vmcb0 + 0x1000: control.nested_ctl = 1 save.cr0 = 0x80050033 save.cr4 = " \
	"0x60\n	save.rip = 0x8000 save.cr3 = 0x100000\n"                                       \
	"put kvm_vcpu at vcpu0: arch.mmu = &kvm_vcpu(vcpu0).arch.guest_mmu\n"                  \
	"	arch.guest_mmu.root.hpa = 0x1c400000 arch.guest_mmu.root_role.level = 4\n"           \
	"	arch.guest_mmu.root_role.direct = 1\n"

#define REGISTERS(n, cr0, cr3, cr4, rip)                                                           \
	"prstatus " #n ": rip = " rip " rsp = 0x700" #n " rbx = 0xb0" #n " eflags = 0x46 cs = 8\n" \
	"qemu: rip = " rip " rsp = 0x700" #n " rbx = 0xb0" #n " cr0 = " cr0                        \
	" cr2 = 0x2222 cr3 = " cr3 " cr4 = " cr4 "\n"                                              \
	"	cs.selector = 8 fs.base = 0xf5 gs.base = 0x65 kernel_gs_base = 0x6b\n"
#define NOTE(n) REGISTERS(n, "0x80050033", "0x100000", "0x20", "0x8123")

static void read_regs(struct guests *g, size_t n, struct guest_regs *ret)
{
	assert_no_err(guest_regs_read(g->kvm, &g->vms[0].vcpus[n], ret));
}

static void assert_value(const struct guest_regs *r, enum guest_reg reg, uint64_t value,
			 enum guest_from from)
{
	assert_int_equal(r->value[reg].value, value);
	assert_int_equal(r->value[reg].from, from);
	assert_int_equal(r->value[reg].known, from != GUEST_STALE);
}

/* vCPU @n's are those that the note of CPU @n has. */
static void assert_noted(struct guests *g, size_t n)
{
	struct guest_regs r;
	read_regs(g, n, &r);
	assert_true(r.in_guest);
	assert_false(r.all_stale);
	assert_value(&r, GUEST_RBX, 0xb01 + n, GUEST_NOTE);
	assert_value(&r, GUEST_RSP, 0x7001 + n, GUEST_NOTE);
}

/* @inside: for all that KVM says. */
static void assert_stale(const char *notes, const char *extra, bool inside)
{
	struct guests g;
	struct guest_regs r;
	guests_open_noted(&g, KVM_SVM, notes, extra);
	read_regs(&g, 0, &r);
	assert_int_equal(r.in_guest, inside);
	assert_true(r.all_stale);
	assert_string_equal(r.why_stale, inside ? "the CPU was inside the guest"
						: "the dump has no note of the CPU's registers");
	for (unsigned i = 0; i < GUEST_REGS; i++)
		assert_false(r.value[i].known);
	assert_int_equal(r.value[GUEST_RIP].from, GUEST_STALE);
	guests_close(&g);
}

static void one_guest(void **state)
{
	(void)state;
	struct guests g;
	struct guest_regs r;
	guests_open_noted(&g, KVM_SVM, NOTE(1) GUESTS_IDLE_NOTE, GUEST);
	assert_noted(&g, 0);
	read_regs(&g, 0, &r);
	assert_value(&r, GUEST_RIP, 0x8123, GUEST_NOTE);
	assert_value(&r, GUEST_RFLAGS, 0x46, GUEST_NOTE);
	assert_value(&r, GUEST_CR0, 0x80050033, GUEST_NOTE);
	assert_value(&r, GUEST_CR2, 0x2222, GUEST_NOTE);
	assert_value(&r, GUEST_CR3, 0x100000, GUEST_NOTE);
	assert_value(&r, GUEST_CR4, 0x20, GUEST_NOTE);
	assert_value(&r, GUEST_EFER, 0x500, GUEST_ARCH);
	assert_value(&r, GUEST_CS, 8, GUEST_NOTE);
	assert_value(&r, GUEST_FS_BASE, 0xf5, GUEST_NOTE);
	assert_value(&r, GUEST_GS_BASE, 0x65, GUEST_NOTE);
	assert_value(&r, GUEST_KERNEL_GS_BASE, 0x6b, GUEST_NOTE);
	guests_close(&g);
}

/* The guest sees other values than KVM lets the processor have: MCE in cr4, PG and WP in cr0. */
static void values_of_kvm(void **state)
{
	(void)state;
	struct guests g;
	struct guest_regs r;
	guests_open_noted(&g, KVM_SVM,
			  REGISTERS(1, "0x80010039", "0x1234000", "0x60", "0x8123")
				  GUESTS_IDLE_NOTE,
			  GUEST "put vmcb at vmcb0: control.nested_ctl = 0 save.cr0 = 0x80010031\n"
				"put kvm_vcpu at vcpu0: arch.cr0 = 0x31 arch.cr3 = 0x5000\n");
	read_regs(&g, 0, &r);
	assert_false(r.all_stale);
	assert_value(&r, GUEST_CR0, 0x31, GUEST_ARCH);
	assert_value(&r, GUEST_CR4, 0x20, GUEST_ARCH);
	/* CR3 is that of KVM's shadow tables. */
	assert_value(&r, GUEST_CR3, 0x5000, GUEST_ARCH);
	assert_value(&r, GUEST_RIP, 0x8123, GUEST_NOTE);
	guests_close(&g);
}

static void not_its_registers(void **state)
{
	(void)state;
	/* Control registers that KVM did not give it; tables in no slot; code that is not there. */
	static const char *const notes[] = {
		REGISTERS(1, "0x80040033", "0x100000", "0x20", "0x8123") GUESTS_IDLE_NOTE,
		REGISTERS(1, "0x80050033", "0x100000", "0x30", "0x8123") GUESTS_IDLE_NOTE,
		REGISTERS(1, "0x80050033", "0xf0000000", "0x20", "0x8123") GUESTS_IDLE_NOTE,
		REGISTERS(1, "0x80050033", "0x108000", "0x20", "0x8123") GUESTS_IDLE_NOTE,
		REGISTERS(1, "0x80050033", "0x100000", "0x20", "0x208123") GUESTS_IDLE_NOTE,
		REGISTERS(1, "0x80050033", "0x100000", "0x20", "0x400000") GUESTS_IDLE_NOTE,
		REGISTERS(1, "0x80050033", "0x100000", "0x20", "0xc0000") GUESTS_IDLE_NOTE,
		/* A note too many, and one of the kernel's that fits no CPU. */
		NOTE(1) GUESTS_IDLE_NOTE NOTE(3),
		NOTE(1) "prstatus 2: rip = default_idle+s+4 rsp = 0x1000 cs = 0x10\n"
			"qemu: rip = default_idle+s+4 rsp = 0x1000 cr3 = cr3\n",
	};
	for (size_t i = 0; i < sizeof(notes) / sizeof(*notes); i++)
		assert_stale(notes[i], GUEST, true);
	/* KVM was not inside; it ran elsewhere; the tables that its CR3 must lead to are others. */
	static const char *const extras[] = {
		GUEST "put kvm_vcpu at vcpu0: mode = 0\n",
		GUEST "put kvm_vcpu at vcpu0: cpu = 1\n",
		GUEST "put vmcb at vmcb0: control.nested_ctl = 0\n",
		GUEST "virt &vcpu_svm(vcpu0).vmcb: 0\n",
	};
	for (size_t i = 0; i < sizeof(extras) / sizeof(*extras); i++)
		assert_stale(NOTE(1) GUESTS_IDLE_NOTE, extras[i], i > 0);
}

static void memory_that_is_left_out(void **state)
{
	(void)state;
	struct guests g;
	guests_open_noted(&g, KVM_SVM, NOTE(1) GUESTS_IDLE_NOTE,
			  GUEST "exclude phys 0x1c000000 64k\nexclude phys 0x1c100000 64k\n");
	assert_noted(&g, 0);
	guests_close(&g);
}

/* What its guest's guest runs is looked for in that one's memory. */
static void guest_of_a_guest(void **state)
{
	(void)state;
	struct guests g;
	struct guest_regs r;
	guests_open_noted(&g, KVM_SVM, NOTE(1) GUESTS_IDLE_NOTE, GUEST NESTED);
	read_regs(&g, 0, &r);
	assert_true(r.is_nested);
	assert_noted(&g, 0);
	guests_close(&g);
	/* That one has no page there. */
	assert_stale(NOTE(1) GUESTS_IDLE_NOTE, GUEST NESTED "phys 0x1c702000: 0\n", true);
}

static void encrypted(void **state)
{
	(void)state;
	struct guests g;
	struct guest_regs r;
	guests_open_noted(&g, KVM_SVM, NOTE(1) GUESTS_IDLE_NOTE,
			  GUEST "put kvm_vcpu at vcpu0: arch.guest_state_protected = 1\n");
	read_regs(&g, 0, &r);
	assert_true(r.is_encrypted);
	for (unsigned i = 0; i < GUEST_REGS; i++)
		assert_int_equal(r.value[i].from, GUEST_NOWHERE);
	guests_close(&g);
}

/* In whatever order the notes are. */
static void two_guests(void **state)
{
	(void)state;
	static const char second[] = REGISTERS(2, "0x80050033", "0x100000", "0x60", "0x8123");
	char notes[2048];
	for (int order = 0; order < 2; order++) {
		struct guests g;
		snprintf(notes, sizeof(notes), "%s%s", order ? second : NOTE(1),
			 order ? NOTE(1) : second);
		guests_open_noted(&g, KVM_SVM, notes,
				  GUEST SECOND "put vmcb at vmcb0: save.cr4 = 0x20\n");
		assert_noted(&g, 0);
		assert_noted(&g, 1);
		guests_close(&g);
	}
}

/* Either note can be either's; or one of them, only the second's, which leaves the first the other.
 */
static void two_that_are_alike(void **state)
{
	(void)state;
	struct guests g;
	assert_stale(REGISTERS(1, "0x80050033", "0x100000", "0x60", "0x8123")
			     REGISTERS(2, "0x80050033", "0x100000", "0x60", "0x8123"),
		     GUEST SECOND, true);
	guests_open_noted(&g, KVM_SVM,
			  REGISTERS(1, "0x80050033", "0x100000", "0x60", "0x8123")
				  REGISTERS(2, "0x80050011", "0x100000", "0x60", "0x8123"),
			  GUEST SECOND "put vmcb at vmcb1: save.cr0 = 0x80050011\n");
	assert_noted(&g, 0);
	assert_noted(&g, 1);
	guests_close(&g);
}

/* The CPU has left the guest, whose registers KVM has not put away yet. */
static void on_the_way_out(void **state)
{
	(void)state;
	static const char notes[] =
		"prstatus 1: rip = __svm_vcpu_run+s+4 rsp = sh_stk+0x3000 cs = 0x10\n"
		"qemu: rip = __svm_vcpu_run+s+4 rsp = sh_stk+0x3000 cr3 = sh_pgd|encrypted_bit\n"
		"	cr4 = 0x20|(levels-4)<<12 gs.base = cpu0-percpu cs.selector = "
		"0x10\n" GUESTS_IDLE_NOTE;
	struct guests g;
	struct guest_regs r;
	guests_open_noted(&g, KVM_SVM, notes, GUEST);
	read_regs(&g, 0, &r);
	assert_false(r.in_guest);
	assert_true(r.all_stale);
	assert_value(&r, GUEST_RIP, 0x8010, GUEST_STALE);
	guests_close(&g);
	guests_open_noted(&g, KVM_SVM, notes, GUEST "put kvm_vcpu at vcpu0: mode = 0\n");
	read_regs(&g, 0, &r);
	assert_false(r.all_stale);
	assert_value(&r, GUEST_RIP, 0x8010, GUEST_ARCH);
	guests_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_guest),	     cmocka_unit_test(values_of_kvm),
		cmocka_unit_test(not_its_registers), cmocka_unit_test(memory_that_is_left_out),
		cmocka_unit_test(guest_of_a_guest),  cmocka_unit_test(encrypted),
		cmocka_unit_test(two_guests),	     cmocka_unit_test(two_that_are_alike),
		cmocka_unit_test(on_the_way_out),
	};
	return cmocka_run_group_tests_name("guest notes", tests, NULL, NULL);
}
