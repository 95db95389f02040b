// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames that go from one stack to another, as interrupts leave them, and stacks that are damaged.
 */
#include "arch/x86_64/base/regs.h"
#include "tests/unwind/scene.h"

#define NMI UINT64_C(0xfffffe0000010000)

enum { PT_REGS = 21, PT_RBP = 4, PT_RBX = 5, PT_RIP = 16, PT_CS = 17, PT_RSP = 19, PT_SS = 20 };

static const struct orc_entry orc_pt_regs = { .type = ORC_REGS, .sp = ORC_SP, .signal = true };

/* A pt_regs of the kernel in words from @at on; its other words are 0x2000 plus their number. */
static void put_kernel_regs(uint64_t *words, size_t at, uint64_t rip, uint64_t rsp)
{
	for (size_t i = 0; i < PT_REGS; i++)
		words[at + i] = 0x2000 + i;
	words[at + PT_RIP] = rip;
	words[at + PT_CS] = 0x10;
	words[at + PT_RSP] = rsp;
	words[at + PT_SS] = 0x18;
}

/*
 * An NMI on its own stack interrupts FUN_B on the IRQ stack, whose last word points to the task's,
 * where FUN_C's caller is user mode.
 */
static void an_nmi_in_an_interrupt_in_a_task(void **state)
{
	struct scene s;
	uint64_t nmi[WORDS] = { 0 };
	(void)state;
	set_up(&s);
	fake_memory(&s.fake, NMI, nmi, sizeof(nmi));
	fake_stack(&s.fake, NMI, NMI + sizeof(nmi), "NMI");
	fake_orc(&s.fake, FUN_A, 0x100, orc_pt_regs);
	fake_orc(&s.fake, FUN_B, 0x100,
		 (struct orc_entry){ .type = ORC_CALL, .sp = ORC_SP_INDIRECT, .sp_offset = 8 });
	fake_orc(&s.fake, FUN_C, 0x100, orc_pt_regs);
	regs_set(&s.first, REG_RSP, NMI + 8 * 64);
	put_kernel_regs(nmi, 64, FUN_B + 0x18, IRQ + STACK_BYTES - 8);
	s.irq[WORDS - 1] = task_address(100);
	s.task[100] = FUN_C + 0x20;
	put_user_regs(s.task, 101);
	run(&s, true);
	assert_int_equal(s.frames.end, END_USER);
	assert_int_equal(s.frames.count, 4);
	const struct frame *f = s.frames.list;
	assert_int_equal(f[1].how, HOW_REGS);
	assert_true(f[1].interrupted);
	assert_int_equal(f[1].regs.value[REG_RBX], 0x2000 + PT_RBX);
	assert_int_equal(f[1].saved[REG_RBX], NMI + 8 * (64 + PT_RBX));
	assert_int_equal(f[2].regs.value[REG_RSP], task_address(101));
	/* ORC says nothing of rbx where it changes stacks. */
	assert_false(regs_known(&f[2].regs, REG_RBX));
	assert_int_equal(f[3].regs.value[REG_RBX], 0x1000 + PT_RBX);
	assert_int_equal(rip_of(&s, 3), 0x1000 + PT_RIP);
	frames_free(&s.frames);
}

/* Entry code of kernels with frame pointers: the odd rbp of one stack leads to registers that were
 * saved on it, and those to another. */
static void frame_pointers_cross_stacks_by_saved_registers(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	regs_set(&s.first, REG_RSP, IRQ + 8 * 16);
	regs_set(&s.first, REG_RBP, IRQ + 8 * 20);
	s.irq[20] = (IRQ + 8 * 40) | 1;
	s.irq[21] = FUN_B + 0x10;
	put_kernel_regs(s.irq, 40, FUN_C + 0x40, task_address(60));
	s.irq[40 + PT_RBP] = task_address(62);
	s.task[62] = task_address(90) | 1;
	s.task[63] = FUN_B + 0x80;
	put_user_regs(s.task, 90);
	run(&s, true);
	assert_int_equal(s.frames.end, END_USER);
	assert_int_equal(s.frames.count, 5);
	assert_int_equal(s.frames.list[1].how, HOW_FP);
	assert_int_equal(rip_of(&s, 2), FUN_C + 0x40);
	assert_int_equal(s.frames.list[2].how, HOW_REGS);
	assert_int_equal(s.frames.list[3].how, HOW_FP);
	assert_false(regs_known(&s.frames.list[3].regs, REG_RBX));
	frames_free(&s.frames);
}

/* Two interrupts that each say to have interrupted the other's stack. */
static void saved_registers_that_lead_back_are_refused(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	fake_orc(&s.fake, FUN_A, 0x100, orc_pt_regs);
	put_kernel_regs(s.task, 32, FUN_A + 0x20, IRQ + 8 * 32);
	put_kernel_regs(s.irq, 32, FUN_A + 0x20, task_address(32));
	run(&s, true);
	assert_lost(&s, 2, "the task stack is entered twice");
}

/* A function that ran into the guard page: its registers still lead up the stack. */
static void a_stack_that_ran_over_is_left_upwards(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	fake_orc(&s.fake, FUN_A, 0x100,
		 (struct orc_entry){ .type = ORC_CALL,
				     .sp = ORC_BP,
				     .sp_offset = 16,
				     .bp = ORC_PREV_SP,
				     .bp_offset = -16 });
	fake_orc(&s.fake, FUN_B, 0x100, orc_end);
	regs_set(&s.first, REG_RSP, TASK - 0x40);
	regs_set(&s.first, REG_RBP, task_address(10));
	s.task[10] = 0x77;
	s.task[11] = FUN_B + 0x10;
	run(&s, true);
	assert_int_equal(s.frames.end, END_KTHREAD);
	assert_int_equal(s.frames.count, 2);
	assert_int_equal(s.frames.list[1].regs.value[REG_RBP], 0x77);
	frames_free(&s.frames);
	/* Further down nothing says whose stack it was. */
	regs_set(&s.first, REG_RSP, TASK - 0x2000);
	run(&s, true);
	assert_lost(&s, 1, "is on no stack");
}

/* The double fault that tells of it has a stack of its own, and leads to an rsp in the guard page.
 */
static void an_exception_in_the_guard_page(void **state)
{
	struct scene s;
	uint64_t df[WORDS] = { 0 };
	(void)state;
	set_up(&s);
	fake_memory(&s.fake, NMI, df, sizeof(df));
	fake_stack(&s.fake, NMI, NMI + sizeof(df), "DF");
	fake_orc(&s.fake, FUN_A, 0x100, orc_pt_regs);
	fake_orc(&s.fake, FUN_B, 0x100,
		 (struct orc_entry){ .type = ORC_CALL, .sp = ORC_SP, .sp_offset = 0x50 });
	fake_orc(&s.fake, FUN_C, 0x100, orc_end);
	regs_set(&s.first, REG_RSP, NMI + 8 * 64);
	put_kernel_regs(df, 64, FUN_B + 0x18, TASK - 0x38);
	s.task[2] = FUN_C + 0x10;
	run(&s, true);
	assert_int_equal(s.frames.end, END_KTHREAD);
	assert_int_equal(s.frames.count, 3);
	assert_int_equal(s.frames.list[1].regs.value[REG_RSP], TASK - 0x38);
	assert_int_equal(rip_of(&s, 2), FUN_C + 0x10);
	assert_int_equal(s.frames.list[2].regs.value[REG_RSP], task_address(3));
	frames_free(&s.frames);
	/* More than a page below it may be anybody's. */
	put_kernel_regs(df, 64, FUN_B + 0x18, TASK - 0x1008);
	run(&s, true);
	assert_lost(&s, 1, "is on no stack");
}

/* A program that a program called: two frames of code without symbols or tables. */
static void programs_call_programs(void **state)
{
	const uint64_t bpf = UINT64_C(0xffffffffc0123000);
	unsigned char code[64];
	struct scene s;
	(void)state;
	set_up(&s);
	memset(code, 0xc9, sizeof(code));
	fake_memory(&s.fake, bpf, code, sizeof(code));
	fake_orc(&s.fake, FUN_B, 0x100,
		 (struct orc_entry){ .type = ORC_CALL,
				     .sp = ORC_BP,
				     .sp_offset = 16,
				     .bp = ORC_PREV_SP,
				     .bp_offset = -16 });
	fake_orc(&s.fake, FUN_C, 0x100, orc_end);
	regs_set(&s.first, REG_RIP, bpf + 8);
	regs_set(&s.first, REG_RBP, task_address(40));
	s.task[40] = task_address(50);
	s.task[41] = bpf + 0x20;
	s.task[50] = task_address(60);
	s.task[51] = FUN_B + 0x20;
	s.task[61] = FUN_C + 0x20;
	run(&s, true);
	assert_int_equal(s.frames.end, END_KTHREAD);
	assert_int_equal(s.frames.count, 4);
	assert_int_equal(rip_of(&s, 1), bpf + 0x20);
	assert_int_equal(s.frames.list[2].how, HOW_FP);
	assert_int_equal(s.frames.list[3].how, HOW_ORC);
	assert_int_equal(s.frames.list[3].regs.value[REG_RSP], task_address(62));
	frames_free(&s.frames);
}

/* Saved registers of which a part is not in the dump are not believed in part. */
static void saved_registers_at_the_edge_of_memory(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	fake_orc(&s.fake, FUN_A, 0x100, orc_pt_regs);
	regs_set(&s.first, REG_RSP, task_address(WORDS - PT_REGS + 1));
	run(&s, true);
	assert_lost(&s, 1, "read pt_regs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_nmi_in_an_interrupt_in_a_task),
		cmocka_unit_test(frame_pointers_cross_stacks_by_saved_registers),
		cmocka_unit_test(saved_registers_that_lead_back_are_refused),
		cmocka_unit_test(a_stack_that_ran_over_is_left_upwards),
		cmocka_unit_test(an_exception_in_the_guard_page),
		cmocka_unit_test(programs_call_programs),
		cmocka_unit_test(saved_registers_at_the_edge_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
