// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as a machine: which code has which ORC entry, then the words of two stacks. The first
 * registers are the first words of all.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/err.h"
#include "tests/unwind/fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT UINT64_C(0xffffffff81000000)
#define TASK UINT64_C(0xffffc90000100000)
#define IRQ  UINT64_C(0xffffc90000200000)

enum { FUNCTIONS = 8, FUNCTION_BYTES = 0x20, HEAD = FUNCTIONS * ORC_RAW_BYTES, STACK_MAX = 16384 };

/* Small numbers stand for addresses that matter, which random words would never hit. */
static uint64_t make_word(uint64_t word)
{
	uint64_t low = word & 0x3fff;
	switch (word >> 14 & 3) {
	case 1:
		return TEXT + low % (FUNCTIONS * FUNCTION_BYTES);
	case 2:
		return TASK + low;
	case 3:
		return IRQ + low;
	}
	return word;
}

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

static void lay_code(struct fake *f, const uint8_t *data)
{
	for (unsigned i = 0; i < FUNCTIONS; i++) {
		struct orc_entry entry;
		uint64_t start = TEXT + i * FUNCTION_BYTES;
		fake_text(f, start, FUNCTION_BYTES);
		if (orc_decode(ORC_FORMAT_6_4, data + i * ORC_RAW_BYTES, &entry))
			fake_orc(f, start, FUNCTION_BYTES, entry);
	}
	f->keeps_start = TEXT;
	f->keeps_end = TEXT + FUNCTION_BYTES;
}

/* Frames of one stack go up, and no more stacks than there are follow each other. */
static void check(const struct frames *f)
{
	unsigned changes = 0;
	if (!f->count || f->count > UNWIND_DEPTH_MAX || (f->end == END_LOST) != (f->why != NULL))
		abort();
	for (size_t i = 1; i < f->count; i++) {
		bool last_is_user = f->end == END_USER && i == f->count - 1;
		if (!last_is_user &&
		    f->list[i].regs.value[REG_RSP] <= f->list[i - 1].regs.value[REG_RSP])
			changes++;
	}
	if (changes > 1)
		abort();
}

static void unwind_machine(struct fake *f, const uint64_t *words, size_t count)
{
	struct unwind_source source = fake_source(f);
	struct regs first = { 0 };
	struct frames frames;
	for (unsigned i = 0; i <= REG_RIP && i < count; i++)
		regs_set(&first, (enum reg)i, words[i]);
	struct err *e = unwind(&source, &first, HOW_NOTE, true, &frames);
	if (e) {
		err_free(e);
		return;
	}
	check(&frames);
	frames_free(&frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake fake = { 0 };
	if (size < HEAD || size > HEAD + STACK_MAX)
		return 0;
	size_t words = (size - HEAD) / 4;
	lay_code(&fake, data);
	uint64_t *task = lay_stack(&fake, data + HEAD, words, TASK, "task");
	uint64_t *irq = lay_stack(&fake, data + HEAD + 2 * words, words, IRQ, "IRQ");
	if (task && irq)
		unwind_machine(&fake, task, words);
	free(task);
	free(irq);
	return 0;
}
