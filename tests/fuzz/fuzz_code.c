// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any code, followed, and any stack: the first byte says what else is there, the second where the
 * code was stopped, the third at which word of the stack; then come the bytes of three functions,
 * the second of which may be a part of the first, and the third a thunk, and words of the stack, of
 * which small ones stand for addresses.
 */
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/base/regs.h"
#include "base/bytes.h"
#include "base/err.h"
#include "tests/fuzz/unknown.h"
#include "tests/unwind/fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CODE  UINT64_C(0xffffffff81000000)
#define STACK UINT64_C(0xffffc90000100000)

enum {
	FUNCTION_BYTES = 96,
	CODE_BYTES = 3 * FUNCTION_BYTES,
	HEAD = 3 + CODE_BYTES,
	WORDS_MAX = 64,
	FLAG_PART = 1,
	FLAG_THUNK = 2,
	FLAG_RETURN = 4,
	FLAG_ORC = 8,
	FLAG_CALLED = 16, /* the first frame was left by a call */
};

static uint64_t make_word(uint16_t word)
{
	switch (word >> 14) {
	case 1:
		return CODE + word % CODE_BYTES;
	case 2:
		return STACK + word % (8 * WORDS_MAX);
	default:
		return word;
	}
}

/* Of each place at most one state, with distances that a stack may have, and none in the middle of
 * nowhere. */
static void check_table(struct fake *fake)
{
	struct code_source source = fake_code(fake);
	struct code_table *t;
	struct code_rules r;
	struct err *e = code_table_new(&source, CODE, &t);
	err_free(e);
	if (e)
		return;
	for (uint64_t pc = CODE - 16; pc < CODE + CODE_BYTES + 16; pc++) {
		bool is_code = pc >= CODE && pc < CODE + CODE_BYTES;
		bool at = code_table_at(t, pc, &r);
		REQUIRE(is_code || !at);
		REQUIRE(!at || r.by_rsp || r.by_rbp || r.cfa_at.base != CODE_NOWHERE);
		REQUIRE(!at || r.cfa_at.base != CODE_AT_CFA);
		REQUIRE(!code_table_call(t, pc, &r) || (pc > CODE && pc <= CODE + CODE_BYTES));
	}
	REQUIRE(!code_table_at(t, CODE, &r) || r.rsp_offset == 8 || !r.by_rsp);
	code_table_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum reg known[] = { REG_RBX, REG_RBP, REG_R12, REG_R14 };
	struct fake fake = { .follows = true };
	uint64_t stack[WORDS_MAX] = { 0 };
	struct regs first = { 0 };
	struct frames frames;
	if (size < HEAD || (size - HEAD) / 2 > WORDS_MAX)
		return 0;
	size_t words = (size - HEAD) / 2;
	for (size_t i = 0; i < words; i++)
		stack[i] = make_word(get_u16(data + HEAD + 2 * i));
	fake_memory(&fake, CODE, data + 3, CODE_BYTES);
	fake_memory(&fake, STACK, stack, 8 * words);
	for (uint64_t i = 0; i < 3; i++)
		fake_text(&fake, CODE + i * FUNCTION_BYTES, FUNCTION_BYTES);
	fake_stack(&fake, STACK, STACK + 8 * words, "task");
	fake.part = data[0] & FLAG_PART ? CODE + FUNCTION_BYTES : 0;
	fake.parent = CODE;
	if (data[0] & FLAG_THUNK)
		fake.thunk = CODE + 2 * FUNCTION_BYTES;
	else if (data[0] & FLAG_RETURN)
		fake.returns = CODE + 2 * FUNCTION_BYTES;
	if (data[0] & FLAG_ORC)
		fake_orc(&fake, CODE, FUNCTION_BYTES,
			 (struct orc_entry){ .type = ORC_CALL, .sp = ORC_SP, .sp_offset = 16 });
	check_table(&fake);
	regs_set(&first, REG_RIP, CODE + data[1]);
	regs_set(&first, REG_RSP, STACK + 8 * (uint64_t)(data[2] % WORDS_MAX));
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (data[2] >> 6 & 1 || i != 1)
			regs_set(&first, known[i], make_word((uint16_t)(0x8000 + 8 * i)));
	struct unwind_source source = fake_source(&fake);
	source.cfi = NULL;
	if (unwind_checked(&source, &first, HOW_NOTE, !(data[0] & FLAG_CALLED), &frames))
		frames_free(&frames);
	return 0;
}
