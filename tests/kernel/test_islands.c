// SPDX-License-Identifier: GPL-2.0-or-later
/* Tasks that neither the list of processes nor the PID table leads to, as in a dump whose filter
 * did not know the kernel: those that are there are found by what their relatives point to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/kernel/machine.h"

#define UNMAPPED "0xffffdead00000000"
#define NO_LIST	 "virt &task_struct(init_task).tasks: 0 0\n"
#define NO_PIDS	 "virt pid_hash: " UNMAPPED "\n"
#define ALL_IDLE "put rq at cpu0 + runqueues: curr = init_task\n"

static void assert_all_found(const char *extra)
{
	static const uint32_t tids[] = { 1, 2, 103, 110, IDLE_TID, IDLE_TID + 1 };
	enum { COUNT = sizeof(tids) / sizeof(*tids) };
	struct machine m;
	machine_open(&m, &(struct machine_plan){
				 .recipe = "seed.recipe",
				 .symbols = DEMO_VMLINUX,
				 .extra = extra,
			 });
	for (size_t i = 0; i < COUNT; i++)
		machine_task(&m, tids[i]);
	assert_int_equal(m.tasks.count, COUNT);
	assert_note(&m, "the list of processes is damaged");
	assert_note(&m, "tasks were found by their relatives alone");
	/* No head of a list was taken for a task. */
	assert_no_note(&m, "is left out");
	machine_close(&m);
}

/* From the boot CPU's idle task, whose children are all processes. */
static void found_by_children(void **state)
{
	(void)state;
	assert_all_found(NO_LIST NO_PIDS ALL_IDLE);
}

/* From the one task that a CPU runs: a thread, by its leader, that one's parent and its siblings.
 */
static void found_by_parents(void **state)
{
	(void)state;
	assert_all_found(NO_LIST NO_PIDS "virt &task_struct(init_task).children: " UNMAPPED
					 " " UNMAPPED "\n");
}

/* The list of processes leads from one that is found to the others, both ways. */
static void found_by_neighbours(void **state)
{
	(void)state;
	assert_all_found(NO_LIST NO_PIDS "virt &task_struct(init_task).children: 0 0\n"
					 "virt &task_struct(systemd_task).sibling: 0 0\n");
}

/* What does not point back is none: it was freed, or never was a task. */
static void not_found_by_one_side(void **state)
{
	(void)state;
	assert_all_found(NO_LIST NO_PIDS ALL_IDLE
			 "virt &task_struct(qemu_task).children: "
			 "(&task_struct(init_task).comm) (&task_struct(init_task).comm)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_by_children),
		cmocka_unit_test(found_by_parents),
		cmocka_unit_test(found_by_neighbours),
		cmocka_unit_test(not_found_by_one_side),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
