// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A vCPU's thread of an old kernel (3.10, frame pointers), stopped just behind vmx_set_cr3's
 * prologue: two functions with CFI, three without. Every register of every frame is known by hand,
 * from the prologues' pushes, or is known to be lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "arch/x86_64/base/regs.h"
#include "base/err.h"
#include "tests/unwind/cfi_file.h"
#include "tests/unwind/fake.h"

/* From 0xffff88003e5ebc70 on. */
static const uint64_t stack_words[] = {
	0x0000000000000000, 0x0000000000000000, 0x000000000916619e, 0x0000000000000000,
	0x000ffffffffff000, 0xffff88043ea73280, 0xffff88003e5ebcd8, 0xffffffffc07980a9,
	0x0000000000000001, 0xffff88043ec8aef8, 0xffff88003e5ebcfc, 0xffff88043ea73280,
	0xffff88043ea73280, 0xffff88003e5ebd48, 0x0000000000006c14, 0x0000000000000000,
	0xffff88043ea73280, 0x0000000000000000, 0xffff88003e5ebd48, 0xffffffffc09a9833,
	0xffff88003e5ebd48, 0x000000000916619e, 0xffff88043ea73280, 0x0000000000000000,
	0x0000000000000001, 0x0000000000000000, 0x0000000000000001, 0xffff88003e5ebdc8,
	0xffffffffc09920fb, 0xffff88003e5ebda8, 0xffffffffc099689c, 0x000000013e5ebfd8,
	0x000000000916619e, 0x00ff8803e0e40000, 0xffff88043ea73280, 0xffff8800ab5e0000,
	0x0000000000000000, 0x000000000916619e, 0xffff88043ea73280, 0xffff88003e5ebfd8,
	0xffff8803e0e40000, 0xffff8803f9678048, 0x0000000000000001, 0xffff88003e5ebe10,
	0xffffffffc0999e1d, 0xfffffffe7ffbfeff, 0x000000000916619e, 0xffff88043ea73280,
	0xffff8800ab5e1700, 0x0000000000000000, 0xffff88017a2b2500, 0xffff8803e0e40000,
	0xffff88003e5ebea8, 0xffffffffc097f1f1, 0x0000000000000000, 0x000055d2495a6000,
	0xffff880401b38c80, 0x000000000916619e, 0x000000000916619e, 0x000055d2495a6380,
	0x0000000000000081, 0x0000000000000000, 0x000055d2495a6380, 0xffff88003e5ebf58,
	0x0000004169359ca7, 0x000000000916619e, 0xffff88017a2b2500, 0x0000000000000000,
	0xffff88017fbeee40, 0x0000000000000000, 0x0000000000000001, 0xffff88003e5ebf28,
	0xffffffff812151cd,
};

#define STACK(low_bits) (UINT64_C(0xffff88003e5eb000) + (low_bits))
#define TEXT(low_bits)	(UINT64_C(0xffffffffc0000000) + (low_bits))
#define VCPU		UINT64_C(0xffff88043ea73280)

enum { R13_NOTED = 0x1301, R14_NOTED = 0x1401, R15_NOTED = 0x1501 };

/* DW_CFA_advance_loc, def_cfa_offset, offset and def_cfa_register: one line a push. */
static const unsigned char vmx_set_cr3_cfi[] = {
	0x46, 0x0e, 16, 0x86, 2, /* push %rbp */
	0x43, 0x0d, 6,		 /* mov %rsp,%rbp */
	0x42, 0x8d, 3,		 /* push %r13 */
	0x42, 0x8c, 4,		 /* push %r12 */
	0x44, 0x83, 5,		 /* push %rbx */
};
static const unsigned char kvm_mmu_load_cfi[] = {
	0x46, 0x0e, 16,	  0x86, 2, 0x43, 0x0d, 6, 0x42, 0x8f, 3, 0x42,
	0x8e, 4,    0x42, 0x8d, 5, 0x42, 0x8c, 6, 0x41, 0x83, 7,
};
static const struct cfi_function functions[] = {
	{ TEXT(0x7a2190), 0x90, vmx_set_cr3_cfi, sizeof(vmx_set_cr3_cfi) },
	{ TEXT(0x9a95a0), 0x310, kvm_mmu_load_cfi, sizeof(kvm_mmu_load_cfi) },
};

static void lay_down(struct fake *f)
{
	fake_text(f, TEXT(0x7a2190), 0x90);		   /* vmx_set_cr3 */
	fake_text(f, TEXT(0x9a95a0), 0x310);		   /* kvm_mmu_load */
	fake_text(f, TEXT(0x991a80), 0x12a0);		   /* vcpu_enter_guest */
	fake_text(f, TEXT(0x999d60), 0x430);		   /* kvm_arch_vcpu_ioctl_run */
	fake_text(f, TEXT(0x97ef40), 0x640);		   /* kvm_vcpu_ioctl */
	fake_text(f, UINT64_C(0xffffffff81214f70), 0x5a0); /* do_vfs_ioctl */
	fake_memory(f, STACK(0xc70), stack_words, sizeof(stack_words));
	fake_stack(f, UINT64_C(0xffff88003e5e8000), UINT64_C(0xffff88003e5ec000), "task");
}

static struct regs noted_registers(void)
{
	struct regs r = { 0 };
	regs_set(&r, REG_RIP, TEXT(0x7a21a8));
	regs_set(&r, REG_RSP, STACK(0xcd0));
	regs_set(&r, REG_RBP, STACK(0xd00));
	regs_set(&r, REG_RBX, VCPU);
	regs_set(&r, REG_R12, 0x5308000);
	regs_set(&r, REG_R13, R13_NOTED);
	regs_set(&r, REG_R14, R14_NOTED);
	regs_set(&r, REG_R15, R15_NOTED);
	regs_set(&r, REG_RAX, 0xa);
	return r;
}

static struct frames unwind_case(void)
{
	struct fake fake = { 0 };
	struct frames frames;
	lay_down(&fake);
	struct cfi_file *cfi = cfi_file_of_functions(functions, 2);
	fake.cfi = cfi_file_cfi(cfi);
	assert_non_null(fake.cfi);
	struct unwind_source source = fake_source(&fake);
	struct regs first = noted_registers();
	assert_null(unwind(&source, &first, HOW_NOTE, true, &frames));
	cfi_file_free(cfi);
	return frames;
}

enum { ONLY_CHAIN = 1 << REG_RIP | 1 << REG_RSP | 1 << REG_RBP };
#define CALLEE_SAVED \
	(ONLY_CHAIN | 1 << REG_RBX | 1 << REG_R12 | 1 << REG_R13 | 1 << REG_R14 | 1 << REG_R15)

static void every_register_is_as_found_by_hand(void **state)
{
	static const struct {
		enum frame_how how;
		uint32_t known;
		uint64_t rip, rsp, rbp, rbx, r12, r13, r14, r15;
	} table[] = {
		{ HOW_NOTE, CALLEE_SAVED | 1 << REG_RAX, TEXT(0x7a21a8), STACK(0xcd0), STACK(0xd00),
		  VCPU, 0x5308000, R13_NOTED, R14_NOTED, R15_NOTED },
		{ HOW_CFI, CALLEE_SAVED, TEXT(0x9a9833), STACK(0xd10), STACK(0xd48), 0, VCPU, 0,
		  R14_NOTED, R15_NOTED },
		{ HOW_CFI, CALLEE_SAVED, TEXT(0x9920fb), STACK(0xd58), STACK(0xdc8), VCPU, 0, 1, 0,
		  1 },
		{ HOW_FP, ONLY_CHAIN, TEXT(0x999e1d), STACK(0xdd8), STACK(0xe10), 0, 0, 0, 0, 0 },
		{ HOW_FP, ONLY_CHAIN, TEXT(0x97f1f1), STACK(0xe20), STACK(0xea8), 0, 0, 0, 0, 0 },
		{ HOW_FP, ONLY_CHAIN, UINT64_C(0xffffffff812151cd), STACK(0xeb8), STACK(0xf28), 0,
		  0, 0, 0, 0 },
	};
	const size_t count = sizeof(table) / sizeof(*table);
	(void)state;
	struct frames f = unwind_case();
	assert_int_equal(f.count, count);
	for (size_t i = 0; i < count; i++) {
		const struct regs *r = &f.list[i].regs;
		assert_int_equal(f.list[i].how, table[i].how);
		assert_int_equal(r->known, table[i].known);
		assert_int_equal(r->value[REG_RIP], table[i].rip);
		assert_int_equal(r->value[REG_RSP], table[i].rsp);
		assert_int_equal(r->value[REG_RBP], table[i].rbp);
		assert_int_equal(r->value[REG_RBX], table[i].rbx);
		assert_int_equal(r->value[REG_R12], table[i].r12);
		assert_int_equal(r->value[REG_R13], table[i].r13);
		assert_int_equal(r->value[REG_R14], table[i].r14);
		assert_int_equal(r->value[REG_R15], table[i].r15);
	}
	frames_free(&f);
}

static void it_is_known_where_each_register_was_saved(void **state)
{
	(void)state;
	struct frames f = unwind_case();
	assert_int_equal(f.list[0].saved_known, 0);
	assert_int_equal(f.list[0].cfa, STACK(0xd10));
	assert_int_equal(f.list[1].saved_known,
			 1 << REG_RIP | 1 << REG_RBP | 1 << REG_R13 | 1 << REG_R12 | 1 << REG_RBX);
	assert_int_equal(f.list[1].saved[REG_RBX], STACK(0xce8));
	assert_int_equal(f.list[1].saved[REG_R12], STACK(0xcf0));
	assert_int_equal(f.list[2].saved[REG_RBX], STACK(0xd20));
	assert_int_equal(f.list[2].saved[REG_R15], STACK(0xd40));
	assert_int_equal(f.list[2].saved[REG_RIP], STACK(0xd50));
	assert_int_equal(f.list[3].saved_known, 1 << REG_RIP | 1 << REG_RBP);
	frames_free(&f);
}

static void the_end_says_why(void **state)
{
	(void)state;
	struct frames f = unwind_case();
	assert_int_equal(f.end, END_LOST);
	assert_string_equal(f.why, "at 0xffffffff812151cd: CFI: no matching address range; "
				   "read 0xffff88003e5ebf28: 0xffff88003e5ebf28 is not in the "
				   "dump; frame pointer: rbp 0xffff88003e5ebf28 leads nowhere "
				   "on the task stack");
	frames_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_register_is_as_found_by_hand),
		cmocka_unit_test(it_is_known_where_each_register_was_saved),
		cmocka_unit_test(the_end_says_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
