// SPDX-License-Identifier: GPL-2.0-or-later
/* Which frames are contexts of their own: frames as the unwinder finds them, in short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "arch/x86_64/base/regs.h"
#include "unwind/unwind.h"
#include "vmcore/code/context_places.h"

#define TEXT UINT64_C(0xffffffff81000000)
#define TASK UINT64_C(0xffffc90000010000) /* two stacks */
#define IRQ  UINT64_C(0xffffc90000000000)
#define USER UINT64_C(0x7ffc00000000)

static struct frame frame(enum frame_how how, uint64_t rip, uint64_t rsp)
{
	struct frame f = { .regs.arch = &x86_64_regs, .how = how };
	regs_set(&f.regs, REG_RIP, rip);
	regs_set(&f.regs, REG_RSP, rsp);
	return f;
}

static void expect(struct frame *list, size_t count, const struct context_place *expected,
		   size_t expected_count)
{
	struct context_place places[CONTEXT_PLACES_MAX];
	struct frames f = { .list = list, .count = count };
	assert_int_equal(context_places_find(&f, places), expected_count);
	for (size_t i = 0; i < expected_count; i++) {
		assert_int_equal(places[i].frame, expected[i].frame);
		assert_int_equal(places[i].by, expected[i].by);
		assert_int_equal(places[i].called, expected[i].called);
	}
}

#define COUNT(A) (sizeof(A) / sizeof((A)[0]))

static void interrupt_of_the_kernel(void **state)
{
	(void)state;
	struct frame list[] = {
		frame(HOW_NOTE, TEXT + 1, IRQ + 0x3f00),  /* stop_this_cpu */
		frame(HOW_ORC, TEXT + 2, IRQ + 0x3ff0),	  /* __sysvec_reboot */
		frame(HOW_ORC, TEXT + 3, TASK + 0x3000),  /* sysvec_reboot */
		frame(HOW_ORC, TEXT + 4, TASK + 0x3020),  /* asm_sysvec_reboot */
		frame(HOW_REGS, TEXT + 5, TASK + 0x3100), /* what was interrupted */
		frame(HOW_ORC, TEXT + 6, TASK + 0x3200),
		frame(HOW_REGS, USER, USER + 0x1000), /* a system call's */
	};
	const struct context_place expected[] = { { 4, 2, false } };
	expect(list, COUNT(list), expected, 1);
	/* An exception on the same stack; its assembly alone. */
	expect(list + 3, 4, (const struct context_place[]){ { 1, 0, false } }, 1);
	/* The first frame may hold a pt_regs: nothing is above it. */
	expect(list + 4, 3, NULL, 0);
	expect(list, 0, NULL, 0);
}

static void interrupt_of_user_mode(void **state)
{
	(void)state;
	struct frame list[] = {
		frame(HOW_NOTE, TEXT + 1, IRQ + 0x3f00),
		frame(HOW_ORC, TEXT + 2, TASK + 0x3fa0),
		frame(HOW_ORC, TEXT + 3, TASK + 0x3fb0),
		frame(HOW_REGS, USER, USER + 0x1000),
	};
	expect(list, COUNT(list), (const struct context_place[]){ { 3, 1, false } }, 1);
	/* cs says so where the address could be anybody's. */
	regs_set(&list[3].regs, REG_RIP, TEXT);
	regs_set(&list[3].regs, REG_CS, 0x33);
	expect(list + 1, 3, NULL, 0);
	regs_set(&list[3].regs, REG_CS, 0x10);
	expect(list + 1, 3, (const struct context_place[]){ { 2, 0, false } }, 1);
}

static void softirq_on_its_own_stack(void **state)
{
	(void)state;
	struct frame list[] = {
		frame(HOW_NOTE, TEXT + 1, IRQ + 0x3f00),
		frame(HOW_ORC, TEXT + 2, IRQ + 0x3ff0),	 /* __do_softirq */
		frame(HOW_ORC, TEXT + 3, TASK + 0x3000), /* do_softirq */
		frame(HOW_ORC, TEXT + 4, TASK + 0x3020),
		frame(HOW_ORC, TEXT + 5, TASK + 0x3030),
		frame(HOW_CFI, USER, USER + 0x1000), /* a caller in user mode is no change */
	};
	expect(list, COUNT(list), (const struct context_place[]){ { 2, 1, true } }, 1);
}

/* Damaged stacks can seem to nest without end. */
static void no_end(void **state)
{
	(void)state;
	struct frame list[100];
	struct context_place places[CONTEXT_PLACES_MAX];
	for (size_t i = 0; i < COUNT(list); i++)
		list[i] = frame(HOW_REGS, TEXT, TASK + i);
	struct frames f = { .list = list, .count = COUNT(list) };
	assert_int_equal(context_places_find(&f, places), CONTEXT_PLACES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interrupt_of_the_kernel),
		cmocka_unit_test(interrupt_of_user_mode),
		cmocka_unit_test(softirq_on_its_own_stack),
		cmocka_unit_test(no_end),
	};
	return cmocka_run_group_tests_name("context_places", tests, NULL, NULL);
}
