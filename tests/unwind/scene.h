/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scene of the unwinder's tests: two stacks, three functions; a test says the rest. */
#ifndef TESTS_UNWIND_SCENE_H
#define TESTS_UNWIND_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "arch/x86_64/base/regs.h"
#include "base/err.h"
#include "tests/unwind/fake.h"

#define TEXT  UINT64_C(0xffffffff81000000)
#define TASK  UINT64_C(0xffffc90000100000)
#define IRQ   UINT64_C(0xffffc90000200000)
#define FUN_A (TEXT + 0x100)
#define FUN_B (TEXT + 0x200)
#define FUN_C (TEXT + 0x300)

enum { WORDS = 512, STACK_BYTES = 8 * WORDS, PT_REGS_AT_TOP = WORDS - 21 };

struct scene {
	struct fake fake;
	struct regs first;
	unsigned char code[0x300];
	uint64_t task[WORDS], irq[WORDS];
	struct frames frames;
};

static const struct orc_entry orc_call_8 = { .type = ORC_CALL, .sp = ORC_SP, .sp_offset = 8 };
static const struct orc_entry orc_end = { .type = ORC_END };

/* Its functions have made their frames: all that they do is to leave. */
static inline void set_up(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	memset(s->code, 0xc9, sizeof(s->code));
	fake_memory(&s->fake, FUN_A, s->code, sizeof(s->code));
	fake_text(&s->fake, FUN_A, 0x100);
	fake_text(&s->fake, FUN_B, 0x100);
	fake_text(&s->fake, FUN_C, 0x100);
	fake_memory(&s->fake, TASK, s->task, STACK_BYTES);
	fake_memory(&s->fake, IRQ, s->irq, STACK_BYTES);
	fake_stack(&s->fake, TASK, TASK + STACK_BYTES, "task");
	fake_stack(&s->fake, IRQ, IRQ + STACK_BYTES, "IRQ");
	regs_set(&s->first, REG_RIP, FUN_A + 0x10);
	regs_set(&s->first, REG_RSP, TASK + 0x100);
	regs_set(&s->first, REG_RBP, 0);
}

static inline void run(struct scene *s, bool interrupted)
{
	struct unwind_source source = fake_source(&s->fake);
	assert_null(unwind(&source, &s->first, HOW_NOTE, interrupted, &s->frames));
}

static inline void assert_lost(struct scene *s, size_t count, const char *why)
{
	assert_int_equal(s->frames.end, END_LOST);
	assert_int_equal(s->frames.count, count);
	if (!strstr(s->frames.why, why))
		assert_string_equal(s->frames.why, why);
	frames_free(&s->frames);
}

static inline uint64_t rip_of(const struct scene *s, size_t i)
{
	return s->frames.list[i].regs.value[REG_RIP];
}

static inline uint64_t task_address(size_t word)
{
	return TASK + 8 * word;
}

/* A pt_regs of user mode in words from @at on. */
static inline void put_user_regs(uint64_t *words, size_t at)
{
	for (size_t i = 0; i < 21; i++)
		words[at + i] = 0x1000 + i;
	words[at + 17] = 0x33;
	words[at + 20] = 0x2b;
}

#endif
