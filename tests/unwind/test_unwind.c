// SPDX-License-Identifier: GPL-2.0-or-later
/* The driver and its strategies: where frames lead, where they end, and what is not believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/err.h"
#include "tests/unwind/cfi_file.h"
#include "tests/unwind/fake.h"

#define TEXT  UINT64_C(0xffffffff81000000)
#define TASK  UINT64_C(0xffffc90000100000)
#define IRQ   UINT64_C(0xffffc90000200000)
#define FUN_A (TEXT + 0x100)
#define FUN_B (TEXT + 0x200)
#define FUN_C (TEXT + 0x300)

enum { WORDS = 512, STACK_BYTES = 8 * WORDS, PT_REGS_AT_TOP = WORDS - 21 };

/* Two stacks, three functions; a test says the rest. */
struct scene {
	struct fake fake;
	struct regs first;
	uint64_t task[WORDS], irq[WORDS];
	struct frames frames;
};

static const struct orc_entry orc_call_8 = { .type = ORC_CALL, .sp = ORC_SP, .sp_offset = 8 };
static const struct orc_entry orc_end = { .type = ORC_END };

static void set_up(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	fake_text(&s->fake, FUN_A, 0x100);
	fake_text(&s->fake, FUN_B, 0x100);
	fake_text(&s->fake, FUN_C, 0x100);
	fake_memory(&s->fake, TASK, s->task, STACK_BYTES);
	fake_memory(&s->fake, IRQ, s->irq, STACK_BYTES);
	fake_stack(&s->fake, TASK, TASK + STACK_BYTES, "task");
	fake_stack(&s->fake, IRQ, IRQ + STACK_BYTES, "IRQ");
	regs_set(&s->first, REG_RIP, FUN_A + 0x10);
	regs_set(&s->first, REG_RSP, TASK + 0x100);
	regs_set(&s->first, REG_RBP, 0);
}

static void run(struct scene *s, bool interrupted)
{
	struct unwind_source source = fake_source(&s->fake);
	assert_null(unwind(&source, &s->first, HOW_NOTE, interrupted, &s->frames));
}

static void assert_lost(struct scene *s, size_t count, const char *why)
{
	assert_int_equal(s->frames.end, END_LOST);
	assert_int_equal(s->frames.count, count);
	if (!strstr(s->frames.why, why))
		assert_string_equal(s->frames.why, why);
	frames_free(&s->frames);
}

static uint64_t rip_of(const struct scene *s, size_t i)
{
	return s->frames.list[i].regs.value[REG_RIP];
}

static uint64_t task_address(size_t word)
{
	return TASK + 8 * word;
}

/* A pt_regs of user mode in words from @at on. */
static void put_user_regs(uint64_t *words, size_t at)
{
	for (size_t i = 0; i < 21; i++)
		words[at + i] = 0x1000 + i;
	words[at + 17] = 0x33;
	words[at + 20] = 0x2b;
}

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
	assert_lost(&big.s, UNWIND_DEPTH_MAX, "more than 512 frames");
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
	} places[] = { { 0, 32, 0x66 }, { 5, 32, 0x66 }, { 6, 33, 0x88 }, { 0x20, 32, 0x66 } };
	(void)state;
	code[0x20] = 0xc3;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct scene s;
		set_up(&s);
		fake_memory(&s.fake, FUN_A, code, sizeof(code));
		fake_orc(&s.fake, FUN_B, 0x100, orc_end);
		regs_set(&s.first, REG_RIP, FUN_A + places[i].at);
		regs_set(&s.first, REG_RBP, 0x66);
		s.task[32] = 0x88;
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

/* Runs FUN_A under the given FDE up to one caller in FUN_B; the stack's words are counted up. */
static void run_cfi(struct scene *s, const unsigned char *code, size_t len)
{
	const struct cfi_function function = { FUN_A - 0x1000, 0x100, code, len };
	struct cfi_file *file = cfi_file_of_functions(&function, 1);
	set_up(s);
	s->fake.cfi = cfi_file_cfi(file);
	s->fake.bias = 0x1000;
	assert_non_null(s->fake.cfi);
	fake_orc(&s->fake, FUN_B, 0x100, orc_end);
	for (size_t i = 0; i < WORDS; i++)
		s->task[i] = FUN_B + i % 0x80;
	for (unsigned i = 0; i <= REG_R15; i++)
		regs_set(&s->first, (enum reg)i, 0x100 + i);
	regs_set(&s->first, REG_RSP, task_address(32));
	run(s, true);
	cfi_file_free(file);
}

static void only_preserved_registers_are_the_same(void **state)
{
	struct scene s;
	(void)state;
	run_cfi(&s, NULL, 0);
	assert_int_equal(s.frames.count, 2);
	const struct regs *r = &s.frames.list[1].regs;
	assert_int_equal(r->known, 1 << REG_RBX | 1 << REG_RBP | 1 << REG_RSP | 1 << REG_R12 |
					   1 << REG_R13 | 1 << REG_R14 | 1 << REG_R15 |
					   1 << REG_RIP);
	assert_int_equal(r->value[REG_RBX], 0x100 + REG_RBX);
	assert_int_equal(r->value[REG_RIP], FUN_B + 32);
	frames_free(&s.frames);
}

static void cfi_may_say_otherwise(void **state)
{
	/* undefined r12; rax saved at CFA - 16; r13 in rbx; r14 is CFA - 24 (val_offset). */
	static const unsigned char code[] = { 0x07, 12, 0x80, 2, 0x09, 13, 3, 0x14, 14, 3 };
	struct scene s;
	(void)state;
	run_cfi(&s, code, sizeof(code));
	assert_int_equal(s.frames.count, 2);
	const struct regs *r = &s.frames.list[1].regs;
	assert_false(regs_known(r, REG_R12));
	assert_int_equal(r->value[REG_RAX], FUN_B + 31);
	assert_int_equal(s.frames.list[1].saved[REG_RAX], task_address(31));
	assert_int_equal(r->value[REG_R13], 0x100 + REG_RBX);
	assert_int_equal(r->value[REG_R14], task_address(33) - 24);
	frames_free(&s.frames);
	/* undefined return address: the outermost function. */
	static const unsigned char outermost[] = { 0x07, 16 };
	run_cfi(&s, outermost, sizeof(outermost));
	assert_int_equal(s.frames.end, END_KTHREAD);
	assert_int_equal(s.frames.count, 1);
	frames_free(&s.frames);
}

/* In an epilogue CFI still has the slots of registers that have been popped. */
static void what_was_popped_is_in_the_register(void **state)
{
	/* rbx saved at CFA - 16, below rsp when the CFA is rsp + 8. */
	static const unsigned char code[] = { 0x83, 2 };
	struct scene s;
	(void)state;
	run_cfi(&s, code, sizeof(code));
	assert_int_equal(s.frames.list[1].regs.value[REG_RBX], 0x100 + REG_RBX);
	assert_int_equal(s.frames.list[1].saved_known, 1 << REG_RIP);
	frames_free(&s.frames);
}

/* Inline assembly has pushed a word, of which CFI knows nothing and ORC does. */
static void orc_corrects_the_cfa_of_cfi(void **state)
{
	/* rbx saved at CFA - 16, where CFI believes the CFA to be rsp + 16. */
	static const unsigned char code[] = { 0x0e, 16, 0x83, 2 };
	const struct cfi_function function = { FUN_A, 0x100, code, sizeof(code) };
	struct cfi_file *file = cfi_file_of_functions(&function, 1);
	struct orc_entry entry = orc_call_8;
	struct scene s;
	(void)state;
	set_up(&s);
	s.fake.cfi = cfi_file_cfi(file);
	entry.sp_offset = 24;
	fake_orc(&s.fake, FUN_A, 0x100, entry);
	fake_orc(&s.fake, FUN_B, 0x100, orc_end);
	s.task[33] = 0xb;
	s.task[34] = FUN_B + 0x10;
	run(&s, true);
	assert_int_equal(s.frames.end, END_KTHREAD);
	assert_int_equal(s.frames.count, 2);
	assert_int_equal(s.frames.list[1].how, HOW_CFI);
	assert_int_equal(rip_of(&s, 1), FUN_B + 0x10);
	assert_int_equal(s.frames.list[1].regs.value[REG_RBX], 0xb);
	frames_free(&s.frames);
	cfi_file_free(file);
}

/* A C function that changed stacks in inline assembly: its slots are on the stack it came from. */
static void cfi_follows_orc_across_stacks(void **state)
{
	static const unsigned char code[] = { 0x0e, 16, 0x83, 2 };
	const struct cfi_function function = { FUN_A, 0x100, code, sizeof(code) };
	struct cfi_file *file = cfi_file_of_functions(&function, 1);
	struct scene s;
	(void)state;
	set_up(&s);
	s.fake.cfi = cfi_file_cfi(file);
	fake_orc(&s.fake, FUN_A, 0x100,
		 (struct orc_entry){ .type = ORC_CALL, .sp = ORC_SP_INDIRECT, .sp_offset = 16 });
	fake_orc(&s.fake, FUN_B, 0x100, orc_end);
	regs_set(&s.first, REG_RSP, IRQ + STACK_BYTES - 8);
	s.irq[WORDS - 1] = task_address(40);
	s.task[40] = 0xb;
	s.task[41] = FUN_B + 0x10;
	run(&s, true);
	assert_int_equal(s.frames.end, END_KTHREAD);
	assert_int_equal(s.frames.count, 2);
	assert_int_equal(s.frames.list[1].regs.value[REG_RBX], 0xb);
	assert_int_equal(s.frames.list[1].saved[REG_RBX], task_address(40));
	frames_free(&s.frames);
	/* When the stack cannot be read, CFI alone would be wrong. */
	regs_set(&s.first, REG_RSP, IRQ + STACK_BYTES);
	run(&s, true);
	assert_lost(&s, 1, "is not in the dump");
	cfi_file_free(file);
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

/* The value that an expression (DW_CFA_val_expression) gives r15. */
static void assert_expression(const unsigned char *expression, size_t len, bool known,
			      uint64_t value)
{
	unsigned char code[64] = { 0x16, 15, (unsigned char)len };
	struct scene s;
	memcpy(code + 3, expression, len);
	run_cfi(&s, code, 3 + len);
	assert_int_equal(s.frames.count, 2);
	const struct regs *r = &s.frames.list[1].regs;
	assert_int_equal(regs_known(r, REG_R15), known);
	if (known)
		assert_int_equal(r->value[REG_R15], value);
	frames_free(&s.frames);
}

#define EXPRESSION(known, value, ...)                                  \
	do {                                                           \
		static const unsigned char bytes[] = { __VA_ARGS__ };  \
		assert_expression(bytes, sizeof(bytes), known, value); \
	} while (0)

static void expressions_are_evaluated(void **state)
{
	(void)state;
	EXPRESSION(true, task_address(33), 0x96 /* nop; the CFA is there already */);
	EXPRESSION(true, 0x103 + 5, 0x73, 5 /* breg3 + 5 */);
	EXPRESSION(true, 0x103 - 1, 0x92, 3, 0x7f /* bregx 3 - 1 */);
	EXPRESSION(true, FUN_B + 32, 0x38, 0x1c, 0x06 /* lit8, minus, deref */);
	EXPRESSION(true, 3, 0x33, 0x35, 0x16 /* lit3, lit5, swap */);
	EXPRESSION(true, 2, 0x31, 0x32, 0x33, 0x17 /* lit1, lit2, lit3, rot */);
	EXPRESSION(true, 4, 0x34, 0x31, 0x14 /* lit4, lit1, over */);
	EXPRESSION(true, UINT64_C(-2), 0x09, 0xf9, 0x33, 0x1b /* -7 / 3 */);
	EXPRESSION(true, UINT64_C(-4), 0x09, 0xf9, 0x31, 0x26 /* -7 >> 1, arithmetic */);
	EXPRESSION(true, 1, 0x09, 0xf9, 0x31, 0x2d /* -7 < 1 */);
	EXPRESSION(true, 0x103, 0x31, 0x28, 2, 0, 0x32, 0x96, 0x73, 0 /* bra over lit2 */);
	EXPRESSION(true, UINT64_C(0x1007), 0x03, 7, 0, 0, 0, 0, 0, 0, 0 /* addr 7, and the bias */);
}

static void expressions_that_make_no_sense_give_nothing(void **state)
{
	(void)state;
	EXPRESSION(false, 0, 0x31, 0x30, 0x1b /* divides by zero */);
	EXPRESSION(false, 0, 0x22, 0x22 /* too few words */);
	EXPRESSION(false, 0, 0x2f, 0xfd, 0xff /* skips back to itself */);
	EXPRESSION(false, 0, 0x12, 0x2f, 0xfc, 0xff /* dup for ever */);
	EXPRESSION(false, 0, 0x9b /* form_tls_address */);
	EXPRESSION(false, 0, 0x30, 0x06 /* deref of 0 */);
	EXPRESSION(false, 0, 0x90, 40 /* regx 40 */);
	EXPRESSION(false, 0, 0x92, 40, 0 /* bregx 40 */);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orc_leads_to_a_kernel_threads_start),
		cmocka_unit_test(callers_of_what_orc_leaves_out_are_looked_for),
		cmocka_unit_test(assembly_that_is_known_carries_registers_over),
		cmocka_unit_test(orc_regs_restore_everything),
		cmocka_unit_test(orc_partial_regs_restore_the_iret_frame),
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
		cmocka_unit_test(only_preserved_registers_are_the_same),
		cmocka_unit_test(cfi_may_say_otherwise),
		cmocka_unit_test(what_was_popped_is_in_the_register),
		cmocka_unit_test(orc_corrects_the_cfa_of_cfi),
		cmocka_unit_test(cfi_follows_orc_across_stacks),
		cmocka_unit_test(only_a_new_thread_goes_from_its_start_to_user_mode),
		cmocka_unit_test(expressions_are_evaluated),
		cmocka_unit_test(expressions_that_make_no_sense_give_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
