// SPDX-License-Identifier: GPL-2.0-or-later
/* Guests' registers: what is known, what is stale, what is nobody's business. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/kvm/guests.h"

/* vCPU 0 as a vcpu_svm, with a VMCB that differs from kvm_vcpu_arch where that matters. */
#define SVM                                                                                     \
	"virt &vcpu_svm(vcpu0).vmcb: vmcb0\nvirt &vcpu_svm(vcpu0).vmcb01.ptr: vmcb0\n"          \
	"virt &vcpu_svm(vcpu0).current_vmcb: (&vcpu_svm(vcpu0).vmcb01)\n"                       \
	"put vmcb at vmcb0: control.exit_code = 0x78 control.nested_ctl = 1 save.rflags = 0x46" \
	" save.cr3 = 0x2000 save.cr0 = 0x80050033 save.cr4 = 0x60 save.efer = 0x1500"           \
	" save.rip = 0x8000 save.cs.selector = 8 save.gs.base = 0x5000\n"

static void read_regs(struct guests *g, size_t n, struct guest_regs *ret)
{
	assert_no_err(guest_regs_read(g->kvm, &g->vms[0].vcpus[n], ret));
}

static void assert_value(const struct guest_regs *r, enum guest_reg reg, uint64_t value,
			 enum guest_from from)
{
	assert_int_equal(r->value[reg].value, value);
	assert_int_equal(r->value[reg].from, from);
	assert_int_equal(r->value[reg].known, from != GUEST_STALE && from != GUEST_NOWHERE);
}

static void svm(void **state)
{
	(void)state;
	struct guests g;
	struct guest_regs r;
	struct vcpu_state s;
	guests_open_newer(&g, KVM_SVM, SVM);
	read_regs(&g, 0, &r);
	assert_false(r.in_guest);
	assert_false(r.is_nested);
	assert_value(&r, GUEST_RBX, 0xb0b0, GUEST_ARCH);
	assert_value(&r, GUEST_RIP, 0x8010, GUEST_ARCH);
	assert_value(&r, GUEST_RFLAGS, 0x46, GUEST_VMCB);
	assert_value(&r, GUEST_CR0, 0x80050033, GUEST_VMCB);
	assert_value(&r, GUEST_CR4, 0x20, GUEST_ARCH);
	assert_value(&r, GUEST_EFER, 0x500, GUEST_ARCH);
	/* The exit handler has not refreshed KVM's copy yet. */
	assert_value(&r, GUEST_CR3, 0x2000, GUEST_VMCB);
	assert_value(&r, GUEST_GS_BASE, 0x5000, GUEST_VMCB);
	assert_no_err(vcpu_state_read(g.kvm, &g.vms[0].vcpus[0], &s));
	assert_string_equal(s.exit_name, "HLT");
	guests_close(&g);
}

/* KVM's own cr3 is newer after it changed it, and without nested paging. */
static void svm_cr3(void **state)
{
	(void)state;
	static const char *const extras[] = {
		SVM "put kvm_vcpu at vcpu0: mode = 0 arch.regs_dirty = 0x80000\n",
		SVM "put vmcb at vmcb0: control.nested_ctl = 0\n",
		SVM "put kvm_vcpu at vcpu0: pid = 0\n",
	};
	for (size_t i = 0; i < sizeof(extras) / sizeof(*extras); i++) {
		struct guests g;
		struct guest_regs r;
		guests_open_newer(&g, KVM_SVM, extras[i]);
		read_regs(&g, 0, &r);
		assert_value(&r, GUEST_CR3, 0x1000, GUEST_ARCH);
		guests_close(&g);
	}
}

static void svm_nested(void **state)
{
	(void)state;
	struct guests g;
	struct guest_regs r, l1;
	guests_open_newer(&g, KVM_SVM,
			  SVM "virt &vcpu_svm(vcpu0).vmcb: (vmcb0 + 0x1000)\n"
			      "virt &vcpu_svm(vcpu0).current_vmcb: "
			      "(&vcpu_svm(vcpu0).nested.vmcb02)\n"
			      "put vmcb at vmcb0 + 0x1000: save.rflags = 0x2 save.gs.base = 9\n");
	read_regs(&g, 0, &r);
	assert_true(r.is_nested);
	assert_value(&r, GUEST_RFLAGS, 2, GUEST_VMCB);
	assert_value(&r, GUEST_GS_BASE, 0x5000, GUEST_VMCB);
	assert_no_err(guest_regs_read_l1(g.kvm, &g.vms[0].vcpus[0], &l1));
	assert_value(&l1, GUEST_RIP, 0x8000, GUEST_VMCB);
	assert_value(&l1, GUEST_RBX, 0, GUEST_NOWHERE);
	guests_close(&g);
}

static void encrypted(void **state)
{
	(void)state;
	struct guests g;
	struct guest_regs r;
	guests_open_newer(&g, KVM_SVM,
			  SVM "put kvm_vcpu at vcpu0: arch.guest_state_protected = 1\n");
	read_regs(&g, 0, &r);
	assert_true(r.is_encrypted);
	for (unsigned i = 0; i < GUEST_REGS; i++)
		assert_value(&r, i, 0, GUEST_NOWHERE);
	guests_close(&g);
}

/* ---- Intel ---- */

static void vmx_arrays(void **state)
{
	(void)state;
	struct guests g;
	struct guest_regs r;
	guests_open_demo(&g, NULL);
	read_regs(&g, 0, &r);
	assert_value(&r, GUEST_RIP, 0x8010, GUEST_ARCH);
	assert_value(&r, GUEST_RSP, 0x7000, GUEST_STALE);
	assert_value(&r, GUEST_CR3, 0x1000, GUEST_STALE);
	assert_value(&r, GUEST_EFER, 0xd01, GUEST_ARCH);
	guests_close(&g);
}

/* regs_avail: rip and cr3; then segments, of which cs's selector and gs's base were read. */
static void vmx(void **state)
{
	(void)state;
	struct guests g;
	struct guest_regs r;
	guests_open_newer(
		&g, KVM_VMX,
		"put kvm_vcpu at vcpu0: arch.regs_avail = 0x490000 arch.cr4_guest_owned_bits = "
		"0x80\n"
		"put vcpu_vmx at vcpu0: rflags = 0x246 exit_reason = 0x80000021\n"
		"	segment_cache.bitmask = 0x200010 segment_cache.seg[1].selector = 0x10\n"
		"	segment_cache.seg[5].base = 0x5000 segment_cache.seg[0].selector = 0x18\n");
	read_regs(&g, 0, &r);
	assert_value(&r, GUEST_RBX, 0xb0b0, GUEST_ARCH);
	assert_value(&r, GUEST_RIP, 0x8010, GUEST_ARCH);
	assert_value(&r, GUEST_CR3, 0x1000, GUEST_ARCH);
	assert_value(&r, GUEST_RSP, 0x7000, GUEST_STALE);
	assert_value(&r, GUEST_RFLAGS, 0x246, GUEST_STALE);
	assert_value(&r, GUEST_CR0, 0x80050033, GUEST_STALE);
	assert_value(&r, GUEST_CR4, 0x20, GUEST_STALE);
	assert_value(&r, GUEST_CS, 0x10, GUEST_ARCH);
	assert_value(&r, GUEST_GS_BASE, 0x5000, GUEST_ARCH);
	assert_value(&r, GUEST_ES, 0, GUEST_NOWHERE);
	struct vcpu_state s;
	assert_no_err(vcpu_state_read(g.kvm, &g.vms[0].vcpus[0], &s));
	assert_string_equal(s.exit_name, "INVALID_STATE");
	guests_close(&g);
}

/* The host is a guest of KVM: its VMCSs are structs vmcs12, current after a crash. */
static void vmx_vmcs12(void **state)
{
	(void)state;
	struct guests g;
	struct guest_regs r;
	guests_open_newer(&g, KVM_VMX,
			  "put vcpu_vmx at vcpu0: vmcs01.vmcs = vmcs_page vmcs01.launched = 1\n"
			  "	loaded_vmcs = &vcpu_vmx(vcpu0).vmcs01\n"
			  "put vmcs12 at vmcs_page: revision_id = 0x11e57ed0 guest_rip = 0x9000\n"
			  "	guest_rsp = 0x9100 guest_rflags = 0x2 guest_cr3 = 0x9200\n");
	read_regs(&g, 0, &r);
	assert_value(&r, GUEST_RIP, 0x9000, GUEST_VMCS12);
	assert_value(&r, GUEST_RSP, 0x9100, GUEST_VMCS12);
	assert_value(&r, GUEST_CR3, 0x9200, GUEST_VMCS12);
	guests_close(&g);
}

static void vmx_nested(void **state)
{
	(void)state;
	struct guests g;
	struct guest_regs r, l1;
	guests_open_newer(
		&g, KVM_VMX,
		"put vcpu_vmx at vcpu0: loaded_vmcs = &vcpu_vmx(vcpu0).nested.vmcs02\n"
		"	nested.cached_vmcs12 = vmcs_page\n"
		"put vmcs12 at vmcs_page: host_rip = 0xffffffff81001234 host_cr3 = 0x3000\n");
	read_regs(&g, 0, &r);
	assert_true(r.is_nested);
	assert_no_err(guest_regs_read_l1(g.kvm, &g.vms[0].vcpus[0], &l1));
	assert_value(&l1, GUEST_RIP, 0xffffffff81001234, GUEST_VMCS12);
	assert_value(&l1, GUEST_CR3, 0x3000, GUEST_VMCS12);
	guests_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(svm),	      cmocka_unit_test(svm_cr3),
		cmocka_unit_test(svm_nested), cmocka_unit_test(encrypted),
		cmocka_unit_test(vmx_arrays), cmocka_unit_test(vmx),
		cmocka_unit_test(vmx_vmcs12), cmocka_unit_test(vmx_nested),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
