// SPDX-License-Identifier: GPL-2.0-or-later
/* Register images: pt_regs, and what a context switch leaves on the stack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "arch/x86_64/unwind/pt_regs.h"
#include "arch/x86_64/unwind/switch.h"
#include "base/bytes.h"

static void pt_regs_are_in_the_kernels_order(void **state)
{
	unsigned char image[8 * USER_REGS_WORDS];
	struct regs r = { 0 };
	(void)state;
	for (unsigned i = 0; i < USER_REGS_WORDS; i++)
		put_u64(image + 8 * i, 0x100 + i);
	pt_regs_decode(image, PT_REGS_WORDS, &r);
	/* Offsets as arch/x86/entry/calling.h defines them: R15 0, RBP 32, RBX 40, RIP 128, RSP
	 * 152. */
	assert_int_equal(r.value[REG_R15], 0x100);
	assert_int_equal(r.value[REG_RBP], 0x100 + 32 / 8);
	assert_int_equal(r.value[REG_RBX], 0x100 + 40 / 8);
	assert_int_equal(r.value[REG_RDI], 0x100 + 112 / 8);
	assert_int_equal(r.value[REG_ORIG_RAX], 0x100 + 120 / 8);
	assert_int_equal(r.value[REG_RIP], 0x100 + 128 / 8);
	assert_int_equal(r.value[REG_RSP], 0x100 + 152 / 8);
	assert_int_equal(r.value[REG_SS], 0x100 + 160 / 8);
	assert_false(regs_known(&r, REG_FS_BASE));
	pt_regs_decode(image, USER_REGS_WORDS, &r);
	assert_int_equal(r.value[REG_FS_BASE], 0x100 + 21);
	assert_int_equal(r.value[REG_GS], 0x100 + 26);
	assert_int_equal(r.known, (1u << REG_COUNT) - 1);
}

static void a_frame_is_read_by_its_offsets(void **state)
{
	/* el8's frame has flags in front. */
	const struct switch_layout layout = {
		.frame_size = 64,
		.r15 = 8,
		.r14 = 16,
		.r13 = 24,
		.r12 = 32,
		.bx = 40,
		.bp = 48,
		.ret_addr = 56,
	};
	unsigned char frame[64];
	struct regs r;
	(void)state;
	for (unsigned i = 0; i < 8; i++)
		put_u64(frame + 8 * i, 0x1000 + i);
	assert_int_equal(switch_frame_bytes(&layout), 64);
	assert_true(switch_registers(&layout, 0xffff888000001000, frame, false, &r));
	assert_int_equal(r.value[REG_R15], 0x1001);
	assert_int_equal(r.value[REG_RBX], 0x1005);
	assert_int_equal(r.value[REG_RBP], 0x1006);
	assert_int_equal(r.value[REG_RIP], 0x1007);
	assert_int_equal(r.value[REG_RSP], UINT64_C(0xffff888000001040));
	assert_false(regs_known(&r, REG_RAX));
	assert_false(regs_known(&r, REG_EFLAGS));
}

static void a_member_outside_the_frame_is_refused(void **state)
{
	struct switch_layout layout = { .frame_size = 56, .ret_addr = 49 };
	unsigned char frame[SWITCH_FRAME_MAX] = { 0 };
	struct regs r;
	(void)state;
	assert_false(switch_registers(&layout, 0, frame, false, &r));
	/* A frame that a hostile type description makes huge is bounded. */
	layout.frame_size = UINT64_MAX;
	assert_int_equal(switch_frame_bytes(&layout), SWITCH_FRAME_MAX);
}

static void an_old_frame_gives_rbp_and_where_it_goes_on(void **state)
{
	struct switch_layout layout = { .resume = 0xffffffff81001234,
					.fork_resume = 0xffffffff81005678 };
	unsigned char frame[16];
	struct regs r;
	(void)state;
	put_u64(frame, 0xffff880000001fd0);
	put_u64(frame + 8, 0x246);
	assert_int_equal(switch_frame_bytes(&layout), 16);
	assert_true(switch_registers(&layout, 0xffff880000001f00, frame, false, &r));
	assert_int_equal(r.value[REG_RBP], UINT64_C(0xffff880000001fd0));
	assert_int_equal(r.value[REG_RIP], layout.resume);
	assert_int_equal(r.value[REG_RSP], UINT64_C(0xffff880000001f10));
	/* The macro clobbers these: they are __schedule's callers', and not known here. */
	assert_false(regs_known(&r, REG_RBX));
	assert_false(regs_known(&r, REG_R12));
	assert_true(switch_registers(&layout, 0xffff880000001f00, frame, true, &r));
	assert_int_equal(r.value[REG_RIP], layout.fork_resume);
	assert_int_equal(r.value[REG_RSP], UINT64_C(0xffff880000001f00));
	assert_false(regs_known(&r, REG_RBP));
	layout.resume = 0;
	assert_false(switch_registers(&layout, 0xffff880000001f00, frame, false, &r));
}

static void the_only_call_is_found(void **state)
{
	/* nop; call +0x10; ret; call -0x20; then a second call of the first's callee */
	unsigned char code[16] = { 0x90, 0xe8, 0x10, 0, 0, 0, 0xc3, 0xe8, 0xe0, 0xff, 0xff, 0xff };
	uint64_t after;
	(void)state;
	assert_true(switch_find_call(code, sizeof(code), 0x1000, 0x1016, &after));
	assert_int_equal(after, 0x1006);
	assert_true(switch_find_call(code, sizeof(code), 0x1000, 0xfec, &after));
	assert_int_equal(after, 0x100c);
	assert_false(switch_find_call(code, sizeof(code), 0x1000, 0x2000, &after));
	/* Cut off within the instruction. */
	assert_false(switch_find_call(code, 5, 0x1000, 0x1016, &after));
	code[7] = 0xe8;
	put_u32(code + 8, 0x1016 - 0x100c);
	assert_false(switch_find_call(code, sizeof(code), 0x1000, 0x1016, &after));
}

/* __switch_to_asm of 4.18 (RHEL 8): it pushes flags last. */
static void code_tells_the_frame(void **state)
{
	unsigned char code[] = {
		0x55,					  /* push %rbp */
		0x53,					  /* push %rbx */
		0x41, 0x54,				  /* push %r12 */
		0x41, 0x55,				  /* push %r13 */
		0x41, 0x56,				  /* push %r14 */
		0x41, 0x57,				  /* push %r15 */
		0x9c,					  /* pushf */
		0x48, 0x89, 0xa7, 0x58, 0x13, 0x00, 0x00, /* mov %rsp,0x1358(%rdi) */
	};
	enum { PUSH_R13 = 4, PUSHF = 10, MOV = 11 };
	struct switch_layout layout = { 0 };
	uint64_t sp;
	(void)state;
	assert_true(switch_find_frame(code, sizeof(code), 0x1000, &layout, &sp));
	assert_int_equal(sp, 0x1358);
	assert_int_equal(layout.r15, 8);
	assert_int_equal(layout.r14, 16);
	assert_int_equal(layout.r13, 24);
	assert_int_equal(layout.r12, 32);
	assert_int_equal(layout.bx, 40);
	assert_int_equal(layout.bp, 48);
	assert_int_equal(layout.ret_addr, 56);
	assert_int_equal(layout.frame_size, 64);
	/* Cut off; rsp moved otherwise; kept somewhere else; a register not pushed. */
	assert_false(switch_find_frame(code, MOV, 0x1000, &layout, &sp));
	code[PUSHF] = 0x5c; /* pop %rsp */
	assert_false(switch_find_frame(code, sizeof(code), 0x1000, &layout, &sp));
	code[PUSHF] = 0x90; /* nop */
	assert_true(switch_find_frame(code, sizeof(code), 0x1000, &layout, &sp));
	assert_int_equal(layout.r15, 0);
	assert_int_equal(layout.frame_size, 56);
	code[MOV + 2] = 0xa6; /* %rsi */
	assert_false(switch_find_frame(code, sizeof(code), 0x1000, &layout, &sp));
	code[MOV + 2] = 0xa7;
	code[PUSH_R13 + 1] = 0x54;
	assert_false(switch_find_frame(code, sizeof(code), 0x1000, &layout, &sp));
}

/* testl $0x40000,0x10(%r8), as it stands behind the call in 3.10. */
static void code_tells_where_flags_are(void **state)
{
	unsigned char code[20] = { 0x90, 0x41, 0xf7, 0x40, 0x10, 0, 0, 4, 0 };
	uint64_t at;
	(void)state;
	assert_true(switch_find_flags(code, sizeof(code), &at));
	assert_int_equal(at, 0x10);
	assert_false(switch_find_flags(code, 8, &at));
	code[7] = 8; /* another bit */
	assert_false(switch_find_flags(code, sizeof(code), &at));
	code[7] = 4;
	memcpy(code + 10, code + 1, 8); /* twice */
	assert_false(switch_find_flags(code, sizeof(code), &at));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_tells_the_frame),
		cmocka_unit_test(code_tells_where_flags_are),
		cmocka_unit_test(pt_regs_are_in_the_kernels_order),
		cmocka_unit_test(a_frame_is_read_by_its_offsets),
		cmocka_unit_test(a_member_outside_the_frame_is_refused),
		cmocka_unit_test(an_old_frame_gives_rbp_and_where_it_goes_on),
		cmocka_unit_test(the_only_call_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
