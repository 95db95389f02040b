// SPDX-License-Identifier: GPL-2.0-or-later
/* Code that was interrupted, in kernels with frame pointers and without tables: what it does next
 * says whether it has its frame. fp_code.c tries that on compiled code. */
#include "arch/x86_64/base/regs.h"
#include "tests/unwind/scene.h"

enum { CODE_BYTES = 0x40 };

struct code {
	unsigned char a[CODE_BYTES], b[CODE_BYTES], c[CODE_BYTES];
};

/* FUN_B calls FUN_A, and goes on at RETURN; what FUN_C calls before OTHER is not known. */
#define RETURN (FUN_B + 0x25)
#define OTHER  (FUN_C + 0x25)
#define RBP    task_address(40)

static void put_rel32(unsigned char *at, unsigned char opcode, uint64_t address, uint64_t target)
{
	uint32_t distance = (uint32_t)(target - address - 5);
	at[0] = opcode;
	for (unsigned i = 0; i < 4; i++)
		at[1 + i] = (unsigned char)(distance >> 8 * i);
}

/* FUN_A begins with the @len bytes of @a, behind which nothing is said; rsp is at word 32, and rbp
 * at a frame whose return address is OTHER. */
static void set_up_code(struct scene *s, struct code *code, const void *a, size_t len)
{
	set_up(s);
	memset(code, 0xcc, sizeof(*code));
	memcpy(code->a, a, len);
	put_rel32(code->b + 0x20, 0xe8, FUN_B + 0x20, FUN_A);
	fake_memory(&s->fake, FUN_A, code->a, sizeof(code->a));
	fake_memory(&s->fake, FUN_B, code->b, sizeof(code->b));
	fake_memory(&s->fake, FUN_C, code->c, sizeof(code->c));
	fake_orc(&s->fake, FUN_B, 0x100, orc_end);
	fake_orc(&s->fake, FUN_C, 0x100, orc_end);
	regs_set(&s->first, REG_RIP, FUN_A);
	regs_set(&s->first, REG_RBP, RBP);
	s->task[40] = 0x77;
	s->task[41] = OTHER;
}

static void assert_caller(struct scene *s, uint64_t rip, size_t rsp_word, uint64_t rbp)
{
	run(s, true);
	assert_int_equal(s->frames.count, 2);
	const struct frame *caller = &s->frames.list[1];
	assert_int_equal(caller->how, HOW_FP);
	assert_int_equal(caller->regs.value[REG_RIP], rip);
	assert_int_equal(caller->regs.value[REG_RSP], task_address(rsp_word));
	assert_int_equal(caller->regs.value[REG_RBP], rbp);
	frames_free(&s->frames);
}

#define SET_UP(...)                                       \
	static const unsigned char a[] = { __VA_ARGS__ }; \
	struct scene s;                                   \
	struct code code;                                 \
	(void)state;                                      \
	set_up_code(&s, &code, a, sizeof(a))

/* The return address is at rsp until rbp is pushed. */
static void a_frame_that_is_to_be_made(void **state)
{
	/* test %edi,%edi; je; push %rbp; xor %eax,%eax; mov %rsp,%rbp */
	SET_UP(0x85, 0xff, 0x74, 0x20, 0x55, 0x31, 0xc0, 0x48, 0x89, 0xe5);
	s.task[32] = RETURN;
	assert_caller(&s, RETURN, 33, RBP);
}

static void a_frame_that_is_half_made(void **state)
{
	/* xor %eax,%eax; mov %rsp,%rbp */
	SET_UP(0x31, 0xc0, 0x48, 0x89, 0xe5);
	s.task[32] = RBP;
	s.task[33] = OTHER;
	assert_caller(&s, OTHER, 34, RBP);
	/* What was pushed is not rbp. */
	set_up_code(&s, &code, a, sizeof(a));
	s.task[32] = 0x88;
	s.task[33] = OTHER;
	run(&s, true);
	assert_lost(&s, 1, "whether the code at 0xffffffff81000100 has a frame is not known");
}

static void a_frame_that_is_there(void **state)
{
	/* add $0x10,%rsp; pop %rbx; pop %r13; pop %rbp */
	SET_UP(0x48, 0x83, 0xc4, 0x10, 0x5b, 0x41, 0x5d, 0x5d);
	regs_set(&s.first, REG_RBP, task_address(36));
	s.task[36] = 0x99;
	s.task[37] = OTHER;
	assert_caller(&s, OTHER, 38, 0x99);
	/* rbp is another function's: this one would pop something else into it. */
	set_up_code(&s, &code, a, sizeof(a));
	run(&s, true);
	assert_lost(&s, 1, "is not known");
}

static void a_frame_that_the_end_of_the_function_takes_down(void **state)
{
	/* lea -8(%rbp),%rsp */
	SET_UP(0x48, 0x8d, 0x65, 0xf8);
	assert_caller(&s, OTHER, 42, 0x77);
}

static void a_call_needs_a_frame(void **state)
{
	/* push %rbp; mov %rsp,%rbp; call OTHER */
	SET_UP(0x55, 0x48, 0x89, 0xe5, 0xe8, 0, 0, 0, 0);
	regs_set(&s.first, REG_RIP, FUN_A + 4);
	assert_caller(&s, OTHER, 42, 0x77);
	/* But not in code that makes none. */
	set_up_code(&s, &code, a + 4, sizeof(a) - 4);
	run(&s, true);
	assert_lost(&s, 1, "is not known");
}

/* As it is gone before the return. */
static void a_frame_that_is_gone(void **state)
{
	/* movslq %eax,%rax; ret */
	SET_UP(0x48, 0x98, 0xc3);
	s.task[32] = OTHER;
	assert_caller(&s, OTHER, 33, RBP);
	/* What lies at rsp is no return address. */
	set_up_code(&s, &code, a, sizeof(a));
	s.task[32] = 0x1234;
	run(&s, true);
	assert_lost(&s, 1, "is not known");
}

static void assembly_that_pushes(void **state)
{
	/* push %r12; sub $8,%rsp; add $0x20,%rsp; pop %r12; ret: what is pushed already is above */
	SET_UP(0x41, 0x54, 0x48, 0x83, 0xec, 8, 0x48, 0x83, 0xc4, 0x20, 0x41, 0x5c, 0xc3);
	s.task[35] = OTHER;
	assert_caller(&s, OTHER, 36, RBP);
	/* The return address is put where it is not yet. */
	static const unsigned char below[] = { 0x56, 0xc3 }; /* push %rsi; ret */
	set_up_code(&s, &code, below, sizeof(below));
	s.task[31] = OTHER;
	run(&s, true);
	assert_lost(&s, 1, "is not known");
}

static void a_return_by_way_of_a_thunk(void **state)
{
	SET_UP(0x90);
	put_rel32(code.a, 0xe9, FUN_A, FUN_C);
	s.fake.returns = FUN_C;
	s.task[32] = OTHER;
	assert_caller(&s, OTHER, 33, RBP);
}

/* Which has no frame yet, unless it is a part of this one that lies elsewhere. */
static void a_jump_to_another_function(void **state)
{
	SET_UP(0x90);
	for (unsigned part = 0; part < 2; part++) {
		set_up_code(&s, &code, a, sizeof(a));
		put_rel32(code.a, 0xe9, FUN_A, FUN_C);
		code.c[0] = part ? 0xc9 : 0x55; /* leave, push %rbp */
		s.task[32] = OTHER;
		assert_caller(&s, OTHER, part ? 42 : 33, part ? 0x77 : RBP);
	}
}

static void what_a_conditional_jump_leads_to(void **state)
{
	/* je to the leave; ud2; leave */
	SET_UP(0x0f, 0x84, 2, 0, 0, 0, 0x0f, 0x0b, 0xc9);
	assert_caller(&s, OTHER, 42, 0x77);
	/* Round and round. */
	static const unsigned char loop[] = { 0x74, 0xfe, 0xeb, 0xfc };
	set_up_code(&s, &code, loop, sizeof(loop));
	run(&s, true);
	assert_lost(&s, 1, "is not known");
}

/* Where the code does not tell, a call of this very function does. */
static void a_call_of_this_function(void **state)
{
	SET_UP(0x0f, 0x0b);
	s.task[32] = RETURN;
	assert_caller(&s, RETURN, 33, RBP);
	set_up_code(&s, &code, a, sizeof(a));
	s.task[32] = OTHER;
	s.task[41] = RETURN;
	assert_caller(&s, RETURN, 42, 0x77);
	set_up_code(&s, &code, a, sizeof(a));
	s.task[32] = OTHER;
	run(&s, true);
	assert_lost(&s, 1, "is not known");
}

/* FUN_A begins with push %rsi and was called by FUN_B, which begins with the @len bytes of @b. */
static void set_up_caller(struct scene *s, struct code *code, const void *b, size_t len)
{
	static const unsigned char a[] = { 0x56 };
	set_up_code(s, code, a, sizeof(a));
	s->fake.orc_count = 0;
	fake_orc(&s->fake, FUN_C, 0x100, orc_end);
	memset(code->b, 0x90, RETURN - 5 - FUN_B);
	memcpy(code->b, b, len);
	s->task[32] = RETURN;
}

/* error_entry, where it begins, has what was interrupted in rbp; so has what called it. */
static void a_caller_without_a_frame(void **state)
{
	static const unsigned char makes[] = { 0x55, 0x48, 0x89, 0xe5 };
	struct scene s;
	struct code code;
	(void)state;
	set_up_caller(&s, &code, makes, 0);
	run(&s, true);
	assert_lost(&s, 2, "makes none");
	/* Where the interrupted code's registers were saved, rbp says. */
	set_up_caller(&s, &code, makes, 0);
	regs_set(&s.first, REG_RBP, RBP + 1);
	s.task[40 + 16] = OTHER; /* rip, cs, eflags, rsp */
	s.task[40 + 17] = 0x10;
	s.task[40 + 19] = task_address(64);
	run(&s, true);
	assert_int_equal(s.frames.count, 3);
	assert_int_equal(s.frames.list[2].how, HOW_REGS);
	frames_free(&s.frames);
	/* A function whose frame it is. */
	set_up_caller(&s, &code, makes, sizeof(makes));
	run(&s, true);
	assert_int_equal(s.frames.count, 3);
	assert_int_equal(rip_of(&s, 2), OTHER);
	frames_free(&s.frames);
}

static void what_is_switched_out_has_a_frame(void **state)
{
	SET_UP(0x0f, 0x0b);
	struct unwind_source source = fake_source(&s.fake);
	assert_null(unwind(&source, &s.first, HOW_SWITCH, false, &s.frames));
	assert_int_equal(s.frames.count, 2);
	assert_int_equal(rip_of(&s, 1), OTHER);
	frames_free(&s.frames);
}

/* There the return address lies twice; the copy's place says nothing of rsp. */
static void a_stack_that_was_aligned(void **state)
{
	/* endbr64; test %rsi,%rsi; lea 8(%rsp),%r10; and $-16,%rsp; leave */
	SET_UP(0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x85, 0xf6, 0x4c, 0x8d, 0x54, 0x24, 0x08, 0x48, 0x83,
	       0xe4, 0xf0, 0xc9);
	regs_set(&s.first, REG_RIP, FUN_A + 16);
	s.task[45] = OTHER;
	assert_caller(&s, OTHER, 46, 0x77);
	set_up_code(&s, &code, a, sizeof(a));
	regs_set(&s.first, REG_RIP, FUN_A + 16);
	run(&s, true);
	assert_lost(&s, 1, "before it was aligned is not known");
}

static void rbp_that_is_not_known_has_no_part(void **state)
{
	/* pop %rbp */
	SET_UP(0x5d);
	regs_set(&s.first, REG_RBP, task_address(32));
	regs_forget(&s.first, REG_RBP);
	run(&s, true);
	assert_lost(&s, 1, "rbp is not known");
}

static void code_that_cannot_be_read(void **state)
{
	SET_UP(0xc9);
	s.fake.memory[0].len = 0;
	for (unsigned i = 0; i < s.fake.memory_count; i++)
		if (s.fake.memory[i].address == FUN_A)
			s.fake.memory[i].len = 0;
	run(&s, true);
	assert_lost(&s, 1, "is not known");
	/* At the end of a page. */
	set_up_code(&s, &code, a, sizeof(a));
	s.fake.memory[0].len = 0;
	for (unsigned i = 0; i < s.fake.memory_count; i++)
		if (s.fake.memory[i].address == FUN_A)
			s.fake.memory[i].len = 1;
	assert_caller(&s, OTHER, 42, 0x77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_that_is_to_be_made),
		cmocka_unit_test(a_frame_that_is_half_made),
		cmocka_unit_test(a_frame_that_is_there),
		cmocka_unit_test(a_frame_that_the_end_of_the_function_takes_down),
		cmocka_unit_test(a_call_needs_a_frame),
		cmocka_unit_test(a_frame_that_is_gone),
		cmocka_unit_test(assembly_that_pushes),
		cmocka_unit_test(a_return_by_way_of_a_thunk),
		cmocka_unit_test(a_jump_to_another_function),
		cmocka_unit_test(what_a_conditional_jump_leads_to),
		cmocka_unit_test(a_call_of_this_function),
		cmocka_unit_test(a_caller_without_a_frame),
		cmocka_unit_test(what_is_switched_out_has_a_frame),
		cmocka_unit_test(a_stack_that_was_aligned),
		cmocka_unit_test(rbp_that_is_not_known_has_no_part),
		cmocka_unit_test(code_that_cannot_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
