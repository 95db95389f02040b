// SPDX-License-Identifier: GPL-2.0-or-later
/* Assembly that enters a guest: while rbp and all others are the guest's. */
#include "tests/unwind/cfi_file.h"
#include "tests/unwind/scene.h"

#include "arch/x86_64/unwind/orc.h"
#include "base/bytes.h"

enum { RSP_WORD = 32, CALL_AT = 0x20 };

/* The beginning of __vmx_vcpu_run as 6.1 has it, with an endbr64 as later kernels. */
static const unsigned char vmx_code[0x100] = {
	0xf3, 0x0f, 0x1e, 0xfa,				/* endbr64 */
	0x55,						/* push %rbp */
	0x48, 0x89, 0xe5,				/* mov %rsp,%rbp */
	0x41, 0x57, 0x41, 0x56, 0x41, 0x55, 0x41, 0x54, /* push %r15 to %r12 */
	0x53,						/* push %rbx */
	0x57, 0x52, 0x56,				/* push %rdi, %rdx, %rsi */
	0x88, 0xd3,					/* mov %dl,%bl */
	0x50,						/* what comes later is not of it */
};

struct entry_scene {
	struct scene scene;
	unsigned char code[0x100], caller[0x100];
};

static void put_call(unsigned char *code, uint64_t from, uint64_t to)
{
	code[CALL_AT] = 0xe8;
	uint32_t distance = (uint32_t)(to - (from + CALL_AT + 5));
	for (unsigned i = 0; i < 4; i++)
		code[CALL_AT + 1 + i] = (unsigned char)(distance >> 8 * i);
}

/* FUN_B has called FUN_A, which enters a guest; what it pushed lies from RSP_WORD on, the words
 * being 0x1000 plus their number. */
static void set_up_entry(struct entry_scene *e)
{
	struct scene *s = &e->scene;
	set_up(s);
	memcpy(e->code, vmx_code, sizeof(e->code));
	memset(e->caller, 0x90, sizeof(e->caller));
	put_call(e->caller, FUN_B, FUN_A);
	fake_memory(&s->fake, FUN_A, e->code, sizeof(e->code));
	fake_memory(&s->fake, FUN_B, e->caller, sizeof(e->caller));
	s->fake.enters_start = FUN_A;
	s->fake.enters_end = FUN_A + 0x100;
	fake_orc(&s->fake, FUN_B, 0x100, orc_end);
	for (unsigned i = 0; i < 9; i++)
		s->task[RSP_WORD + i] = 0x1000 + i;
	s->task[RSP_WORD + 9] = FUN_B + CALL_AT + 5;
	regs_set(&s->first, REG_RIP, FUN_A + 0x80);
	regs_set(&s->first, REG_RSP, task_address(RSP_WORD));
	regs_set(&s->first, REG_RBP, 0xbeef);
	regs_set(&s->first, REG_RBX, 0xb0b0);
}

static void assert_reg(const struct scene *s, enum reg n, uint64_t value, size_t word)
{
	const struct frame *f = &s->frames.list[1];
	assert_true(regs_known(&f->regs, n));
	assert_int_equal(f->regs.value[n], value);
	assert_true(f->saved_known >> n & 1);
	assert_int_equal(f->saved[n], task_address(word));
}

static void assert_caller(const struct scene *s, size_t return_word)
{
	assert_int_equal(s->frames.count, 2);
	assert_int_equal(s->frames.list[1].how, HOW_FOUND);
	assert_int_equal(rip_of(s, 1), FUN_B + CALL_AT + 5);
	assert_int_equal(s->frames.list[1].regs.value[REG_RSP], task_address(return_word + 1));
	assert_int_equal(s->frames.list[0].cfa, task_address(return_word + 1));
}

static void registers_come_from_the_pushes(void **state)
{
	struct entry_scene e;
	struct scene *s = &e.scene;
	(void)state;
	set_up_entry(&e);
	run(s, true);
	assert_caller(s, RSP_WORD + 9);
	assert_reg(s, REG_RBP, 0x1008, RSP_WORD + 8);
	assert_reg(s, REG_R15, 0x1007, RSP_WORD + 7);
	assert_reg(s, REG_R14, 0x1006, RSP_WORD + 6);
	assert_reg(s, REG_R13, 0x1005, RSP_WORD + 5);
	assert_reg(s, REG_R12, 0x1004, RSP_WORD + 4);
	assert_reg(s, REG_RBX, 0x1003, RSP_WORD + 3);
	/* A caller keeps none of the arguments. */
	assert_false(regs_known(&s->frames.list[1].regs, REG_RDI));
	frames_free(&s->frames);
}

/* The kernel writes over endbr64 where nothing jumps to it. */
static void sealed_functions_too(void **state)
{
	static const unsigned char nops[][4] = { { 0x0f, 0x1f, 0x40, 0x00 },
						 { 0x66, 0x0f, 0x1f, 0x00 } };
	struct entry_scene e;
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		set_up_entry(&e);
		memcpy(e.code, nops[i], 4);
		run(&e.scene, true);
		assert_reg(&e.scene, REG_RBX, 0x1003, RSP_WORD + 3);
		frames_free(&e.scene.frames);
	}
}

/* More may have been pushed since, which nobody tells of. */
static void other_pushes_below(void **state)
{
	struct entry_scene e;
	struct scene *s = &e.scene;
	(void)state;
	set_up_entry(&e);
	s->first.value[REG_RSP] = task_address(RSP_WORD - 2);
	run(s, true);
	assert_caller(s, RSP_WORD + 9);
	assert_reg(s, REG_RBX, 0x1003, RSP_WORD + 3);
	frames_free(&s->frames);
}

static void stopped_between_the_pushes(void **state)
{
	struct entry_scene e;
	struct scene *s = &e.scene;
	(void)state;
	set_up_entry(&e);
	/* push %r15 is next. */
	s->first.value[REG_RIP] = FUN_A + 8;
	s->first.value[REG_RSP] = task_address(RSP_WORD + 8);
	run(s, true);
	assert_caller(s, RSP_WORD + 9);
	assert_reg(s, REG_RBP, 0x1008, RSP_WORD + 8);
	assert_false(regs_known(&s->frames.list[1].regs, REG_R15));
	frames_free(&s->frames);
}

static void stopped_between_the_pops(void **state)
{
	struct entry_scene e;
	struct scene *s = &e.scene;
	(void)state;
	/* pop %r13, %r14, %r15, %rbp; ret */
	static const unsigned char pops[] = { 0x41, 0x5d, 0x41, 0x5e, 0x41, 0x5f, 0x5d, 0xc3 };
	set_up_entry(&e);
	memcpy(e.code + 0x80, pops, sizeof(pops));
	s->first.value[REG_RSP] = task_address(RSP_WORD + 5);
	run(s, true);
	assert_caller(s, RSP_WORD + 9);
	assert_reg(s, REG_R13, 0x1005, RSP_WORD + 5);
	assert_false(regs_known(&s->frames.list[1].regs, REG_R12));
	assert_false(regs_known(&s->frames.list[1].regs, REG_RBX));
	frames_free(&s->frames);
}

static void calls_of_others_are_not_believed(void **state)
{
	struct entry_scene e;
	(void)state;
	set_up_entry(&e);
	put_call(e.caller, FUN_B, FUN_C);
	run(&e.scene, true);
	assert_lost(&e.scene, 1, "no return address behind a call of this function");
	/* Nor one that is too far away to be this call's. */
	set_up_entry(&e);
	e.scene.first.value[REG_RSP] = task_address(RSP_WORD - 31);
	memset(e.scene.task, 0, 8 * (size_t)RSP_WORD);
	run(&e.scene, true);
	assert_lost(&e.scene, 1, "no return address behind a call of this function");
}

static void code_that_is_not_there(void **state)
{
	struct entry_scene e;
	(void)state;
	set_up_entry(&e);
	e.scene.fake.memory[0].len = 0;
	e.scene.fake.memory[3].len = 8;
	run(&e.scene, true);
	assert_lost(&e.scene, 1, "read the code at");
}

/* ---- how far the return address may be ---- */

static void return_addresses_at_the_wrong_distance(void **state)
{
	struct entry_scene e;
	struct scene *s = &e.scene;
	(void)state;
	/* Without pops that lead there, what a callee keeps is still pushed. */
	set_up_entry(&e);
	s->first.value[REG_RSP] = task_address(RSP_WORD + 5);
	run(s, true);
	assert_lost(s, 1, "no return address behind a call of this function");
	/* Nor is an old one among the pushes believed. */
	set_up_entry(&e);
	s->task[RSP_WORD + 2] = FUN_B + CALL_AT + 5;
	run(s, true);
	assert_caller(s, RSP_WORD + 9);
	frames_free(&s->frames);
	/* Between the pushes there is but one place. */
	set_up_entry(&e);
	s->first.value[REG_RIP] = FUN_A + 8;
	s->first.value[REG_RSP] = task_address(RSP_WORD + 7);
	run(s, true);
	assert_lost(s, 1, "no return address behind a call of this function");
}

static void two_return_addresses(void **state)
{
	struct entry_scene e;
	struct scene *s = &e.scene;
	(void)state;
	set_up_entry(&e);
	s->first.value[REG_RSP] = task_address(RSP_WORD - 4);
	s->task[RSP_WORD + 14] = FUN_B + CALL_AT + 5;
	run(s, true);
	assert_lost(s, 1, "more than one return address");
	/* The nearest is right where it is at the pushes' distance. */
	set_up_entry(&e);
	s->task[RSP_WORD + 14] = FUN_B + CALL_AT + 5;
	run(s, true);
	assert_caller(s, RSP_WORD + 9);
	frames_free(&s->frames);
}

/* rbp is the guest's: an entry of ORC that goes by it is not followed, one by rsp is. */
static void orc_by_rsp_alone(void **state)
{
	static const struct orc_entry by_rbp = { .type = ORC_CALL, .sp = ORC_BP, .sp_offset = 16 };
	struct orc_entry by_rsp = { .type = ORC_CALL, .sp = ORC_SP, .sp_offset = 80 };
	struct entry_scene e;
	struct scene *s = &e.scene;
	(void)state;
	set_up_entry(&e);
	put_call(e.caller, FUN_B, FUN_C);
	fake_orc(&s->fake, FUN_A, 0x100, by_rbp);
	s->first.value[REG_RBP] = task_address(RSP_WORD + 8);
	run(s, true);
	assert_lost(s, 1, "no return address behind a call of this function");
	set_up_entry(&e);
	put_call(e.caller, FUN_B, FUN_C);
	fake_orc(&s->fake, FUN_A, 0x100, by_rsp);
	run(s, true);
	assert_int_equal(s->frames.count, 2);
	assert_int_equal(s->frames.list[1].how, HOW_ORC);
	assert_int_equal(rip_of(s, 1), FUN_B + CALL_AT + 5);
	frames_free(&s->frames);
}

/* ---- a function that is called to enter ---- */

static void called_to_enter(void **state)
{
	struct entry_scene e;
	struct scene *s = &e.scene;
	(void)state;
	set_up_entry(&e);
	s->fake.entry = (struct guest_entry){ GUEST_CALLED, FUN_C };
	put_call(e.caller, FUN_B, FUN_C);
	s->first.value[REG_RSP] = task_address(RSP_WORD + 9);
	run(s, true);
	assert_caller(s, RSP_WORD + 9);
	/* All others are the guest's. */
	assert_int_equal(s->frames.list[1].regs.known, 1 << REG_RIP | 1 << REG_RSP);
	frames_free(&s->frames);
	/* What is at rsp came from no such call. */
	put_call(e.caller, FUN_B, FUN_A);
	run(s, true);
	assert_lost(s, 1, "no return address behind a call that enters a guest");
}

/* ---- inline assembly ---- */

/* FUN_A is compiled: it pushed rbp, r15, r14, r13, r12, rbx below the return address at word 39,
 * made 8 bytes of room, and entered a guest by inline assembly. */
static void run_inline(struct entry_scene *e, const unsigned char *exit, size_t len, size_t words,
		       bool by_rbp)
{
	/* The CFA is rsp + 64, or rbp + 16; the pushes lie from CFA - 16 downwards. */
	static const unsigned char by_rsp_code[] = { 0x0e, 64,	 0x86, 2,    0x8f, 3,	 0x8e,
						     4,	   0x8d, 5,    0x8c, 6,	   0x83, 7 };
	static const unsigned char by_rbp_code[] = { 0x0c, 6,	 16, 0x86, 2, 0x8f, 3, 0x8e,
						     4,	   0x8d, 5,  0x8c, 6, 0x83, 7 };
	const struct cfi_function function = { FUN_A - 0x1000, 0x100,
					       by_rbp ? by_rbp_code : by_rsp_code,
					       by_rbp ? sizeof(by_rbp_code) : sizeof(by_rsp_code) };
	struct cfi_file *file = cfi_file_of_functions(&function, 1);
	struct scene *s = &e->scene;
	set_up_entry(e);
	memset(e->code, 0x90, sizeof(e->code));
	memcpy(e->code + 0x80, exit, len);
	s->fake.entry.code = GUEST_INLINE;
	s->fake.cfi = cfi_file_cfi(file);
	s->fake.bias = 0x1000;
	/* The room is word 32, pushes are 33 to 38. */
	s->task[RSP_WORD + 7] = FUN_B + CALL_AT + 5;
	s->first.value[REG_RSP] = task_address(RSP_WORD - words);
	for (unsigned i = 0; i < words; i++)
		s->task[RSP_WORD - words + i] = 0xdead;
	/* rbp, as the compiled code had it */
	s->task[RSP_WORD - words + (words == 4 ? 2 : 1)] = task_address(RSP_WORD + 6);
	struct unwind_source source = fake_source(&s->fake);
	assert_null(unwind(&source, &s->first, HOW_FOUND, true, &s->frames));
	cfi_file_free(file);
}

static const unsigned char vmx_exit[] = { 0x48, 0x89, 0x4c, 0x24, 0x08, 0x59 };
static const unsigned char svm_exit[] = { 0x0f, 0x01, 0xdb, 0x58 };
/* From 4.14's and 5.3's: jmp over a call, vmsave, jmp over a call, pop. */
static const unsigned char svm_exit_with_calls[] = { 0xeb, 0x05, 0xe8, 1,    0, 0, 0, 0x0f, 0x01,
						     0xdb, 0xeb, 0x05, 0xe8, 2, 0, 0, 0,    0x58 };

static void inline_entries_have_what_was_pushed(void **state)
{
	struct entry_scene e;
	struct scene *s = &e.scene;
	(void)state;
	const struct {
		const unsigned char *code;
		size_t len;
		bool vmx;
	} exits[] = { { svm_exit, sizeof(svm_exit), false },
		      { vmx_exit, sizeof(vmx_exit), true },
		      { svm_exit_with_calls, sizeof(svm_exit_with_calls), false } };
	for (unsigned i = 0; i < 6; i++) {
		bool vmx = exits[i / 2].vmx;
		run_inline(&e, exits[i / 2].code, exits[i / 2].len, vmx ? 4 : 2, i & 1);
		/* The first frame stays what the machine had. */
		assert_int_equal(rip_of(s, 0), FUN_A + 0x80);
		assert_int_equal(s->frames.list[0].regs.value[REG_RSP],
				 task_address(RSP_WORD - (vmx ? 4 : 2)));
		assert_int_equal(s->frames.count, 2);
		assert_int_equal(s->frames.list[1].how, HOW_CFI);
		assert_int_equal(rip_of(s, 1), FUN_B + CALL_AT + 5);
		assert_reg(s, REG_RBX, 0x1001, RSP_WORD + 1);
		assert_reg(s, REG_R12, 0x1002, RSP_WORD + 2);
		assert_reg(s, REG_R13, 0x1003, RSP_WORD + 3);
		assert_reg(s, REG_R14, 0x1004, RSP_WORD + 4);
		assert_reg(s, REG_R15, 0x1005, RSP_WORD + 5);
		assert_reg(s, REG_RBP, 0x1006, RSP_WORD + 6);
		assert_int_equal(s->frames.list[1].regs.value[REG_RSP], task_address(RSP_WORD + 8));
		frames_free(&s->frames);
	}
}

/* Other code than is known may have pushed anything. */
static void inline_entries_that_are_not_known(void **state)
{
	static const unsigned char other[] = { 0x0f, 0x01, 0xdb, 0x59 };
	struct entry_scene e;
	(void)state;
	run_inline(&e, other, sizeof(other), 2, false);
	assert_lost(&e.scene, 1, "what lies on the stack at this entry of a guest is not known");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_come_from_the_pushes),
		cmocka_unit_test(sealed_functions_too),
		cmocka_unit_test(other_pushes_below),
		cmocka_unit_test(stopped_between_the_pushes),
		cmocka_unit_test(stopped_between_the_pops),
		cmocka_unit_test(calls_of_others_are_not_believed),
		cmocka_unit_test(code_that_is_not_there),
		cmocka_unit_test(return_addresses_at_the_wrong_distance),
		cmocka_unit_test(two_return_addresses),
		cmocka_unit_test(orc_by_rsp_alone),
		cmocka_unit_test(called_to_enter),
		cmocka_unit_test(inline_entries_have_what_was_pushed),
		cmocka_unit_test(inline_entries_that_are_not_known),
	};
	return cmocka_run_group_tests_name("entry", tests, NULL, NULL);
}
