// SPDX-License-Identifier: GPL-2.0-or-later
/* Entry assembly of kernels with frame pointers and without tables: FUN_B calls a handler. */
#include "arch/x86_64/base/regs.h"
#include "tests/unwind/cfi_file.h"
#include "tests/unwind/scene.h"

enum {
	RBP = 4,
	RBX = 5,
	RDI = 14,
	ORIG_RAX = 15,
	RIP = 16,
	CS = 17,
	EFLAGS = 18,
	RSP = 19,
	SS = 20
};

/* Where words of the scene lie: the link in the last but eight word of the IRQ stack, as in kernels
 * until 5.0, the pt_regs of what was interrupted, its frame and that of its caller. */
enum { LINK = WORDS - 9, PT_REGS = 300, FRAME = 340, NEXT_FRAME = 360 };

static uint64_t irq_address(size_t word)
{
	return IRQ + 8 * word;
}

/* FUN_C was interrupted on the task's stack; its other words are 0x2000 plus their number. */
static void put_pt_regs(uint64_t *words)
{
	for (size_t i = 0; i < 21; i++)
		words[PT_REGS + i] = 0x2000 + i;
	words[PT_REGS + RBP] = task_address(FRAME);
	words[PT_REGS + ORIG_RAX] = ~UINT64_C(0xef);
	words[PT_REGS + RIP] = FUN_C + 0x40;
	words[PT_REGS + CS] = 0x10;
	words[PT_REGS + EFLAGS] = 0x246;
	words[PT_REGS + RSP] = task_address(PT_REGS + 21);
	words[PT_REGS + SS] = 0x18;
}

/* The handler FUN_A runs on the IRQ stack, called by FUN_B with @rbp and @link. */
static void in_an_interrupt(struct scene *s, uint64_t rbp, uint64_t link)
{
	set_up(s);
	s->fake.handler_start = FUN_B;
	s->fake.handler_end = FUN_B + 0x100;
	s->fake.handler = HANDLER_INTERRUPT;
	regs_set(&s->first, REG_RSP, irq_address(LINK - 10));
	regs_set(&s->first, REG_RBP, irq_address(LINK - 2));
	s->irq[LINK - 2] = rbp;
	s->irq[LINK - 1] = FUN_B + 0x20;
	s->irq[LINK] = link;
	put_pt_regs(s->task);
	s->task[FRAME] = task_address(NEXT_FRAME);
	s->task[FRAME + 1] = FUN_A + 0x80;
	s->task[NEXT_FRAME] = 0;
	s->task[NEXT_FRAME + 1] = FUN_B + 0x90;
}

static uint64_t value(const struct scene *s, size_t frame, enum reg n)
{
	assert_true(frame < s->frames.count);
	assert_true(regs_known(&s->frames.list[frame].regs, n));
	return s->frames.list[frame].regs.value[n];
}

static void assert_interrupted(const struct scene *s)
{
	const struct frame *f = &s->frames.list[2];
	assert_true(s->frames.count >= 4);
	assert_int_equal(rip_of(s, 1), FUN_B + 0x20);
	assert_int_equal(s->frames.list[1].cfa, task_address(PT_REGS));
	assert_int_equal(rip_of(s, 2), FUN_C + 0x40);
	assert_int_equal(f->how, HOW_REGS);
	assert_true(f->interrupted);
	assert_int_equal(value(s, 2, REG_RBP), task_address(FRAME));
	assert_int_equal(value(s, 2, REG_RSP), task_address(PT_REGS + 21));
	assert_int_equal(value(s, 2, REG_RDI), 0x2000 + RDI);
	assert_int_equal(f->saved[REG_RDI], task_address(PT_REGS + RDI));
	assert_int_equal(rip_of(s, 3), FUN_A + 0x80);
	assert_int_equal(s->frames.list[3].how, HOW_FP);
	assert_int_equal(value(s, 3, REG_RSP), task_address(FRAME + 2));
}

/* 3.10: what lies below rbp in pt_regs was never written. */
static void an_interrupt_that_saves_a_part(void **state)
{
	struct scene s;
	(void)state;
	in_an_interrupt(&s, task_address(FRAME), task_address(PT_REGS + RBP));
	run(&s, true);
	assert_interrupted(&s);
	assert_false(regs_known(&s.frames.list[2].regs, REG_RBX));
	assert_false(regs_known(&s.frames.list[2].regs, REG_R15));
	assert_int_equal(s.frames.list[2].saved_known & (1U << REG_RBX | 1U << REG_R15), 0);
	frames_free(&s.frames);
}

static void an_interrupt_that_saves_all(void **state)
{
	struct scene s;
	(void)state;
	/* 4.4; 4.10, whose rbp is the encoded address of pt_regs; Xen's callback, whose is plain */
	const uint64_t rbps[] = { task_address(FRAME), task_address(PT_REGS) | 1,
				  task_address(PT_REGS) };
	for (size_t i = 0; i < sizeof(rbps) / sizeof(*rbps); i++) {
		in_an_interrupt(&s, rbps[i], task_address(PT_REGS));
		run(&s, true);
		assert_interrupted(&s);
		assert_int_equal(value(&s, 2, REG_RBX), 0x2000 + RBX);
		assert_int_equal(value(&s, 2, REG_R15), 0x2000);
		frames_free(&s.frames);
	}
}

static void an_interrupt_of_user_mode(void **state)
{
	struct scene s;
	(void)state;
	in_an_interrupt(&s, 0x7ffc0000, task_address(PT_REGS + RBP));
	s.task[PT_REGS + RBP] = 0x7ffc0000;
	s.task[PT_REGS + RIP] = 0x401000;
	s.task[PT_REGS + CS] = 0x33;
	s.task[PT_REGS + RSP] = 0x7ffbff00;
	s.task[PT_REGS + SS] = 0x2b;
	run(&s, true);
	assert_int_equal(s.frames.end, END_USER);
	assert_int_equal(s.frames.count, 3);
	assert_int_equal(rip_of(&s, 2), 0x401000);
	assert_false(regs_known(&s.frames.list[2].regs, REG_RBX));
	frames_free(&s.frames);
}

/* An interrupt while softirqs ran on the IRQ stack: the link lies in place. */
static void an_interrupt_on_the_irq_stack(void **state)
{
	struct scene s;
	(void)state;
	in_an_interrupt(&s, irq_address(400), irq_address(PT_REGS + RBP));
	regs_set(&s.first, REG_RSP, irq_address(280));
	regs_set(&s.first, REG_RBP, irq_address(290));
	put_pt_regs(s.irq);
	s.irq[290] = irq_address(400);
	s.irq[291] = FUN_B + 0x20;
	s.irq[292] = irq_address(PT_REGS + RBP);
	s.irq[PT_REGS + RBP] = irq_address(400);
	s.irq[PT_REGS + RSP] = irq_address(PT_REGS + 21);
	s.irq[400] = task_address(FRAME);
	s.irq[401] = FUN_C + 0x70;
	/* call_softirq: rbp and the link are the same. */
	s.irq[402] = task_address(FRAME);
	run(&s, true);
	assert_int_equal(rip_of(&s, 2), FUN_C + 0x40);
	assert_int_equal(rip_of(&s, 3), FUN_C + 0x70);
	assert_int_equal(rip_of(&s, 4), FUN_A + 0x80);
	assert_int_equal(value(&s, 4, REG_RBP), task_address(NEXT_FRAME));
	assert_int_equal(value(&s, 4, REG_RSP), task_address(FRAME + 2));
	frames_free(&s.frames);
}

/* el7's CFI of its entry code is a word off where that has changed stacks: what the stack holds is
 * believed. */
static void an_interrupt_whose_cfi_is_a_word_off(void **state)
{
	/* DW_CFA_def_cfa_expression: breg7 0, deref, plus 136; rip, rsp, rbp where they would be if
	 * the CFA lay a word above the end of pt_regs. */
	static const unsigned char code[] = { 0x0f, 6,	  0x77, 0,    0x06, 0x08, 136,
					      0x22, 0x90, 6,	0x87, 3,    0x86, 18 };
	const struct cfi_function function = { FUN_B, 0x100, code, sizeof(code) };
	struct cfi_file *file = cfi_file_of_entries(&function, 1);
	struct scene s;
	(void)state;
	in_an_interrupt(&s, task_address(FRAME), task_address(PT_REGS + RBP));
	s.fake.cfi = cfi_file_cfi(file);
	assert_non_null(s.fake.cfi);
	run(&s, true);
	assert_interrupted(&s);
	frames_free(&s.frames);
	cfi_file_free(file);
}

/* In entry code that nobody knows CFI is all there is: it has to agree with what a CPU pushes. */
static void what_no_cpu_has_pushed_is_not_believed(void **state)
{
	/* CFA = rsp + 168: the end of pt_regs. */
	static const unsigned char right[] = { 0x0e, 0xa8, 1, 0x90, 5, 0x87, 2 };
	static const unsigned char off[] = { 0x0e, 0xa8, 1, 0x90, 6, 0x87, 3 };
	for (int is_off = 0; is_off < 2; is_off++) {
		const struct cfi_function function = { FUN_B, 0x100, is_off ? off : right,
						       sizeof(right) };
		struct cfi_file *file = cfi_file_of_entries(&function, 1);
		struct scene s;
		(void)state;
		in_an_interrupt(&s, 0, 0);
		s.fake.handler = HANDLER_NONE;
		s.fake.cfi = cfi_file_cfi(file);
		regs_set(&s.first, REG_RSP, task_address(PT_REGS - 10));
		regs_set(&s.first, REG_RBP, task_address(PT_REGS - 2));
		s.task[PT_REGS - 2] = 0;
		s.task[PT_REGS - 1] = FUN_B + 0x20;
		/* A kernel's code address lies where a word off finds rip. */
		s.task[PT_REGS + ORIG_RAX] = FUN_C + 0x30;
		run(&s, true);
		if (is_off) {
			assert_lost(&s, 2, "no registers that a CPU has pushed are at");
		} else {
			assert_int_equal(rip_of(&s, 2), FUN_C + 0x40);
			assert_int_equal(value(&s, 2, REG_RSP), task_address(PT_REGS + 21));
			frames_free(&s.frames);
		}
		cfi_file_free(file);
	}
}

/* Exceptions and NMIs: pt_regs is where rsp is, also when a call to nowhere was what failed. */
static void an_exception(void **state)
{
	struct scene s;
	(void)state;
	for (int nowhere = 0; nowhere < 2; nowhere++) {
		in_an_interrupt(&s, task_address(FRAME), 0);
		s.fake.handler = HANDLER_EXCEPTION;
		regs_set(&s.first, REG_RSP, task_address(PT_REGS - 10));
		regs_set(&s.first, REG_RBP, task_address(PT_REGS - 2));
		s.task[PT_REGS - 2] = task_address(FRAME);
		s.task[PT_REGS - 1] = FUN_B + 0x20;
		s.task[PT_REGS + ORIG_RAX] = UINT64_MAX;
		if (nowhere) {
			s.task[PT_REGS + RIP] = 0;
			s.task[PT_REGS + RSP] = task_address(PT_REGS + 21);
			s.task[PT_REGS + 21] = FUN_C + 0x60;
		}
		run(&s, true);
		assert_int_equal(s.frames.list[2].how, HOW_REGS);
		assert_int_equal(value(&s, 2, REG_RBX), 0x2000 + RBX);
		assert_int_equal(value(&s, 2, REG_R12), 0x2000 + 3);
		assert_int_equal(rip_of(&s, 3), nowhere ? FUN_C + 0x60 : FUN_A + 0x80);
		frames_free(&s.frames);
	}
}

/* What does not look like saved registers is none; rbp alone then leads on, past what was
 * interrupted, if the link says that it may. */
static void links_that_lead_astray(void **state)
{
	static const struct {
		size_t word;
		uint64_t value;
	} damage[] = {
		{ CS, 0x11 }, { SS, 0x2b }, { EFLAGS, 0 },   { EFLAGS, 1 << 23 },
		{ RSP, 16 },  { RBP, 8 },   { ORIG_RAX, 5 },
	};
	struct scene s;
	(void)state;
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
		in_an_interrupt(&s, task_address(FRAME), task_address(PT_REGS + RBP));
		s.task[PT_REGS + damage[i].word] = damage[i].value;
		run(&s, true);
		assert_int_equal(rip_of(&s, 2), FUN_A + 0x80);
		assert_int_equal(s.frames.list[2].how, HOW_FP);
		assert_int_equal(value(&s, 2, REG_RSP), task_address(FRAME + 2));
		frames_free(&s.frames);
	}
	in_an_interrupt(&s, task_address(FRAME), 0x41414141);
	run(&s, true);
	assert_lost(&s, 2, "no saved registers are where");
	/* rbp below the link: not the frame of what switched stacks */
	in_an_interrupt(&s, task_address(FRAME), task_address(FRAME + 1));
	run(&s, true);
	assert_lost(&s, 2, "leads nowhere on the IRQ stack");
	in_an_interrupt(&s, task_address(FRAME), task_address(WORDS - 2));
	run(&s, true);
	assert_lost(&s, 2, "leads nowhere on the IRQ stack");
}

/* A system call of kernels until 4.0: rsp and eflags of pt_regs are another entry's. */
static void a_system_call_that_drops_rsp(void **state)
{
	struct scene s;
	(void)state;
	for (int known = 0; known < 2; known++) {
		set_up(&s);
		s.fake.drops_start = FUN_B;
		s.fake.drops_end = FUN_B + 0x100;
		s.fake.kept_at = known ? task_address(3) : 0;
		s.task[3] = 0x7ffe1230;
		put_user_regs(s.task, PT_REGS_AT_TOP);
		regs_set(&s.first, REG_RSP, task_address(PT_REGS_AT_TOP - 4));
		regs_set(&s.first, REG_RBP, task_address(PT_REGS_AT_TOP + 4));
		s.task[PT_REGS_AT_TOP + 4] = 0x7ffe2000;
		s.task[PT_REGS_AT_TOP + 5] = FUN_B + 0x20;
		run(&s, true);
		assert_int_equal(s.frames.end, END_USER);
		assert_int_equal(s.frames.count, 3);
		assert_int_equal(rip_of(&s, 2), 0x1000 + RIP);
		assert_int_equal(value(&s, 2, REG_RBP), 0x7ffe2000);
		assert_int_equal(value(&s, 2, REG_EFLAGS), 0x1000 + 6);
		assert_int_equal(value(&s, 2, REG_RDI), 0x1000 + RDI);
		assert_int_equal(regs_known(&s.frames.list[2].regs, REG_RSP), known);
		assert_int_equal(s.frames.list[2].regs.value[REG_RSP], known ? 0x7ffe1230 : 0);
		assert_false(regs_known(&s.frames.list[2].regs, REG_RBX));
		frames_free(&s.frames);
	}
}

/* With Spectre in mind the registers that a handler keeps are saved, too, and cleared. */
static void a_system_call_that_clears_registers(void **state)
{
	enum { R15, R14, R13, R12 };
	struct scene s;
	(void)state;
	set_up(&s);
	s.fake.drops_start = FUN_B;
	s.fake.drops_end = FUN_B + 0x100;
	put_user_regs(s.task, PT_REGS_AT_TOP);
	regs_set(&s.first, REG_RSP, task_address(PT_REGS_AT_TOP - 4));
	regs_set(&s.first, REG_RBP, task_address(PT_REGS_AT_TOP - 2));
	s.task[PT_REGS_AT_TOP - 2] = 0;
	s.task[PT_REGS_AT_TOP - 1] = FUN_B + 0x20;
	run(&s, true);
	assert_int_equal(s.frames.end, END_USER);
	assert_int_equal(s.frames.count, 3);
	assert_int_equal(value(&s, 2, REG_RBX), 0x1000 + RBX);
	assert_int_equal(value(&s, 2, REG_RBP), 0x1000 + RBP);
	assert_int_equal(value(&s, 2, REG_R12), 0x1000 + R12);
	assert_int_equal(value(&s, 2, REG_R15), 0x1000 + R15);
	assert_false(regs_known(&s.frames.list[2].regs, REG_RSP));
	frames_free(&s.frames);
	/* Anywhere in between nothing is known. */
	regs_set(&s.first, REG_RSP, task_address(PT_REGS_AT_TOP - 4));
	regs_set(&s.first, REG_RBP, task_address(PT_REGS_AT_TOP));
	s.task[PT_REGS_AT_TOP] = 0;
	s.task[PT_REGS_AT_TOP + 1] = FUN_B + 0x20;
	run(&s, true);
	assert_lost(&s, 2, "how much of the user's registers");
}

/* Stopped in it, nobody tells how much of pt_regs is this call's, and rbp is the user's. */
static void a_system_call_that_was_interrupted(void **state)
{
	struct scene s;
	(void)state;
	set_up(&s);
	s.fake.drops_start = FUN_B;
	s.fake.drops_end = FUN_B + 0x100;
	put_user_regs(s.task, PT_REGS_AT_TOP);
	regs_set(&s.first, REG_RIP, FUN_B + 0x20);
	regs_set(&s.first, REG_RSP, task_address(PT_REGS_AT_TOP + 6));
	regs_set(&s.first, REG_RBP, task_address(PT_REGS_AT_TOP + 10));
	run(&s, true);
	assert_lost(&s, 1, "has saved is not known");
}

/* Code that was itself stopped there has rsp anywhere. */
static void entry_code_that_was_interrupted(void **state)
{
	struct scene s;
	(void)state;
	in_an_interrupt(&s, task_address(FRAME), task_address(PT_REGS + RBP));
	regs_set(&s.first, REG_RIP, FUN_B + 0x20);
	regs_set(&s.first, REG_RSP, irq_address(LINK));
	regs_set(&s.first, REG_RBP, task_address(FRAME));
	run(&s, true);
	assert_lost(&s, 1, "leads nowhere on the IRQ stack");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_interrupt_that_saves_a_part),
		cmocka_unit_test(an_interrupt_that_saves_all),
		cmocka_unit_test(an_interrupt_of_user_mode),
		cmocka_unit_test(an_interrupt_on_the_irq_stack),
		cmocka_unit_test(an_interrupt_whose_cfi_is_a_word_off),
		cmocka_unit_test(what_no_cpu_has_pushed_is_not_believed),
		cmocka_unit_test(an_exception),
		cmocka_unit_test(links_that_lead_astray),
		cmocka_unit_test(a_system_call_that_drops_rsp),
		cmocka_unit_test(a_system_call_that_clears_registers),
		cmocka_unit_test(a_system_call_that_was_interrupted),
		cmocka_unit_test(entry_code_that_was_interrupted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
