// SPDX-License-Identifier: GPL-2.0-or-later
/* The driver, ORC and frame pointers: where frames lead, where they end, and what is not believed.
 */
#include "arch/x86_64/base/regs.h"
#include "tests/unwind/scene.h"

static void orc_leads_to_a_kernel_threads_start(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	fake_orc(&s.fake, FUN_A, 0x100, orc_call_8);
	/* The call was the function's last instruction: what covers the return address is not it.
	 */
	fake_orc(&s.fake, FUN_B, 0x100,
		 (struct orc_entry){ .type = ORC_CALL,
				     .sp = ORC_SP,
				     .sp_offset = 24,
				     .bp = ORC_PREV_SP,
				     .bp_offset = -16 });
	fake_orc(&s.fake, FUN_C, 0x100, orc_end);
	s.task[32] = FUN_B + 0x100;
	s.task[34] = 0x600d;
	s.task[35] = FUN_C + 0x20;
	regs_set(&s.first, REG_RBX, 7);
	run(&s, true);
	assert_int_equal(s.frames.end, END_KTHREAD);
	assert_int_equal(s.frames.count, 3);
	assert_int_equal(s.frames.list[1].how, HOW_ORC);
	assert_int_equal(s.frames.list[2].regs.value[REG_RBP], 0x600d);
	assert_int_equal(s.frames.list[2].saved[REG_RBP], task_address(34));
	assert_int_equal(s.frames.list[2].regs.value[REG_RSP], task_address(36));
	/* ORC does not speak of rbx. */
	assert_false(regs_known(&s.frames.list[1].regs, REG_RBX));
	frames_free(&s.frames);
}

/* A STACK_FRAME_NON_STANDARD function: rbp must not be taken for a frame pointer, nor a word on the
 * stack for its return address that follows a call of another function. */
static void callers_of_what_orc_leaves_out_are_looked_for(void **state)
{
	static const unsigned char calls[16] = { 0xe8, 0xfb, 0xfe,
						 0xff, 0xff, /* FUN_B: call FUN_A */
						 0xe8, 0xf6, 0x00,
						 0x00, 0x00 }; /* call FUN_C */
	struct scene s;
	(void)state;
	set_up(&s);
	fake_memory(&s.fake, FUN_B, calls, sizeof(calls));
	fake_orc(&s.fake, FUN_A, 0x100, (struct orc_entry){ .type = ORC_NOTHING });
	fake_orc(&s.fake, FUN_B, 0x100, orc_end);
	regs_set(&s.first, REG_RBP, task_address(40));
	s.task[41] = FUN_C + 0x20;
	s.task[34] = FUN_B + 10;
	s.task[36] = FUN_B + 5;
	run(&s, true);
	assert_int_equal(s.frames.count, 2);
	assert_int_equal(s.frames.list[1].how, HOW_FOUND);
	assert_int_equal(rip_of(&s, 1), FUN_B + 5);
	assert_int_equal(s.frames.list[1].regs.value[REG_RSP], task_address(37));
	assert_int_equal(s.frames.list[1].saved[REG_RIP], task_address(36));
	assert_false(regs_known(&s.frames.list[1].regs, REG_RBP));
	assert_int_equal(s.frames.end, END_KTHREAD);
	frames_free(&s.frames);

	set_up(&s);
	fake_memory(&s.fake, FUN_B, calls, sizeof(calls));
	fake_orc(&s.fake, FUN_A, 0x100, (struct orc_entry){ .type = ORC_NOTHING });
	s.task[34] = FUN_B + 10;
	run(&s, true);
	assert_lost(&s, 1, "no return address behind a call of this function");
}

static void assembly_that_is_known_carries_registers_over(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	fake_orc(&s.fake, FUN_A, 0x100, orc_call_8);
	fake_orc(&s.fake, FUN_B, 0x100, orc_end);
	s.fake.keeps_start = FUN_A;
	s.fake.keeps_end = FUN_A + 0x100;
	s.task[32] = FUN_B + 0x20;
	regs_set(&s.first, REG_RBX, 7);
	regs_set(&s.first, REG_RAX, 8);
	run(&s, true);
	assert_int_equal(s.frames.count, 2);
	assert_int_equal(s.frames.list[1].regs.value[REG_RBX], 7);
	assert_false(regs_known(&s.frames.list[1].regs, REG_RAX));
	assert_false(regs_known(&s.frames.list[1].regs, REG_R12));
	frames_free(&s.frames);
}

static void orc_regs_restore_everything(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	fake_orc(&s.fake, FUN_A, 0x100,
		 (struct orc_entry){ .type = ORC_REGS, .sp = ORC_SP, .signal = true });
	put_user_regs(s.task, 32);
	run(&s, true);
	assert_int_equal(s.frames.end, END_USER);
	assert_int_equal(s.frames.count, 2);
	const struct frame *f = &s.frames.list[1];
	assert_int_equal(f->how, HOW_REGS);
	assert_true(f->interrupted);
	assert_int_equal(f->regs.value[REG_R15], 0x1000);
	assert_int_equal(f->regs.value[REG_RBP], 0x1004);
	assert_int_equal(f->regs.value[REG_RIP], 0x1010);
	assert_int_equal(f->saved[REG_RIP], task_address(32 + 16));
	frames_free(&s.frames);
}

static void orc_partial_regs_restore_the_iret_frame(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	fake_orc(&s.fake, FUN_A, 0x100,
		 (struct orc_entry){ .type = ORC_REGS_PARTIAL, .sp = ORC_SP, .signal = true });
	put_user_regs(s.task, 32 - 16);
	regs_set(&s.first, REG_RBP, 0x55);
	run(&s, true);
	assert_int_equal(s.frames.end, END_USER);
	assert_int_equal(s.frames.count, 2);
	assert_int_equal(rip_of(&s, 1), 0x1010);
	assert_int_equal(s.frames.list[1].regs.value[REG_RBP], 0x55);
	assert_false(regs_known(&s.frames.list[1].regs, REG_RAX));
	frames_free(&s.frames);
}

/* Nothing has run yet there but the CPU's own pushing; behind a symbol in the middle it has. */
static void an_exceptions_first_instruction_keeps_all_registers(void **state)
{
	static const struct {
		uint64_t offset;
		int16_t pushed;
		bool keeps;
	} places[] = { { 0, 0, true }, { 4, 0, false }, { 0, 8, false } };
	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct scene s;
		set_up(&s);
		fake_orc(&s.fake, FUN_A, 0x100,
			 (struct orc_entry){ .type = ORC_REGS_PARTIAL,
					     .sp = ORC_SP,
					     .sp_offset = places[i].pushed,
					     .signal = true });
		put_user_regs(s.task, 32 - 16 + places[i].pushed / 8);
		regs_set(&s.first, REG_RIP, FUN_A + places[i].offset);
		regs_set(&s.first, REG_RCX, 0x77);
		run(&s, true);
		assert_int_equal(s.frames.count, 2);
		const struct regs *r = &s.frames.list[1].regs;
		assert_int_equal(regs_known(r, REG_RCX), places[i].keeps);
		assert_true(!places[i].keeps || r->value[REG_RCX] == 0x77);
		assert_false(regs_known(r, REG_RDX));
		assert_int_equal(r->value[REG_RSP], 0x1013);
		frames_free(&s.frames);
	}
}

/* The IRQ stack's last word points back to where the task's stack was left. */
static void orc_crosses_stacks(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	fake_orc(&s.fake, FUN_A, 0x100,
		 (struct orc_entry){ .type = ORC_CALL, .sp = ORC_SP_INDIRECT, .sp_offset = 8 });
	fake_orc(&s.fake, FUN_B, 0x100, orc_end);
	regs_set(&s.first, REG_RSP, IRQ + STACK_BYTES - 8);
	s.irq[WORDS - 1] = task_address(40);
	s.task[40] = FUN_B + 0x10;
	run(&s, true);
	assert_int_equal(s.frames.end, END_KTHREAD);
	assert_int_equal(s.frames.count, 2);
	assert_int_equal(s.frames.list[1].regs.value[REG_RSP], task_address(41));
	frames_free(&s.frames);
}

static void no_stack_is_entered_twice(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	fake_orc(&s.fake, FUN_A, 0x100,
		 (struct orc_entry){ .type = ORC_CALL, .sp = ORC_SP_INDIRECT, .sp_offset = 8 });
	s.task[32] = IRQ + 0x80;
	s.irq[16] = FUN_A + 0x10;
	s.irq[17] = task_address(64);
	s.task[64] = FUN_A + 0x20;
	run(&s, true);
	assert_lost(&s, 2, "the task stack is entered twice");
}

static void the_stack_must_go_up(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	fake_orc(&s.fake, FUN_A, 0x100,
		 (struct orc_entry){ .type = ORC_CALL, .sp = ORC_SP, .sp_offset = -8 });
	s.task[30] = FUN_A + 0x10;
	run(&s, true);
	assert_lost(&s, 1, "the stack goes the wrong way");
}

static void a_stack_of_nobody_is_refused(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	regs_set(&s.first, REG_RSP, UINT64_C(0xffffc90000900000));
	run(&s, true);
	assert_lost(&s, 1, "is on no stack of this task or its CPU");
	regs_forget(&s.first, REG_RSP);
	run(&s, true);
	assert_lost(&s, 1, "rip or rsp is not known");
	/* What is not known has no address. */
	regs_forget(&s.first, REG_RIP);
	run(&s, true);
	assert_string_equal(s.frames.why, "rip or rsp is not known");
	frames_free(&s.frames);
}

static void a_cyclic_chain_of_frame_pointers_ends(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	regs_set(&s.first, REG_RBP, task_address(40));
	s.task[40] = task_address(50);
	s.task[41] = FUN_B + 0x10;
	s.task[50] = task_address(40);
	s.task[51] = FUN_C + 0x10;
	run(&s, true);
	assert_lost(&s, 3, "leads nowhere");
}

static void depth_is_capped(void **state)
{
	static struct {
		struct scene s;
		uint64_t stack[2 * UNWIND_DEPTH_MAX + 64];
	} big;
	const uint64_t base = TASK + 0x1000000;
	(void)state;
	set_up(&big.s);
	fake_orc(&big.s.fake, FUN_A, 0x100, orc_call_8);
	for (size_t i = 0; i < sizeof(big.stack) / 8; i++)
		big.stack[i] = FUN_A + 0x10;
	fake_memory(&big.s.fake, base, big.stack, sizeof(big.stack));
	fake_stack(&big.s.fake, base, base + sizeof(big.stack), "task");
	regs_set(&big.s.first, REG_RSP, base);
	run(&big.s, true);
	assert_lost(&big.s, UNWIND_DEPTH_MAX, "more than 4096 frames");
}

static void a_call_to_nowhere_is_undone(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	regs_set(&s.first, REG_RIP, 0);
	regs_set(&s.first, REG_RDI, 0x42);
	fake_orc(&s.fake, FUN_B, 0x100, orc_end);
	s.task[32] = FUN_B + 0x10;
	run(&s, true);
	assert_int_equal(s.frames.end, END_KTHREAD);
	assert_int_equal(s.frames.count, 2);
	assert_int_equal(s.frames.list[1].how, HOW_CALL);
	assert_int_equal(rip_of(&s, 1), FUN_B + 0x10);
	assert_int_equal(s.frames.list[1].regs.value[REG_RSP], task_address(33));
	assert_int_equal(s.frames.list[1].regs.value[REG_RDI], 0x42);
	frames_free(&s.frames);
	/* A return address to nowhere is damage. */
	set_up(&s);
	fake_orc(&s.fake, FUN_A, 0x100, orc_call_8);
	s.task[32] = 0x1234;
	run(&s, true);
	assert_lost(&s, 1, "return address 0x1234 is no code");
}

/* BPF programs are code that no symbol covers, with frame pointers. */
static void unknown_code_is_left_by_its_frame_pointer(void **state)
{
	static const unsigned char program[64];
	const uint64_t bpf = UINT64_C(0xffffffffc0123000);
	struct scene s;
	(void)state;
	set_up(&s);
	fake_memory(&s.fake, bpf, program, sizeof(program));
	fake_orc(&s.fake, FUN_A, 0x100, orc_call_8);
	fake_orc(&s.fake, FUN_B, 0x100, orc_end);
	s.task[32] = bpf + 0x10;
	regs_set(&s.first, REG_RBP, task_address(40));
	regs_set(&s.first, REG_RBX, 9);
	s.task[40] = 0x77;
	s.task[41] = FUN_B + 0x10;
	run(&s, true);
	assert_int_equal(s.frames.end, END_KTHREAD);
	assert_int_equal(s.frames.count, 3);
	assert_int_equal(rip_of(&s, 1), bpf + 0x10);
	assert_int_equal(s.frames.list[2].how, HOW_FP);
	assert_int_equal(s.frames.list[2].regs.known, 1 << REG_RIP | 1 << REG_RSP | 1 << REG_RBP);
	frames_free(&s.frames);
}

static void an_odd_frame_pointer_is_a_pt_regs(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	put_user_regs(s.task, 40);
	regs_set(&s.first, REG_RBP, task_address(40) | 1);
	run(&s, true);
	assert_int_equal(s.frames.end, END_USER);
	assert_int_equal(s.frames.count, 2);
	assert_int_equal(s.frames.list[1].how, HOW_REGS);
	assert_int_equal(s.frames.list[1].regs.value[REG_RBX], 0x1005);
	frames_free(&s.frames);
}

/* Interrupted where rbp is still, or again, the caller's. */
static void prologues_and_returns_have_no_frame(void **state)
{
	unsigned char code[0x40] = { 0x0f, 0x1f, 0x44, 0, 0, 0x55, 0x48, 0x89, 0xe5 };
	static const struct {
		unsigned at;
		size_t return_word;
		uint64_t rbp;
	} places[] = { { 0, 32, 0x66 }, { 5, 32, 0x66 }, { 6, 33, 0x66 }, { 0x20, 32, 0x66 } };
	(void)state;
	code[0x20] = 0xc3;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct scene s;
		set_up(&s);
		fake_memory(&s.fake, FUN_A, code, sizeof(code));
		fake_orc(&s.fake, FUN_B, 0x100, orc_end);
		regs_set(&s.first, REG_RIP, FUN_A + places[i].at);
		regs_set(&s.first, REG_RBP, 0x66);
		s.task[32] = 0x66;
		s.task[places[i].return_word] = FUN_B + 0x10;
		run(&s, true);
		assert_int_equal(s.frames.end, END_KTHREAD);
		assert_int_equal(s.frames.count, 2);
		assert_int_equal(s.frames.list[1].regs.value[REG_RBP], places[i].rbp);
		frames_free(&s.frames);
	}
}

static void the_top_of_a_stack_holds_user_registers(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	put_user_regs(s.task, PT_REGS_AT_TOP);
	regs_set(&s.first, REG_RSP, task_address(PT_REGS_AT_TOP));
	regs_set(&s.first, REG_RBP, 0x7ffc0000);
	run(&s, false);
	assert_int_equal(s.frames.end, END_USER);
	assert_int_equal(s.frames.count, 2);
	assert_int_equal(rip_of(&s, 1), 0x1010);
	assert_false(regs_known(&s.frames.list[1].regs, REG_RBX));
	frames_free(&s.frames);
	/* A kernel thread has none there, and rbp 0. */
	set_up(&s);
	regs_set(&s.first, REG_RSP, task_address(PT_REGS_AT_TOP));
	run(&s, false);
	assert_int_equal(s.frames.end, END_KTHREAD);
	assert_int_equal(s.frames.count, 1);
	frames_free(&s.frames);
	/* Lower down the same is a frame that was lost. */
	set_up(&s);
	run(&s, false);
	assert_lost(&s, 1, "rbp 0x0 leads nowhere");
}

static void return_address_0_at_the_top_is_the_end(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	fake_orc(&s.fake, FUN_A, 0x100, orc_call_8);
	regs_set(&s.first, REG_RSP, task_address(WORDS - 1));
	run(&s, true);
	assert_int_equal(s.frames.end, END_KTHREAD);
	frames_free(&s.frames);
	regs_set(&s.first, REG_RSP, task_address(32));
	run(&s, true);
	assert_lost(&s, 1, "return address 0x0 is no code");
}

static void user_mode_is_the_only_frame(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	regs_set(&s.first, REG_CS, 0x33);
	run(&s, true);
	assert_int_equal(s.frames.end, END_USER);
	assert_int_equal(s.frames.count, 1);
	frames_free(&s.frames);
}

static void only_a_new_thread_goes_from_its_start_to_user_mode(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	fake_orc(&s.fake, FUN_A, 0x100, orc_end);
	put_user_regs(s.task, PT_REGS_AT_TOP);
	regs_set(&s.first, REG_RSP, task_address(PT_REGS_AT_TOP));
	struct unwind_source source = fake_source(&s.fake);
	assert_null(unwind(&source, &s.first, HOW_SWITCH, false, &s.frames));
	assert_int_equal(s.frames.end, END_USER);
	assert_int_equal(s.frames.count, 2);
	frames_free(&s.frames);
	run(&s, true);
	assert_int_equal(s.frames.end, END_KTHREAD);
	assert_int_equal(s.frames.count, 1);
	frames_free(&s.frames);
}

static void one_rule_tells_user_mode(void **state)
{
	(void)state;
	static const uint64_t user = 0x401000, kernel = FUN_A, five_levels = 0x00ff800000401000,
			      nobodys = 0x8000000000401000;
	enum { NO = -1, KERNEL_CS = 0x10, USER_CS = 0x33, USER32_CS = 0x23, LEVEL_1 = 0x11 };
	static const struct {
		int64_t cs;   /* NO: not known */
		uint64_t rip; /* 1: not known */
		enum frame_how how;
		bool interrupted;
		enum frame_mode mode;
	} cases[] = {
		/* By cs, whatever the rest is. */
		{ USER_CS, user, HOW_REGS, true, FRAME_USER },
		{ USER32_CS, user, HOW_NOTE, true, FRAME_USER },
		{ USER_CS, kernel, HOW_REGS, true, FRAME_USER }, /* vsyscall */
		{ USER_CS, 1, HOW_REGS, true, FRAME_USER },
		{ KERNEL_CS, kernel, HOW_REGS, true, FRAME_KERNEL },
		{ KERNEL_CS, user, HOW_REGS, true, FRAME_KERNEL }, /* a jump to nowhere */
		{ LEVEL_1, kernel, HOW_REGS, true, FRAME_UNKNOWN },
		/* Without: what CFI says was interrupted. */
		{ NO, user, HOW_CFI, true, FRAME_USER },
		{ NO, five_levels, HOW_CFI, true, FRAME_USER },
		{ NO, nobodys, HOW_CFI, true, FRAME_UNKNOWN },
		{ NO, 0, HOW_CFI, true, FRAME_UNKNOWN },
		{ NO, 1, HOW_CFI, true, FRAME_UNKNOWN },
		{ NO, kernel, HOW_CFI, true, FRAME_KERNEL },
		/* A return address, or what ORC reads from a stack, is damage there. */
		{ NO, user, HOW_CFI, false, FRAME_UNKNOWN },
		{ NO, user, HOW_ORC, true, FRAME_UNKNOWN },
		{ NO, user, HOW_REGS, true, FRAME_UNKNOWN },
		{ NO, kernel, HOW_ORC, false, FRAME_KERNEL },
		{ NO, kernel, HOW_SWITCH, false, FRAME_KERNEL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct frame f = { .regs.arch = &x86_64_regs,
				   .how = cases[i].how,
				   .interrupted = cases[i].interrupted };
		if (cases[i].cs != NO)
			regs_set(&f.regs, REG_CS, (uint64_t)cases[i].cs);
		if (cases[i].rip != 1)
			regs_set(&f.regs, REG_RIP, cases[i].rip);
		assert_int_equal(frame_mode(&f), cases[i].mode);
	}
}

/* FUN_B was called by FUN_C, whose return address is a tracer's now. */
static void return_addresses_that_tracers_replaced(void **state)
{
	static const struct {
		uint64_t kept; /* what was there before; 0: nobody knows */
		size_t slot;
		enum unwind_end end;
		size_t count;
	} cases[] = {
		{ FUN_C + 0x10, 33, END_KTHREAD, 3 },
		{ 0, 33, END_LOST, 3 },
		{ FUN_C + 0x10, 34, END_LOST, 3 }, /* it is of another call */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct scene s;
		set_up(&s);
		fake_orc(&s.fake, FUN_A, 0x200, orc_call_8);
		fake_orc(&s.fake, FUN_C, 0x100, orc_end);
		s.fake.trampoline = FUN_A + 0x80; /* what lies before it is another function */
		s.fake.traced_slot = task_address(cases[i].slot);
		s.fake.traced_return = cases[i].kept;
		s.task[32] = FUN_B + 0x20;
		s.task[33] = s.fake.trampoline;
		run(&s, true);
		assert_int_equal(s.frames.end, cases[i].end);
		assert_int_equal(s.frames.count, cases[i].count);
		assert_true(s.frames.list[2].traced);
		assert_int_equal(s.frames.list[2].saved[REG_RIP], task_address(33));
		assert_int_equal(rip_of(&s, 2),
				 cases[i].end == END_LOST ? s.fake.trampoline : cases[i].kept);
		assert_int_equal(s.frames.list[2].is_trampoline, cases[i].end == END_LOST);
		if (cases[i].end == END_LOST)
			assert_non_null(strstr(s.frames.why, "a tracer has taken the place"));
		frames_free(&s.frames);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orc_leads_to_a_kernel_threads_start),
		cmocka_unit_test(callers_of_what_orc_leaves_out_are_looked_for),
		cmocka_unit_test(assembly_that_is_known_carries_registers_over),
		cmocka_unit_test(orc_regs_restore_everything),
		cmocka_unit_test(orc_partial_regs_restore_the_iret_frame),
		cmocka_unit_test(an_exceptions_first_instruction_keeps_all_registers),
		cmocka_unit_test(orc_crosses_stacks),
		cmocka_unit_test(no_stack_is_entered_twice),
		cmocka_unit_test(the_stack_must_go_up),
		cmocka_unit_test(a_stack_of_nobody_is_refused),
		cmocka_unit_test(a_cyclic_chain_of_frame_pointers_ends),
		cmocka_unit_test(depth_is_capped),
		cmocka_unit_test(a_call_to_nowhere_is_undone),
		cmocka_unit_test(unknown_code_is_left_by_its_frame_pointer),
		cmocka_unit_test(an_odd_frame_pointer_is_a_pt_regs),
		cmocka_unit_test(prologues_and_returns_have_no_frame),
		cmocka_unit_test(the_top_of_a_stack_holds_user_registers),
		cmocka_unit_test(return_address_0_at_the_top_is_the_end),
		cmocka_unit_test(user_mode_is_the_only_frame),
		cmocka_unit_test(one_rule_tells_user_mode),
		cmocka_unit_test(only_a_new_thread_goes_from_its_start_to_user_mode),
		cmocka_unit_test(return_addresses_that_tracers_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
