// SPDX-License-Identifier: GPL-2.0-or-later
/* The CFI strategy: rules of registers, expressions, and what ORC corrects. */
#include "arch/x86_64/base/regs.h"
#include "tests/unwind/cfi_file.h"
#include "tests/unwind/scene.h"

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

/* Until 4.8 a kernel thread's first function is called by code whose CFI speaks of the pt_regs that
 * the thread was made with: rip is 0, rsp its own address. */
static void a_kernel_threads_registers_are_its_end(void **state)
{
	/* CFA = rsp + 168; rip saved at CFA - 40, rsp at CFA - 16. */
	static const unsigned char code[] = { 0x0e, 0xa8, 0x01, 0x90, 5, 0x87, 2 };
	const struct cfi_function function = { FUN_B, 0x100, code, sizeof(code) };
	enum { RIP = 16, CS = 17, RSP = 19 };
	for (int has_cfi = 0; has_cfi < 2; has_cfi++) {
		struct cfi_file *file = cfi_file_of_functions(&function, 1);
		struct scene s;
		(void)state;
		set_up(&s);
		if (has_cfi)
			s.fake.cfi = cfi_file_cfi(file);
		/* The thread's function, which keeps the frame pointer of its caller: its argument.
		 */
		regs_set(&s.first, REG_RSP, task_address(PT_REGS_AT_TOP - 4));
		regs_set(&s.first, REG_RBP, task_address(PT_REGS_AT_TOP - 2));
		s.task[PT_REGS_AT_TOP - 2] = 0xffff888000001000;
		s.task[PT_REGS_AT_TOP - 1] = FUN_B + 0x10;
		s.task[PT_REGS_AT_TOP + CS] = 0x10;
		s.task[PT_REGS_AT_TOP + RSP] = task_address(PT_REGS_AT_TOP);
		run(&s, true);
		assert_int_equal(s.frames.end, END_KTHREAD);
		assert_int_equal(s.frames.count, 2);
		assert_int_equal(rip_of(&s, 1), FUN_B + 0x10);
		frames_free(&s.frames);
		/* With something in rip they are another's. */
		s.task[PT_REGS_AT_TOP + RIP] = FUN_C;
		run(&s, true);
		assert_int_equal(s.frames.end, END_LOST);
		assert_int_equal(s.frames.count, 2);
		frames_free(&s.frames);
		cfi_file_free(file);
	}
}

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
		cmocka_unit_test(only_preserved_registers_are_the_same),
		cmocka_unit_test(cfi_may_say_otherwise),
		cmocka_unit_test(what_was_popped_is_in_the_register),
		cmocka_unit_test(orc_corrects_the_cfa_of_cfi),
		cmocka_unit_test(cfi_follows_orc_across_stacks),
		cmocka_unit_test(a_kernel_threads_registers_are_its_end),
		cmocka_unit_test(expressions_are_evaluated),
		cmocka_unit_test(expressions_that_make_no_sense_give_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
