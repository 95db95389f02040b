// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls that fill the CPU's return stack buffer, in code whose tables know nothing of them. */
#include "arch/x86_64/base/regs.h"
#include "tests/unwind/scene.h"

/* What __switch_to_asm of Linux 6.1 may have: a round of two calls, dropped at once. */
static const unsigned char dropped_each_round[] = {
	0x49, 0xc7, 0xc4, 0x10, 0x00, 0x00, 0x00, /* 00 mov $16,%r12 */
	0xe8, 0x01, 0x00, 0x00, 0x00,		  /* 07 call 0d */
	0xcc,					  /* 0c int3 */
	0xe8, 0x01, 0x00, 0x00, 0x00,		  /* 0d call 13 */
	0xcc,					  /* 12 int3 */
	0x48, 0x83, 0xc4, 0x10,			  /* 13 add $16,%rsp */
	0x49, 0xff, 0xcc,			  /* 17 dec %r12 */
	0x75, 0xeb,				  /* 1a jnz 07 */
	0x0f, 0xae, 0xe8,			  /* 1c lfence */
	0x41, 0x5f,				  /* 1f pop %r15 */
};

/* Of 5.10: all are dropped at the end. */
static const unsigned char dropped_at_the_end[] = {
	0x49, 0xc7, 0xc4, 0x10, 0x00, 0x00, 0x00, /* 00 mov $16,%r12 */
	0xe8, 0x07, 0x00, 0x00, 0x00,		  /* 07 call 13 */
	0xf3, 0x90,				  /* 0c pause */
	0x0f, 0xae, 0xe8,			  /* 0e lfence */
	0xeb, 0xf9,				  /* 11 jmp 0c */
	0xe8, 0x07, 0x00, 0x00, 0x00,		  /* 13 call 1f */
	0xf3, 0x90,				  /* 18 pause */
	0x0f, 0xae, 0xe8,			  /* 1a lfence */
	0xeb, 0xf9,				  /* 1d jmp 18 */
	0x49, 0xff, 0xcc,			  /* 1f dec %r12 */
	0x75, 0xe3,				  /* 22 jnz 07 */
	0x48, 0x81, 0xc4, 0x00, 0x01, 0x00, 0x00, /* 24 add $256,%rsp */
	0x41, 0x5f,				  /* 2b pop %r15 */
};

enum { FRAME = 7 /* words, with the return address */ };

/* The CPU stands at @at, behind @count calls, of which the last come first. */
static void stand(struct scene *s, const unsigned char *code, size_t len, uint64_t at,
		  const uint64_t *calls, unsigned count)
{
	set_up(s);
	memcpy(s->code, code, len);
	fake_orc(&s->fake, FUN_A, 0x100,
		 (struct orc_entry){ .type = ORC_CALL, .sp = ORC_SP, .sp_offset = 8 * FRAME });
	fake_orc(&s->fake, FUN_B, 0x100, orc_end);
	unsigned rsp = WORDS - 64;
	s->task[rsp - 1 + FRAME] = FUN_B + 0x10;
	for (unsigned i = 0; i < count; i++)
		s->task[--rsp] = FUN_A + calls[i];
	regs_set(&s->first, REG_RIP, FUN_A + at);
	regs_set(&s->first, REG_RSP, task_address(rsp));
	regs_set(&s->first, REG_R12, 5);
	run(s, true);
}

static void assert_left(struct scene *s)
{
	assert_true(s->frames.count >= 2);
	assert_int_equal(rip_of(s, 1), FUN_B + 0x10);
	assert_int_equal(s->frames.list[1].regs.value[REG_RSP], task_address(WORDS - 64 + FRAME));
	/* It stays where it stands. */
	assert_int_equal(s->frames.list[0].regs.value[REG_RSP], s->first.value[REG_RSP]);
	frames_free(&s->frames);
}

static void each_place_of_a_round(void **state)
{
	static const uint64_t calls[] = { 0x0c, 0x12 };
	static const struct {
		uint64_t at;
		unsigned calls;
	} places[] = { { 0x00, 0 }, { 0x07, 0 }, { 0x0d, 1 }, { 0x13, 2 },
		       { 0x17, 0 }, { 0x1a, 0 }, { 0x1c, 0 }, { 0x1f, 0 } };
	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct scene s;
		stand(&s, dropped_each_round, sizeof(dropped_each_round), places[i].at, calls,
		      places[i].calls);
		assert_left(&s);
	}
}

static void each_round(void **state)
{
	uint64_t calls[32];
	(void)state;
	for (unsigned count = 0; count <= 32; count++) {
		static const uint64_t at[] = { 0x07, 0x13 };
		struct scene s;
		for (unsigned i = 0; i < count; i++)
			calls[i] = i % 2 ? 0x18 : 0x0c;
		stand(&s, dropped_at_the_end, sizeof(dropped_at_the_end),
		      count == 32 ? 0x24 : at[count % 2], calls, count);
		assert_left(&s);
	}
}

/* Tables that are about another fill, of one call, have a word there before the first call. */
static void tables_of_another(void **state)
{
	static const uint64_t calls[] = { 0x0c, 0x12 };
	(void)state;
	for (uint64_t at = 0x07; at <= 0x13; at += 6) {
		struct scene s;
		stand(&s, dropped_each_round, sizeof(dropped_each_round), at, calls,
		      (unsigned)(at - 0x07) / 6);
		frames_free(&s.frames);
		s.fake.orc_count = 0;
		fake_orc(&s.fake, FUN_A + 0x06, 4,
			 (struct orc_entry){
				 .type = ORC_CALL, .sp = ORC_SP, .sp_offset = 8 * (FRAME + 1) });
		fake_orc(&s.fake, FUN_A + 0x0a, 0xf6,
			 (struct orc_entry){
				 .type = ORC_CALL, .sp = ORC_SP, .sp_offset = 8 * FRAME });
		fake_orc(&s.fake, FUN_B, 0x100, orc_end);
		run(&s, true);
		assert_left(&s);
	}
}

/* A word that looks like it, where the code is another: tables are right. */
static void no_fill(void **state)
{
	static const unsigned char code[] = {
		0xe8, 0x01, 0x00, 0x00, 0x00, /* 00 call 06 */
		0xcc,			      /* 05 */
		0x58,			      /* 06 pop %rax */
		0xc3,			      /* 07 ret */
	};
	static const uint64_t calls[] = { 0x05 };
	struct scene s;
	(void)state;
	stand(&s, code, sizeof(code), 0x06, calls, 1);
	assert_true(s.frames.count < 2 || rip_of(&s, 1) != FUN_B + 0x10);
	frames_free(&s.frames);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_place_of_a_round),
		cmocka_unit_test(each_round),
		cmocka_unit_test(tables_of_another),
		cmocka_unit_test(no_fill),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
