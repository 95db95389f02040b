// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as a machine: what its functions are, which ORC entries and what code they have, then
 * the words of two stacks. The first registers are the first words of all. Code that libdw's tables
 * speak of is fuzz_cfi.c's.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "arch/x86_64/base/regs.h"
#include "base/bytes.h"
#include "tests/fuzz/unknown.h"
#include "tests/unwind/fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT UINT64_C(0xffffffff81000000)
#define TASK UINT64_C(0xffffc90000100000)
#define IRQ  UINT64_C(0xffffc90000200000)

enum { FUNCTIONS = 8, FUNCTION_BYTES = 0x20, STACK_MAX = 16384 };

/* The input: flags, which registers are not known (u32), where the user's rsp is kept (u16), what
 * each function is, their ORC entries, their code, the stacks. */
enum {
	UNKNOWN_AT = 1,
	KEPT_AT = 5,
	ROLES_AT = 7,
	ORC_AT = ROLES_AT + FUNCTIONS,
	CODE_AT = ORC_AT + FUNCTIONS * ORC_RAW_BYTES,
	HEAD = CODE_AT + FUNCTIONS * FUNCTION_BYTES,
};

enum { FLAG_CALLED = 1, FLAG_SWITCH = 2, FLAG_FOUND = 4, FLAG_NO_CODE = 8 };

/* What a function is: the lowest bits; above them a function that it calls, and the topmost whether
 * it does. */
enum role {
	ROLE_PLAIN,
	ROLE_INTERRUPT,
	ROLE_EXCEPTION,
	ROLE_SYSCALL,
	ROLE_ASSEMBLY,
	ROLE_INLINE,
	ROLE_CALLED,
	ROLE_KEEPS,
	ROLE_MASK = 7,
	RETURNS = 8, /* beside any of them: it is what returns are made to jump to */
	CALLEE_SHIFT = 4,
	CALLS = 0x80,
};

struct machine {
	struct fake fake; /* first: the source's self is either */
	struct unwind_source source;
	uint8_t roles[FUNCTIONS];
	uint8_t code[FUNCTIONS * FUNCTION_BYTES];
	uint64_t kept_at;
};

/* Small numbers stand for addresses that matter, and for the numbers of interrupts and system
 * calls, which random words would never hit. Below the IRQ stack is its guard page. */
static uint64_t make_word(uint64_t word)
{
	uint64_t low = word & 0x3fff;
	switch (word >> 14 & 3) {
	case 0:
		return low >= 0x3f00 ? low - 0x4000 : low;
	case 1:
		return TEXT + low % (FUNCTIONS * FUNCTION_BYTES);
	case 2:
		return TASK + low;
	default:
		return IRQ - 0x1000 + low;
	}
}

static uint64_t function_start(unsigned n)
{
	return TEXT + n % FUNCTIONS * FUNCTION_BYTES;
}

/* ---- the answers that struct fake has but one of ---- */

static uint8_t role_byte(const struct machine *m, uint64_t pc)
{
	return pc - TEXT < FUNCTIONS * FUNCTION_BYTES ? m->roles[(pc - TEXT) / FUNCTION_BYTES] : 0;
}

static enum role role_of(const struct machine *m, uint64_t pc)
{
	return (enum role)(role_byte(m, pc) & ROLE_MASK);
}

static enum unwind_handler calls_handler(void *self, uint64_t pc)
{
	switch (role_of(self, pc)) {
	case ROLE_INTERRUPT:
		return HANDLER_INTERRUPT;
	case ROLE_EXCEPTION:
		return HANDLER_EXCEPTION;
	default:
		return HANDLER_NONE;
	}
}

static bool drops_user_rsp(void *self, uint64_t pc, uint64_t *ret_kept_at)
{
	const struct machine *m = self;
	*ret_kept_at = m->kept_at;
	return role_of(m, pc) == ROLE_SYSCALL;
}

static bool is_return(void *self, uint64_t function)
{
	return function % FUNCTION_BYTES == 0 && role_byte(self, function) & RETURNS;
}

static bool keeps_callee_saved(void *self, uint64_t pc)
{
	return role_of(self, pc) == ROLE_KEEPS;
}

static bool enters_guest(void *self, uint64_t pc, struct guest_entry *ret)
{
	uint64_t begins = pc - pc % FUNCTION_BYTES;
	switch (role_of(self, pc)) {
	case ROLE_ASSEMBLY:
		*ret = (struct guest_entry){ GUEST_ASSEMBLY, begins };
		return true;
	case ROLE_INLINE:
		*ret = (struct guest_entry){ GUEST_INLINE, begins };
		return true;
	case ROLE_CALLED:
		*ret = (struct guest_entry){ GUEST_CALLED, 0 };
		if (role_byte(self, pc) & CALLS)
			ret->function = function_start(role_byte(self, pc) >> CALLEE_SHIFT);
		return true;
	default:
		return false;
	}
}

/* ---- the machine ---- */

/* @bytes of a stack at @low, which ends with them. */
static uint64_t *lay_stack(struct fake *f, const uint8_t *bytes, size_t words, uint64_t low,
			   const char *name)
{
	uint64_t *stack = calloc(words + 1, 8);
	if (!stack)
		return NULL;
	for (size_t i = 0; i < words; i++)
		stack[i] = make_word(get_u16(bytes + 2 * i));
	fake_memory(f, low, stack, 8 * words);
	fake_stack(f, low, low + 8 * words, name);
	return stack;
}

/* A call of the function that its role names is the last thing that the function does. */
static void lay_call(struct machine *m, unsigned n)
{
	enum { CALL_BYTES = 5 };
	uint64_t after = function_start(n) + FUNCTION_BYTES;
	uint8_t *code = m->code + (n + 1) * FUNCTION_BYTES - CALL_BYTES;
	code[0] = 0xe8;
	put_u32(code + 1, (uint32_t)(function_start(m->roles[n] >> CALLEE_SHIFT) - after));
}

static void lay_code(struct machine *m, const uint8_t *data)
{
	memcpy(m->roles, data + ROLES_AT, FUNCTIONS);
	memcpy(m->code, data + CODE_AT, sizeof(m->code));
	for (unsigned i = 0; i < FUNCTIONS; i++) {
		struct orc_entry entry;
		fake_text(&m->fake, function_start(i), FUNCTION_BYTES);
		if (orc_decode(ORC_FORMAT_6_4, data + ORC_AT + i * ORC_RAW_BYTES, &entry))
			fake_orc(&m->fake, function_start(i), FUNCTION_BYTES, entry);
		if (m->roles[i] & CALLS)
			lay_call(m, i);
	}
	if (!(data[0] & FLAG_NO_CODE))
		fake_memory(&m->fake, TEXT, m->code, sizeof(m->code));
}

/* Frames of one stack go up, and no more stacks than there are follow each other. */
static void check_stacks(const struct frames *f)
{
	unsigned changes = 0;
	for (size_t i = 1; i < f->count; i++) {
		bool last_is_user = f->end == END_USER && i == f->count - 1;
		if (!last_is_user &&
		    f->list[i].regs.value[REG_RSP] <= f->list[i - 1].regs.value[REG_RSP])
			changes++;
	}
	REQUIRE(changes <= 1);
}

/* The user's rsp is not the one in pt_regs. */
static void check_user_rsp(const struct machine *m, const struct frame *frame)
{
	REQUIRE(frame->how == HOW_REGS);
	if (regs_known(&frame->regs, REG_RSP))
		REQUIRE(m->kept_at && frame->saved[REG_RSP] == m->kept_at);
}

/* What each kind of frame may know. */
static void check_registers(const struct machine *m, const struct frames *f)
{
	const uint32_t place = UINT32_C(1) << REG_RIP | UINT32_C(1) << REG_RSP;
	const uint32_t kept = UINT32_C(1) << REG_RBX | UINT32_C(1) << REG_R12 |
			      UINT32_C(1) << REG_R13 | UINT32_C(1) << REG_R14 |
			      UINT32_C(1) << REG_R15;
	for (size_t i = 1; i < f->count; i++) {
		const struct frame *frame = &f->list[i], *before = &f->list[i - 1];
		bool exact = i == 1 || before->interrupted;
		enum role role = role_of(m, before->regs.value[REG_RIP] - !exact);
		uint32_t known = frame->regs.known & ~place & ~(UINT32_C(1) << REG_RBP);
		struct orc_entry entry;
		if (role == ROLE_SYSCALL &&
		    !m->source.orc(m->source.self, before->regs.value[REG_RIP] - !exact, &entry))
			check_user_rsp(m, frame);
		REQUIRE(frame->how != HOW_FP || !known);
		REQUIRE(frame->how != HOW_ORC || !(known & ~kept));
		REQUIRE(frame->how != HOW_ORC || !known || role == ROLE_KEEPS);
		REQUIRE(frame->how != HOW_FOUND || !(known & ~frame->saved_known));
	}
}

static void unwind_machine(struct machine *m, const uint8_t *data, const uint64_t *words,
			   size_t count)
{
	struct regs first = { 0 };
	struct frames frames;
	enum frame_how how = data[0] & FLAG_FOUND    ? HOW_FOUND
			     : data[0] & FLAG_SWITCH ? HOW_SWITCH
						     : HOW_NOTE;
	m->source = fake_source(&m->fake);
	m->source.cfi = NULL;
	struct x86_asks asks = *(const struct x86_asks *)m->source.asks;
	asks.calls_handler = calls_handler;
	asks.drops_user_rsp = drops_user_rsp;
	asks.is_return = is_return;
	asks.keeps_callee_saved = keeps_callee_saved;
	asks.enters_guest = enters_guest;
	m->source.asks = &asks;
	for (unsigned i = 0; i < REG_COUNT && i < count; i++)
		if (!(get_u32(data + UNKNOWN_AT) >> i & 1))
			regs_set(&first, (enum reg)i, words[i]);
	if (!unwind_checked(&m->source, &first, how, !(data[0] & FLAG_CALLED), &frames))
		return;
	check_stacks(&frames);
	check_registers(m, &frames);
	frames_free(&frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine machine = { 0 };
	if (size < HEAD || size > HEAD + STACK_MAX)
		return 0;
	size_t words = (size - HEAD) / 4;
	lay_code(&machine, data);
	if (get_u16(data + KEPT_AT))
		machine.kept_at = make_word(get_u16(data + KEPT_AT));
	uint64_t *task = lay_stack(&machine.fake, data + HEAD, words, TASK, "task");
	uint64_t *irq = lay_stack(&machine.fake, data + HEAD + 2 * words, words, IRQ, "IRQ");
	if (task && irq)
		unwind_machine(&machine, data, task, words);
	free(task);
	free(irq);
	return 0;
}
