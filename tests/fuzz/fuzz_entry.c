// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any code that enters a guest, and any stack: the first byte says what kind of code it is, the
 * second where it was stopped, the third at which word of the stack; then come the code's bytes,
 * those of its caller, and words of the stack, of which small ones stand for addresses.
 */
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/unwind/pt_regs.h"
#include "base/bytes.h"
#include "tests/fuzz/unknown.h"
#include "tests/unwind/fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ENTRY  UINT64_C(0xffffffff81000000)
#define CALLER (ENTRY + CODE_BYTES)
#define STACK  UINT64_C(0xffffc90000100000)

enum { CODE_BYTES = 256, HEAD = 3 + 2 * CODE_BYTES, WORDS_MAX = 64 };

static uint64_t make_word(uint16_t word)
{
	switch (word >> 14) {
	case 1:
		return ENTRY + word % (2 * CODE_BYTES);
	case 2:
		return STACK + word % (8 * WORDS_MAX);
	default:
		return word;
	}
}

/* Every register that is known was read from where the frame says, and the stack goes up. */
static void check(const struct frames *f, const uint64_t *stack, size_t words)
{
	for (size_t i = 1; i < f->count; i++) {
		const struct frame *frame = &f->list[i];
		bool is_user = f->end == END_USER && i == f->count - 1;
		REQUIRE(is_user || frame->regs.value[REG_RSP] > f->list[i - 1].regs.value[REG_RSP]);
		for (unsigned n = 0; n < REG_COUNT; n++) {
			uint64_t at = frame->saved[n] - STACK;
			if (!(frame->saved_known >> n & 1))
				continue;
			REQUIRE(at % 8 == 0 && at / 8 < words);
			REQUIRE(pt_regs_value((enum reg)n, stack[at / 8]) == frame->regs.value[n]);
		}
		/* None of the guest's came through. */
		REQUIRE(i != 1 || is_user || !regs_known(&frame->regs, REG_RBX) ||
			frame->saved_known >> REG_RBX & 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake fake = { .enters_start = ENTRY, .enters_end = ENTRY + CODE_BYTES };
	uint64_t stack[WORDS_MAX] = { 0 };
	struct regs first = { 0 };
	struct frames frames;
	if (size < HEAD || (size - HEAD) / 2 > WORDS_MAX)
		return 0;
	size_t words = (size - HEAD) / 2;
	fake.entry.code = (enum guest_code)(data[0] % 3);
	for (size_t i = 0; i < words; i++)
		stack[i] = make_word(get_u16(data + HEAD + 2 * i));
	fake_memory(&fake, ENTRY, data + 3, 2 * (size_t)CODE_BYTES);
	fake_memory(&fake, STACK, stack, 8 * words);
	fake_text(&fake, ENTRY, CODE_BYTES);
	fake_text(&fake, CALLER, CODE_BYTES);
	fake_stack(&fake, STACK, STACK + 8 * words, "task");
	regs_set(&first, REG_RIP, ENTRY + data[1]);
	regs_set(&first, REG_RSP, STACK + 8 * (uint64_t)(data[2] % WORDS_MAX) + (data[2] >> 7));
	regs_set(&first, REG_RBX, 0xbad);
	struct unwind_source source = fake_source(&fake);
	source.cfi = NULL;
	/* An interrupted note's rbx is the guest's, and must not come through. */
	if (unwind_checked(&source, &first, data[0] & 4 ? HOW_NOTE : HOW_FOUND, true, &frames)) {
		check(&frames, stack, words);
		frames_free(&frames);
	}
	return 0;
}
