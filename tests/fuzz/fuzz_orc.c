// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as a table of ORC entries: its format guessed, each entry decoded in every format, and
 * carried out on a stack of known words. What comes of that is compared with what the kernel's own
 * unwinder would make of the entry.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "arch/x86_64/unwind/steps.h"
#include "base/bytes.h"
#include "base/err.h"
#include "tests/fuzz/unknown.h"
#include "tests/unwind/fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT  UINT64_C(0xffffffff81000000)
#define STACK UINT64_C(0xffffc90000100000)

enum { WORDS = 256, CARRIED_OUT_MAX = 16, RSP_WORD = 100, RBP_WORD = 140 };

/* What the rest of the unwinder takes for granted of a decoded entry. */
static void check_decoded(const struct orc_entry *e)
{
	REQUIRE(e->type <= ORC_REGS_PARTIAL);
	REQUIRE(e->sp <= ORC_SP_INDIRECT && e->bp <= ORC_SP_INDIRECT);
}

/* Any address in the stack holds a word of which no other is a copy. */
static uint64_t word_at(uint64_t n)
{
	return n % 3 == 1 ? STACK + 8 * (n * 37 % WORDS) : UINT64_C(0x5000000000000000) + n;
}

static bool read_word(const uint64_t *words, uint64_t address, uint64_t *ret)
{
	uint64_t at = address - STACK;
	if (address < STACK || at > 8 * WORDS - 8)
		return false;
	memcpy(ret, (const unsigned char *)words + at, 8);
	return true;
}

/* ---- what an entry means, in the kernel's words (arch/x86/kernel/unwind_orc.c) ---- */

static bool expect_sp(const struct orc_entry *e, const struct regs *r, const uint64_t *words,
		      uint64_t *ret)
{
	static const enum reg bases[] = {
		[ORC_AX] = REG_RAX,  [ORC_DX] = REG_RDX,	  [ORC_DI] = REG_RDI,
		[ORC_BP] = REG_RBP,  [ORC_SP] = REG_RSP,	  [ORC_R10] = REG_R10,
		[ORC_R13] = REG_R13, [ORC_BP_INDIRECT] = REG_RBP, [ORC_SP_INDIRECT] = REG_RSP,
	};
	if (e->sp == ORC_UNDEFINED || e->sp == ORC_PREV_SP || !regs_known(r, bases[e->sp]))
		return false;
	uint64_t sp = r->value[bases[e->sp]];
	if (e->sp == ORC_SP_INDIRECT) {
		if (!read_word(words, sp, &sp))
			return false;
		sp += (uint64_t)e->sp_offset;
	} else {
		sp += (uint64_t)e->sp_offset;
		if (e->sp == ORC_BP_INDIRECT && !read_word(words, sp, &sp))
			return false;
	}
	*ret = sp;
	return true;
}

/* Registers from words of memory, from @address on. */
static bool expect_words(const uint64_t *words, uint64_t address, const enum reg *list,
			 unsigned count, struct regs *ret)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t value;
		if (!read_word(words, address + 8 * (uint64_t)i, &value))
			return false;
		regs_set(ret, list[i], value);
	}
	return true;
}

static bool expect_caller(const struct orc_entry *e, const struct regs *r, const uint64_t *words,
			  struct regs *ret)
{
	static const enum reg rip[] = { REG_RIP }, rbp[] = { REG_RBP };
	static const enum reg iret[] = { REG_RIP, REG_CS, REG_EFLAGS, REG_RSP, REG_SS };
	struct regs caller = { 0 };
	uint64_t sp;
	bool ok = e->type != ORC_NOTHING && expect_sp(e, r, words, &sp);
	if (ok && e->type == ORC_CALL) {
		ok = expect_words(words, sp - 8, rip, 1, &caller);
		regs_set(&caller, REG_RSP, sp);
	}
	if (ok && e->type == ORC_REGS)
		ok = expect_words(words, sp, pt_regs_order, PT_REGS_WORDS, &caller);
	if (ok && e->type == ORC_REGS_PARTIAL)
		ok = expect_words(words, sp, iret, 5, &caller);
	if (ok && e->bp == ORC_PREV_SP)
		ok = expect_words(words, sp + (uint64_t)e->bp_offset, rbp, 1, &caller);
	else if (ok && e->bp == ORC_BP)
		ok = regs_known(r, REG_RBP) &&
		     expect_words(words, r->value[REG_RBP] + (uint64_t)e->bp_offset, rbp, 1,
				  &caller);
	else if (ok && e->bp != ORC_UNDEFINED)
		ok = false;
	else if (ok && e->type != ORC_REGS && regs_known(r, REG_RBP))
		regs_set(&caller, REG_RBP, r->value[REG_RBP]);
	if (ok)
		*ret = caller;
	return ok;
}

/* ---- what we make of it ---- */

static void compare(const struct orc_entry *entry, const struct unwind_source *source,
		    const uint64_t *words, uint32_t unknown)
{
	struct frame frame = { .how = HOW_NOTE }, caller = { 0 };
	struct regs expected;
	for (unsigned n = 0; n <= REG_RIP; n++)
		if (!(unknown >> n & 1))
			regs_set(&frame.regs, (enum reg)n, STACK + 24 * (uint64_t)n);
	regs_set(&frame.regs, REG_RIP, TEXT);
	regs_set(&frame.regs, REG_RSP, STACK + 8 * RSP_WORD);
	if (!(unknown >> REG_RBP & 1))
		regs_set(&frame.regs, REG_RBP, STACK + 8 * RBP_WORD);
	put_garbage(&frame.regs, GARBAGE_PLAUSIBLE);
	struct walk w = { .source = source, .frame = &frame, .pc = TEXT, .why = BUF_INIT };
	enum step step = orc_step(&w, entry, &caller);
	buf_free(&w.why);
	REQUIRE((step == STEP_BOTTOM) == (entry->type == ORC_END));
	if (step == STEP_BOTTOM)
		return;
	REQUIRE((step == STEP_CALLER) == expect_caller(entry, &frame.regs, words, &expected));
	if (step != STEP_CALLER)
		return;
	REQUIRE(caller.regs.known == expected.known && caller.interrupted == entry->signal);
	for (unsigned n = 0; n < REG_COUNT; n++)
		REQUIRE(!regs_known(&expected, (enum reg)n) ||
			caller.regs.value[n] == pt_regs_value((enum reg)n, expected.value[n]));
}

static void carry_out(const struct orc_entry *entry)
{
	static const uint32_t unknown[] = { 0, UINT32_C(1) << REG_RBP, UINT32_MAX };
	uint64_t words[WORDS];
	struct fake fake = { 0 };
	for (size_t i = 0; i < WORDS; i++)
		words[i] = word_at(i);
	fake_memory(&fake, STACK, words, sizeof(words));
	struct unwind_source source = fake_source(&fake);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		compare(entry, &source, words, unknown[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t count = size / ORC_RAW_BYTES;
	enum orc_format format;
	if (size >= ORC_HEADER_BYTES)
		(void)orc_format_of_header(data, &format);
	if (orc_format_guess(data, count, &format))
		REQUIRE(format <= ORC_FORMAT_7_1);
	for (size_t i = 0; i < count; i++) {
		for (format = ORC_FORMAT_4_14; format <= ORC_FORMAT_7_1; format++) {
			struct orc_entry e;
			if (!orc_decode(format, data + i * ORC_RAW_BYTES, &e))
				continue;
			check_decoded(&e);
			if (i < CARRIED_OUT_MAX)
				carry_out(&e);
		}
	}
	return 0;
}
