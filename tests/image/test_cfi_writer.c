// SPDX-License-Identifier: GPL-2.0-or-later
/* What ORC says, converted, is what libdw then reads of it; prologues where ORC says nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <dwarf.h>
#include <elfutils/libdw.h>

#include "arch/x86_64/base/regs.h"
#include "arch/x86_64/image/cfi_writer.h"
#include "arch/x86_64/image/prologue.h"
#include "arch/x86_64/unwind/code_table.h"
#include "base/err.h"
#include "tests/unwind/cfi_file.h"

#define CODE  UINT64_C(0xffffffffc0001000)
#define SLIDE UINT64_C(0x1000000)

struct scene {
	struct cfi_writer w;
	struct cfi_file *file;
};

static void convert(struct scene *s, const struct cfi_row *rows, size_t count, bool keeps)
{
	struct orc_function f = { CODE, CODE + 0x100, rows, count, keeps };
	cfi_writer_init(&s->w, SLIDE);
	assert_null(cfi_writer_function(&s->w, &f));
	s->file = cfi_file_of_section(s->w.bytes.data, s->w.bytes.len);
	assert_non_null(s->file);
}

static void end(struct scene *s)
{
	cfi_file_free(s->file);
	cfi_writer_free(&s->w);
}

static Dwarf_Frame *frame_at(const struct scene *s, uint64_t pc)
{
	Dwarf_Frame *frame = NULL;
	assert_int_equal(dwarf_cfi_addrframe(cfi_file_cfi(s->file), pc - SLIDE, &frame), 0);
	return frame;
}

/* The rule of a register: libdw's operations, one at most in what is expected here. */
static void expect_rule(Dwarf_Frame *frame, int reg, size_t count, unsigned atom, int64_t number)
{
	Dwarf_Op memory[3], *ops;
	size_t n;
	assert_int_equal(dwarf_frame_register(frame, reg, memory, &ops, &n), 0);
	assert_int_equal(n, count);
	if (!count)
		return;
	/* "The CFA" comes first in what is counted from it. */
	assert_int_equal(ops[count - 1].atom, atom);
	assert_int_equal((int64_t)ops[count - 1].number, number);
}

static void expect_undefined(Dwarf_Frame *frame, int reg)
{
	Dwarf_Op memory[3], *ops;
	size_t n;
	assert_int_equal(dwarf_frame_register(frame, reg, memory, &ops, &n), 0);
	/* libdw's mark for it: no operations, and a place that is not the one for "same". */
	assert_int_equal(n, 0);
	assert_ptr_equal(ops, memory);
}

static void expect_same(Dwarf_Frame *frame, int reg)
{
	Dwarf_Op memory[3], *ops;
	size_t n;
	assert_int_equal(dwarf_frame_register(frame, reg, memory, &ops, &n), 0);
	assert_int_equal(n, 0);
	assert_null(ops);
}

static void expect_cfa(Dwarf_Frame *frame, unsigned atom, int64_t number)
{
	Dwarf_Op *ops;
	size_t n;
	assert_int_equal(dwarf_frame_cfa(frame, &ops, &n), 0);
	assert_true(n >= 1);
	assert_int_equal(ops[0].atom, atom);
	assert_int_equal((int64_t)(atom == DW_OP_bregx ? ops[0].number2 : ops[0].number), number);
}

static bool is_signal(Dwarf_Frame *frame)
{
	Dwarf_Addr start, stop;
	bool signal;
	assert_int_equal(dwarf_frame_info(frame, &start, &stop, &signal), REG_RIP);
	return signal;
}

static struct cfi_row row(uint64_t at, struct orc_entry entry)
{
	return (struct cfi_row){ .start = CODE + at, .valid = true, .entry = entry };
}

static const struct orc_entry called = { .type = ORC_CALL, .sp = ORC_SP, .sp_offset = 8 };

static void test_calls(void **state)
{
	struct scene s;
	struct cfi_row rows[] = {
		row(0, called),
		row(2, (struct orc_entry){ .type = ORC_CALL,
					   .sp = ORC_SP,
					   .sp_offset = 16,
					   .bp = ORC_PREV_SP,
					   .bp_offset = -16 }),
		row(9, (struct orc_entry){ .type = ORC_CALL,
					   .sp = ORC_BP,
					   .sp_offset = 16,
					   .bp = ORC_PREV_SP,
					   .bp_offset = -16 }),
	};
	(void)state;
	convert(&s, rows, 3, false);
	Dwarf_Frame *f = frame_at(&s, CODE + 1);
	expect_cfa(f, DW_OP_bregx, 8);
	expect_same(f, REG_RBP);
	expect_undefined(f, REG_RBX);
	expect_undefined(f, REG_RAX);
	expect_rule(f, REG_RIP, 2, DW_OP_plus_uconst, -8);
	assert_false(is_signal(f));
	free(f);
	f = frame_at(&s, CODE + 8);
	expect_cfa(f, DW_OP_bregx, 16);
	expect_rule(f, REG_RBP, 2, DW_OP_plus_uconst, -16);
	free(f);
	f = frame_at(&s, CODE + 0xff);
	expect_cfa(f, DW_OP_bregx, 16);
	expect_rule(f, REG_RBP, 2, DW_OP_plus_uconst, -16);
	free(f);
	end(&s);
}

static void test_kept_registers(void **state)
{
	struct scene s;
	struct cfi_row rows[] = { row(0, called) };
	(void)state;
	convert(&s, rows, 1, true);
	Dwarf_Frame *f = frame_at(&s, CODE);
	expect_same(f, REG_RBX);
	expect_same(f, REG_R15);
	expect_undefined(f, REG_RCX);
	free(f);
	end(&s);
}

enum { RBX, RBP, R12, R13, R14, R15 }; /* code_kept */

/* In a frame of three words: rbx is pushed, r12 not touched, r13 lost, r14 and r15 are elsewhere.
 */
static const struct code_rules three_words = {
	.by_rsp = true,
	.rsp_offset = 24,
	.in_register = 1 << R12 | 1 << RBP,
	.saved = { [RBX] = { CODE_AT_CFA, -16 },
		   [R14] = { CODE_AT_RBP, -24 },
		   [R15] = { CODE_AT_RSP, 8 } },
};

static void expect_three_words(Dwarf_Frame *f)
{
	expect_rule(f, REG_RBX, 2, DW_OP_plus_uconst, -16);
	expect_same(f, REG_R12);
	expect_undefined(f, REG_R13);
	expect_rule(f, REG_R14, 2, DW_OP_breg6, -24);
	expect_rule(f, REG_R15, 2, DW_OP_breg7, 8);
	expect_undefined(f, REG_RAX);
	expect_rule(f, REG_RIP, 2, DW_OP_plus_uconst, -8);
}

static void expect_nothing_kept(Dwarf_Frame *f)
{
	static const int kept[] = { REG_RBX, REG_R12, REG_R13, REG_R14, REG_R15 };
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		expect_undefined(f, kept[i]);
	expect_rule(f, REG_RIP, 2, DW_OP_plus_uconst, -8);
}

/* The code is believed of what ORC does not tell, where both find the same CFA and rbp. */
static void test_code_beside_orc(void **state)
{
	static const struct orc_entry by_rsp = { .type = ORC_CALL, .sp = ORC_SP, .sp_offset = 24 },
				      by_rbp = { .type = ORC_CALL, .sp = ORC_BP, .sp_offset = 16 },
				      by_word = { .type = ORC_CALL,
						  .sp = ORC_BP_INDIRECT,
						  .sp_offset = -8 },
				      in_word = { .type = ORC_CALL,
						  .sp = ORC_SP_INDIRECT,
						  .sp_offset = 8 },
				      rbp_saved = { .type = ORC_CALL,
						    .sp = ORC_SP,
						    .sp_offset = 24,
						    .bp = ORC_PREV_SP,
						    .bp_offset = -24 };
	static const struct {
		const struct orc_entry *orc;
		struct code_rules change; /* of three_words: how the CFA is found */
		uint32_t in_register;	  /* to be taken away */
		struct code_place rbp;
		bool known;
	} cases[] = {
		{ &by_rsp, { .by_rsp = true, .rsp_offset = 24 }, 0, { 0 }, true },
		{ &by_rsp, { .by_rsp = true, .rsp_offset = 32 }, 0, { 0 }, false },
		{ &by_rsp, { .by_rbp = true, .rbp_offset = 24 }, 0, { 0 }, false },
		{ &by_rsp,
		  { .by_rbp = true, .rbp_offset = 16, .rbp_relative = true, .rbp_distance = 8 },
		  0,
		  { 0 },
		  true },
		{ &by_rbp, { .by_rbp = true, .rbp_offset = 16 }, 0, { 0 }, true },
		{ &by_rbp, { .by_rsp = true, .rsp_offset = 16 }, 0, { 0 }, false },
		{ &by_rbp,
		  { .by_rsp = true, .rsp_offset = 24, .rbp_relative = true, .rbp_distance = 8 },
		  0,
		  { 0 },
		  true },
		{ &by_word, { .cfa_at = { CODE_AT_RBP, -8 } }, 0, { 0 }, true },
		{ &by_word, { .cfa_at = { CODE_AT_RBP, -8 }, .cfa_add = 8 }, 0, { 0 }, false },
		{ &by_word, { .cfa_at = { CODE_AT_RBP, -16 } }, 0, { 0 }, false },
		{ &in_word, { .cfa_at = { CODE_AT_RSP, 0 }, .cfa_add = 8 }, 0, { 0 }, true },
		{ &in_word, { .cfa_at = { CODE_AT_RSP, 8 }, .cfa_add = 8 }, 0, { 0 }, false },
		/* rbp is in its register for ORC; for the code it is saved, or nobody knows. */
		{ &by_rsp,
		  { .by_rsp = true, .rsp_offset = 24 },
		  1 << RBP,
		  { CODE_AT_CFA, -24 },
		  false },
		{ &by_rsp, { .by_rsp = true, .rsp_offset = 24 }, 1 << RBP, { 0 }, true },
		{ &rbp_saved,
		  { .by_rsp = true, .rsp_offset = 24 },
		  1 << RBP,
		  { CODE_AT_CFA, -24 },
		  true },
		{ &rbp_saved,
		  { .by_rsp = true, .rsp_offset = 24 },
		  1 << RBP,
		  { CODE_AT_CFA, -32 },
		  false },
		{ &rbp_saved, { .by_rsp = true, .rsp_offset = 24 }, 0, { 0 }, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct code_rules r = cases[i].change;
		struct scene s;
		memcpy(r.saved, three_words.saved, sizeof(r.saved));
		r.saved[RBP] = cases[i].rbp;
		r.in_register = three_words.in_register & ~cases[i].in_register;
		struct cfi_row rows[] = { row(0, *cases[i].orc), row(4, *cases[i].orc) };
		rows[0].code = &r;
		convert(&s, rows, 2, false);
		Dwarf_Frame *f = frame_at(&s, CODE);
		if (cases[i].known)
			expect_three_words(f);
		else
			expect_nothing_kept(f);
		free(f);
		/* Where nothing is known, it is not what was known before. */
		f = frame_at(&s, CODE + 4);
		expect_nothing_kept(f);
		free(f);
		end(&s);
	}
}

/* What an interrupt saved is believed before anything that the code says. */
static void test_code_in_entries(void **state)
{
	struct scene s;
	struct cfi_row rows[] = {
		row(0,
		    (struct orc_entry){
			    .type = ORC_REGS, .sp = ORC_SP, .sp_offset = 24, .signal = true }),
	};
	(void)state;
	rows[0].code = &three_words;
	convert(&s, rows, 1, false);
	Dwarf_Frame *f = frame_at(&s, CODE);
	expect_rule(f, REG_RBX, 2, DW_OP_plus_uconst, 40);
	expect_rule(f, REG_R12, 2, DW_OP_plus_uconst, 24);
	free(f);
	end(&s);
}

/* Where tables know nothing the code tells all, as far as it does. */
static void test_code_first(void **state)
{
	struct scene s;
	struct code_rules with_rbp = three_words;
	struct cfi_row rows[] = { row(0, called), row(4, called), row(8, called) };
	(void)state;
	with_rbp.by_rbp = true;
	with_rbp.rbp_offset = 16;
	with_rbp.in_register &= ~(UINT32_C(1) << RBP);
	for (size_t i = 0; i < 3; i++)
		rows[i].code_first = true;
	rows[0].code = &three_words;
	rows[1].code = &with_rbp;
	convert(&s, rows, 3, false);
	Dwarf_Frame *f = frame_at(&s, CODE);
	expect_cfa(f, DW_OP_bregx, 24);
	expect_same(f, REG_RBP);
	expect_three_words(f);
	free(f);
	f = frame_at(&s, CODE + 4);
	expect_cfa(f, DW_OP_bregx, 16);
	expect_undefined(f, REG_RBP);
	expect_three_words(f);
	free(f);
	f = frame_at(&s, CODE + 8);
	expect_cfa(f, DW_OP_bregx, 8);
	expect_nothing_kept(f);
	free(f);
	end(&s);
}

static void test_interrupts(void **state)
{
	struct scene s;
	struct cfi_row rows[] = {
		row(0, (struct orc_entry){ .type = ORC_REGS_PARTIAL,
					   .sp = ORC_SP,
					   .sp_offset = 8,
					   .signal = true }),
		row(4,
		    (struct orc_entry){
			    .type = ORC_REGS, .sp = ORC_SP, .sp_offset = 0, .signal = true }),
		row(0x20, called),
	};
	(void)state;
	convert(&s, rows, 3, false);
	Dwarf_Frame *f = frame_at(&s, CODE);
	assert_true(is_signal(f));
	expect_cfa(f, DW_OP_bregx, 8);
	expect_rule(f, REG_RIP, 1, DW_OP_call_frame_cfa, 0);
	expect_rule(f, REG_RSP, 2, DW_OP_plus_uconst, 24);
	expect_undefined(f, REG_RBX);
	free(f);
	f = frame_at(&s, CODE + 4);
	assert_true(is_signal(f));
	expect_rule(f, REG_R15, 1, DW_OP_call_frame_cfa, 0);
	expect_rule(f, REG_RBX, 2, DW_OP_plus_uconst, 40);
	expect_rule(f, REG_RDI, 2, DW_OP_plus_uconst, 112);
	expect_rule(f, REG_RIP, 2, DW_OP_plus_uconst, 128);
	expect_rule(f, REG_RSP, 2, DW_OP_plus_uconst, 152);
	free(f);
	/* An entry of its own, for here a caller's pc is behind its call. */
	f = frame_at(&s, CODE + 0x20);
	assert_false(is_signal(f));
	expect_rule(f, REG_RIP, 2, DW_OP_plus_uconst, -8);
	free(f);
	end(&s);
}

/* A system call's entry: nothing called it, so that it is no signal frame in spite of its pt_regs.
 */
static void test_from_user_mode(void **state)
{
	struct scene s;
	struct cfi_row rows[] = {
		row(0, (struct orc_entry){ .type = ORC_END }),
		row(8, (struct orc_entry){ .type = ORC_REGS, .sp = ORC_SP, .signal = true }),
		row(0x20, (struct orc_entry){ .type = ORC_END }),
	};
	(void)state;
	convert(&s, rows, 3, false);
	Dwarf_Frame *f = frame_at(&s, CODE);
	expect_undefined(f, REG_RIP);
	free(f);
	f = frame_at(&s, CODE + 8);
	assert_false(is_signal(f));
	expect_rule(f, REG_RIP, 2, DW_OP_plus_uconst, 128);
	free(f);
	f = frame_at(&s, CODE + 0x20);
	expect_undefined(f, REG_RIP);
	free(f);
	end(&s);
}

static void test_stack_changes(void **state)
{
	struct scene s;
	struct cfi_row rows[] = {
		row(0,
		    (struct orc_entry){ .type = ORC_CALL, .sp = ORC_SP_INDIRECT, .sp_offset = 8 }),
		row(4, (struct orc_entry){ .type = ORC_CALL,
					   .sp = ORC_BP_INDIRECT,
					   .sp_offset = -24 }),
		row(8, (struct orc_entry){ .type = ORC_CALL, .sp = ORC_R10, .sp_offset = 0 }),
	};
	Dwarf_Op *ops;
	size_t n;
	(void)state;
	convert(&s, rows, 3, false);
	Dwarf_Frame *f = frame_at(&s, CODE);
	expect_cfa(f, DW_OP_breg7, 0);
	assert_int_equal(dwarf_frame_cfa(f, &ops, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(ops[1].atom, DW_OP_deref);
	assert_int_equal(ops[2].atom, DW_OP_plus_uconst);
	assert_int_equal(ops[2].number, 8);
	free(f);
	f = frame_at(&s, CODE + 4);
	expect_cfa(f, DW_OP_breg6, -24);
	free(f);
	f = frame_at(&s, CODE + 8);
	expect_cfa(f, DW_OP_bregx, 0);
	free(f);
	end(&s);
}

static void test_nothing_known(void **state)
{
	struct scene s;
	struct cfi_row rows[] = {
		row(0, (struct orc_entry){ .type = ORC_NOTHING }),
		{ .start = CODE + 8 },
		row(16, (struct orc_entry){ .type = ORC_CALL, .sp = ORC_PREV_SP }),
	};
	(void)state;
	convert(&s, rows, 3, false);
	for (unsigned at = 0; at < 24; at += 8) {
		Dwarf_Frame *f = frame_at(&s, CODE + at);
		expect_undefined(f, REG_RIP);
		free(f);
	}
	end(&s);
}

/* The address behind a call that never returns is a caller's pc: of the row before. */
static void test_dead_end(void **state)
{
	struct scene s;
	struct cfi_row rows[] = {
		row(0, called),
		row(16, (struct orc_entry){ .type = ORC_NOTHING }),
	};
	(void)state;
	convert(&s, rows, 2, false);
	Dwarf_Frame *f = frame_at(&s, CODE + 16);
	expect_rule(f, REG_RIP, 2, DW_OP_plus_uconst, -8);
	free(f);
	f = frame_at(&s, CODE + 17);
	expect_undefined(f, REG_RIP);
	free(f);
	end(&s);
}

static void expect_user_mode_ends(uint64_t slide)
{
	static const uint64_t ends[] = { 0x1000, SLIDE + 1, 0x47b7a0, 0x7fffffffffff,
					 (UINT64_C(1) << 56) - 1 };
	struct cfi_writer w;
	cfi_writer_init(&w, slide);
	assert_null(cfi_writer_user_mode(&w));
	struct cfi_file *file = cfi_file_of_section(w.bytes.data, w.bytes.len);
	assert_non_null(file);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		Dwarf_Frame *f = NULL;
		assert_int_equal(dwarf_cfi_addrframe(cfi_file_cfi(file), ends[i] - slide, &f), 0);
		expect_undefined(f, REG_RIP);
		assert_false(is_signal(f));
		free(f);
	}
	Dwarf_Frame *f = NULL;
	assert_int_equal(dwarf_cfi_addrframe(cfi_file_cfi(file), CODE - slide, &f), -1);
	assert_int_equal(dwarf_cfi_addrframe(cfi_file_cfi(file), (UINT64_C(1) << 56) - slide, &f),
			 -1);
	cfi_file_free(file);
	cfi_writer_free(&w);
}

static void test_code_without_callers(void **state)
{
	struct cfi_writer w;
	Dwarf_Frame *f = NULL;
	(void)state;
	cfi_writer_init(&w, SLIDE);
	assert_null(cfi_writer_ends(&w, CODE, CODE + 0x100));
	struct cfi_file *file = cfi_file_of_section(w.bytes.data, w.bytes.len);
	assert_non_null(file);
	assert_int_equal(dwarf_cfi_addrframe(cfi_file_cfi(file), CODE + 0xff - SLIDE, &f), 0);
	expect_undefined(f, REG_RIP);
	free(f);
	assert_int_equal(dwarf_cfi_addrframe(cfi_file_cfi(file), CODE + 0x100 - SLIDE, &f), -1);
	cfi_file_free(file);
	cfi_writer_free(&w);
}

/* However far the kernel was moved; the last is the library's, which is moved around the end. */
static void test_user_mode(void **state)
{
	(void)state;
	expect_user_mode_ends(0);
	expect_user_mode_ends(SLIDE);
	expect_user_mode_ends(UINT64_C(0xfffffffffffff000));
}

static void test_odd_functions(void **state)
{
	struct cfi_writer w;
	struct cfi_row first = row(0, called), late = row(0x200, called);
	struct orc_function none = { CODE, CODE, &first, 1, false };
	struct orc_function reversed = { CODE, CODE - 1, &first, 1, false };
	struct orc_function empty = { CODE, CODE + 1, NULL, 0, false };
	struct orc_function behind = { CODE, CODE + 0x100, &late, 1, false };
	(void)state;
	cfi_writer_init(&w, 0);
	assert_null(cfi_writer_function(&w, &none));
	assert_null(cfi_writer_function(&w, &reversed));
	assert_null(cfi_writer_function(&w, &empty));
	assert_null(cfi_writer_function(&w, &behind));
	assert_int_equal(w.functions, 0);
	cfi_writer_free(&w);
}

static void test_hooked(void **state)
{
	static const struct {
		unsigned char code[12];
		size_t len;
		bool hooked;
	} table[] = {
		{ { 0x0f, 0x1f, 0x44, 0, 0 }, 5, true },
		{ { 0x66, 0x66, 0x66, 0x66, 0x90 }, 5, true },
		{ { 0xe8, 1, 2, 3, 4 }, 5, true },
		{ { 0xf3, 0x0f, 0x1e, 0xfa, 0x0f, 0x1f, 0x44, 0, 0 }, 9, true },
		{ { 0xf3, 0x0f, 0x1e, 0xfa, 0x0f, 0x1f, 0x44, 0, 0 }, 8, false },
		{ { 0xf3, 0x0f, 0x1e, 0xfa, 0x0f, 0x01, 0xf8, 0, 0 }, 9, false }, /* swapgs */
		{ { 0x0f, 0x1f, 0x00, 0x6a, 0xff }, 5, false }, /* nop; push $-1: an entry */
		{ { 0x55, 0x48, 0x89, 0xe5, 0x90 }, 5, false },
		{ { 0 }, 0, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		assert_int_equal(prologue_is_hooked(table[i].code, table[i].len), table[i].hooked);
}

static void test_prologues(void **state)
{
	/* call __fentry__; push %rbx; mov $1,%edx; sub $0xb0,%rsp */
	static const unsigned char stack[] = { 0xe8, 1, 2,    3,    4,	  0x53, 0xba, 1, 0,
					       0,    0, 0x48, 0x81, 0xec, 0xb0, 0,    0, 0 };
	/* endbr64; nopl; push %rbp; mov %rsp,%rbp */
	static const unsigned char pointer[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0x0f, 0x1f, 0x44,
						 0,    0,    0x55, 0x48, 0x89, 0xe5 };
	/* the nop in place of a call of __fentry__ on older CPUs; push %rbp; mov %rsp,%rbp */
	static const unsigned char older[] = {
		0x66, 0x66, 0x66, 0x66, 0x90, 0x55, 0x48, 0x89, 0xe5
	};
	static const unsigned char unknown[] = { 0x53, 0x4c, 0x8d, 0x54, 0x24, 0x08 };
	struct cfi_row rows[PROLOGUE_ROWS];
	(void)state;
	assert_int_equal(prologue_rows(stack, sizeof(stack), CODE, rows), 3);
	assert_int_equal(rows[1].start, CODE + 6);
	assert_int_equal(rows[2].start, CODE + 18);
	assert_int_equal(rows[2].entry.sp, ORC_SP);
	assert_int_equal(rows[2].entry.sp_offset, 16 + 0xb0);
	assert_int_equal(prologue_rows(pointer, sizeof(pointer), CODE, rows), 3);
	assert_int_equal(rows[2].start, CODE + 13);
	assert_int_equal(rows[2].entry.sp, ORC_BP);
	assert_int_equal(rows[2].entry.sp_offset, 16);
	assert_int_equal(rows[2].entry.bp_offset, -16);
	assert_int_equal(prologue_rows(older, sizeof(older), CODE, rows), 3);
	assert_int_equal(rows[2].start, CODE + 9);
	assert_int_equal(prologue_rows(unknown, sizeof(unknown), CODE, rows), 0);
	for (size_t len = 0; len < sizeof(stack); len++)
		assert_int_equal(prologue_rows(stack, len, CODE, rows), 0);
}

static unsigned bytes_of(unsigned atom)
{
	return atom == DW_OP_const8u ? 9 : atom == DW_OP_bra || atom == DW_OP_skip ? 3 : 1;
}

/* What the operations say that the register is where the CFA is @cfa. */
static uint64_t evaluate(const Dwarf_Op *ops, size_t count, uint64_t cfa)
{
	uint64_t stack[8];
	size_t depth = 0;
	for (size_t i = 0; i < count; i++) {
		int64_t distance = 0;
		assert_in_range(depth, 0, 6);
		switch (ops[i].atom) {
		case DW_OP_call_frame_cfa:
			stack[depth++] = cfa;
			break;
		case DW_OP_dup:
			stack[depth] = stack[depth - 1];
			depth++;
			break;
		case DW_OP_const8u:
			stack[depth++] = ops[i].number;
			break;
		case DW_OP_lit0:
			stack[depth++] = 0;
			break;
		case DW_OP_ne:
			depth--;
			stack[depth - 1] = stack[depth - 1] != stack[depth];
			break;
		case DW_OP_bra:
			if (stack[--depth])
				distance = (int16_t)ops[i].number;
			break;
		case DW_OP_skip:
			distance = (int16_t)ops[i].number;
			break;
		case DW_OP_stack_value:
			return stack[depth - 1];
		default:
			fail_msg("operation 0x%x", ops[i].atom);
		}
		for (; distance > 0 && i + 1 < count; i++)
			distance -= bytes_of(ops[i + 1].atom);
		assert_int_equal(distance, 0);
	}
	fail();
	return 0;
}

static void test_traced(void **state)
{
	const struct cfi_return returns[] = {
		{ 0xffffc90000001000, 0xffffffff81001111 },
		{ 0xffffc90000001ff8, 0xffffffff81002222 },
		{ 0xffffc90000003010, 0xffffffff81003333 },
	};
	struct scene s;
	Dwarf_Op memory[3], *ops;
	size_t count;
	(void)state;
	cfi_writer_init(&s.w, SLIDE);
	assert_null(cfi_writer_traced(&s.w, CODE + 0x20, returns, 3));
	s.file = cfi_file_of_section(s.w.bytes.data, s.w.bytes.len);
	assert_non_null(s.file);
	Dwarf_Frame *f = frame_at(&s, CODE + 0x1f);
	assert_false(is_signal(f));
	expect_cfa(f, DW_OP_bregx, 0);
	expect_same(f, REG_RBX);
	expect_same(f, REG_R15);
	assert_int_equal(dwarf_frame_register(f, REG_RIP, memory, &ops, &count), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(evaluate(ops, count, returns[i].slot + 8), returns[i].address);
	assert_int_equal(evaluate(ops, count, 0xffffc90000001010), 0);
	free(f);
	assert_int_not_equal(dwarf_cfi_addrframe(cfi_file_cfi(s.file), CODE + 0x20 - SLIDE, &f), 0);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_kept_registers),
		cmocka_unit_test(test_code_beside_orc),
		cmocka_unit_test(test_code_in_entries),
		cmocka_unit_test(test_code_first),
		cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_from_user_mode),
		cmocka_unit_test(test_stack_changes),
		cmocka_unit_test(test_nothing_known),
		cmocka_unit_test(test_dead_end),
		cmocka_unit_test(test_odd_functions),
		cmocka_unit_test(test_prologues),
		cmocka_unit_test(test_hooked),
		cmocka_unit_test(test_user_mode),
		cmocka_unit_test(test_code_without_callers),
		cmocka_unit_test(test_traced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
