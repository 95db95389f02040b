// SPDX-License-Identifier: GPL-2.0-or-later
/* Lists of tasks and CPUs that do not hold together: what is left is shown, and why not more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/kernel/machine.h"
#include "vmcore/kernel/tasks/current_task.h"

#define UNMAPPED "0xffffdead00000000"

static void open_demo(struct machine *m, const char *extra)
{
	machine_open(m, &(struct machine_plan){
				.recipe = "seed.recipe",
				.symbols = DEMO_VMLINUX,
				.extra = extra,
			});
}

static void assert_tids(const struct machine *m, const uint32_t *tids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		machine_task(m, tids[i]);
	assert_int_equal(m->tasks.count, count);
}

static const uint32_t all[] = { 1, 2, 103, 110, IDLE_TID, IDLE_TID + 1 };
enum { ALL = sizeof(all) / sizeof(*all) };

/* ---- lists ---- */

/* What one direction loses, the other has. */
static void list_of_processes_broken_forwards(void **state)
{
	(void)state;
	static const char *const breaks[] = {
		"virt &task_struct(systemd_task).tasks: " UNMAPPED "\n",
		"virt &task_struct(systemd_task).tasks: (&task_struct(systemd_task).tasks)\n",
		"virt &task_struct(kthreadd_task).tasks: (&task_struct(systemd_task).tasks)\n",
		"virt &task_struct(init_task).tasks: 0\n",
	};
	for (size_t i = 0; i < sizeof(breaks) / sizeof(*breaks); i++) {
		struct machine m;
		open_demo(&m, breaks[i]);
		assert_tids(&m, all, ALL);
		assert_note(&m, "the list of processes is damaged");
		assert_no_note(&m, "in the PID table and not in the task lists");
		machine_close(&m);
	}
}

static void list_of_processes_gone(void **state)
{
	(void)state;
	struct machine m;
	open_demo(&m, "virt &task_struct(init_task).tasks: 0 0\n");
	assert_tids(&m, all, ALL);
	assert_note(&m, "the list of processes is damaged");
	assert_note(&m, "4 tasks are in the PID table and not in the task lists");
	machine_close(&m);
}

static void list_of_threads_gone(void **state)
{
	(void)state;
	struct machine m;
	/* Another thread runs, so that the vCPU's is not found as what a CPU runs. */
	open_demo(&m, "virt &signal_struct(qemu_signal).thread_head: " UNMAPPED " 8\n"
		      "put rq at cpu0 + runqueues: curr = init_task\n");
	assert_tids(&m, all, ALL);
	assert_note(&m, "the list of threads of the process at 0xffff88017a2b0000 is damaged");
	assert_note(&m, "1 tasks are in the PID table and not in the task lists");
	machine_close(&m);
}

static void list_of_threads_with_a_loop(void **state)
{
	(void)state;
	static const char *const loops[] = {
		"virt &task_struct(qemu_task).thread_node: (&task_struct(qemu_task).thread_node)\n",
		"virt &task_struct(vcpu_task).thread_node: (&task_struct(qemu_task).thread_node)\n",
		"virt &task_struct(vcpu_task).thread_node: (&task_struct(vcpu_task).thread_node)\n",
	};
	for (size_t i = 0; i < sizeof(loops) / sizeof(*loops); i++) {
		struct machine m;
		open_demo(&m, loops[i]);
		assert_tids(&m, all, ALL);
		assert_note(&m, "the list of threads of the process at 0xffff88017a2b0000");
		machine_close(&m);
	}
}

static void pid_table_gone(void **state)
{
	(void)state;
	static const char *const breaks[] = {
		"virt pid_hash: " UNMAPPED "\n",
		"virt pidhash_shift: u32 63\n",
		"virt demo_pid_hash: fill 0x41 128\n",
		"put pid at vcpu_pid: tasks[0].first = " UNMAPPED "\n",
	};
	for (size_t i = 0; i < sizeof(breaks) / sizeof(*breaks); i++) {
		struct machine m;
		open_demo(&m, breaks[i]);
		assert_tids(&m, all, ALL);
		machine_close(&m);
	}
}

/* A chain that bites its tail must not cost the chains behind it. */
static void pid_table_with_loops(void **state)
{
	(void)state;
	struct machine m;
	open_demo(&m, "virt &task_struct(init_task).tasks: 0 0\n"
		      "put rq at cpu0 + runqueues: curr = init_task\n"
		      "virt &pid(systemd_pid).numbers[0].pid_chain:"
		      " (&pid(systemd_pid).numbers[0].pid_chain)\n"
		      "virt &pid(kthreadd_pid).numbers[0].pid_chain:"
		      " (&pid(kthreadd_pid).numbers[0].pid_chain)\n"
		      "virt &pid(qemu_pid).numbers[0].pid_chain:"
		      " (&pid(qemu_pid).numbers[0].pid_chain)\n"
		      "virt &pid(vcpu_pid).numbers[0].pid_chain:"
		      " (&pid(vcpu_pid).numbers[0].pid_chain)\n");
	assert_tids(&m, all, ALL);
	machine_close(&m);
}

/* Of a second namespace: its PIDs are other numbers, and none of them names a task here. */
static void pids_of_another_namespace(void **state)
{
	(void)state;
	struct machine m;
	open_demo(&m, "virt &task_struct(init_task).tasks: 0 0\n"
		      "put pid at qemu_pid: numbers[0].ns = init_pid_ns + 8\n");
	assert_note(&m, "3 tasks are in the PID table and not in the task lists");
	machine_close(&m);
}

/* Thousands of broken lists are told of a few times. */
static void notes_are_bounded(void **state)
{
	(void)state;
	struct machine m;
	size_t lines = 0;
	open_demo(&m, "");
	for (int i = 0; i < 10000; i++)
		kernel_note(m.kernel, "number %d", i);
	for (const char *at = kernel_notes(m.kernel); *at; at++)
		lines += *at == '\n';
	assert_in_range(lines, 10, 200);
	assert_note(&m, "number 0\n");
	assert_note(&m, "more could be said");
	machine_close(&m);
}

/* ---- tasks ---- */

static void duplicate_pid(void **state)
{
	(void)state;
	struct machine m;
	open_demo(&m, "put task_struct at kthreadd_task: pid = 1\n");
	assert_string_equal(machine_task(&m, 1)->comm, "systemd");
	assert_int_equal(m.tasks.count, ALL - 1);
	assert_note(&m,
		    "the task at 0xffff88017c8e1000 is left out: another task has the same PID");
	machine_close(&m);
}

static void senseless_pid(void **state)
{
	(void)state;
	static const char *const pids[] = { "0", "4194305", "-5" };
	for (size_t i = 0; i < sizeof(pids) / sizeof(*pids); i++) {
		struct machine m;
		char extra[128];
		snprintf(extra, sizeof(extra), "put task_struct at kthreadd_task: pid = %s\n",
			 pids[i]);
		open_demo(&m, extra);
		assert_null(tasks_find(&m.tasks, 2));
		/* Its neighbours in the list are there. */
		assert_int_equal(m.tasks.count, ALL - 1);
		assert_note(&m, "0xffff88017c8e1000 is left out: its PID makes no sense");
		assert_no_note(&m, "damaged");
		machine_close(&m);
	}
}

static void task_filtered_or_missing(void **state)
{
	(void)state;
	static const char *const ways[] = { "exclude kthreadd_task 4k\n",
					    "absent kthreadd_task 4k\n" };
	static const char *const notes[] = {
		"0xffff88017c8e1000 is left out: its memory was filtered out of the dump",
		"0xffff88017c8e1000 is left out: it cannot be read",
	};
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct machine m;
		open_demo(&m, ways[i]);
		assert_null(tasks_find(&m.tasks, 2));
		assert_int_equal(m.tasks.count, ALL - 1);
		assert_note(&m, notes[i]);
		assert_note(&m, "the list of processes is damaged");
		machine_close(&m);
	}
}

/* Sixteen bytes of which none ends the string, and which are no UTF-8. */
static void name_without_an_end(void **state)
{
	(void)state;
	struct machine m;
	open_demo(&m,
		  "virt &task_struct(kthreadd_task).comm: \"\\xff\\xfe\\xc3(0123456789abcdef\"\n");
	assert_string_equal(machine_task(&m, 2)->comm, "\xff\xfe\xc3(0123456789ab");
	machine_close(&m);
}

/* ---- CPUs ---- */

static void runqueue_cannot_be_read(void **state)
{
	(void)state;
	struct machine m;
	open_demo(&m, "exclude cpu1+0x4000 4k\n");
	assert_int_equal(m.cpus.count, 2);
	assert_int_equal(m.cpus.list[1].curr, 0);
	assert_note(&m, "CPU 1: its runqueue at 0xffff88043ec44080 cannot be read");
	assert_null(tasks_find(&m.tasks, IDLE_TID + 1));
	assert_int_equal(machine_regs(&m, 110)->from, REGS_NOTE);
	machine_close(&m);
}

static void runqueue_of_garbage(void **state)
{
	(void)state;
	struct machine m;
	/* The CPU's own word is left. */
	open_demo(&m, "put rq at cpu0 + runqueues: curr = 0x4141414141414141\n");
	assert_true(machine_task(&m, 110)->on_cpu);
	machine_close(&m);
	open_demo(&m, "put rq at cpu0 + runqueues: curr = 0x4141414141414141\n"
		      "virt cpu0 + current_task: 0x4242424242424242\n");
	assert_false(machine_task(&m, 110)->on_cpu);
	assert_int_equal(machine_current(&m)->tid, IDLE_TID + 1);
	machine_close(&m);
}

/* Bits behind the mask are other variables, and no CPUs. */
static void garbage_for_nr_cpu_ids(void **state)
{
	(void)state;
	static const char *const values[] = { "0", "0xffffffff", "8192", "100" };
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		struct machine m;
		char extra[64];
		snprintf(extra, sizeof(extra), "virt nr_cpu_ids: u32 %s\n", values[i]);
		open_demo(&m, extra);
		assert_int_equal(m.cpus.count, 2);
		assert_tids(&m, all, ALL);
		machine_close(&m);
	}
}

static void offsets_cannot_be_read(void **state)
{
	(void)state;
	static const uint32_t rest[] = { 1, 2, 103, 110 };
	struct machine m;
	open_demo(&m, "exclude __per_cpu_offset 4k\n");
	assert_int_equal(m.cpus.count, 0);
	assert_note(&m, "CPU 0: its per-CPU offset cannot be read");
	assert_tids(&m, rest, 4);
	assert_false(m.tasks.panicked);
	machine_close(&m);
}

static void masks_cannot_be_read(void **state)
{
	(void)state;
	struct machine m;
	open_demo(&m, "virt cpu_possible_mask: " UNMAPPED "\nvirt cpu_online_mask: 8\n");
	assert_int_equal(m.cpus.count, 1);
	assert_true(m.cpus.list[0].online);
	assert_note(&m, "the mask of possible CPUs cannot be read: CPU 0 alone is shown");
	machine_close(&m);
}

static void cpu_offline(void **state)
{
	(void)state;
	struct machine m;
	open_demo(&m, "virt cpu_online_bits: 1\n");
	assert_int_equal(m.cpus.count, 2);
	assert_true(m.cpus.list[0].online);
	assert_false(m.cpus.list[1].online);
	machine_close(&m);
}

/* Its current_task is still what the image has. */
static void cpu_never_started(void **state)
{
	(void)state;
	static const char image[] = "virt cpu1 + current_task: init_task\n";
	struct machine m;
	char extra[128];
	snprintf(extra, sizeof(extra), "virt cpu_online_bits: 1\n%s", image);
	open_demo(&m, extra);
	assert_true(m.cpus.list[1].unstarted);
	assert_false(m.cpus.list[0].unstarted);
	assert_false(machine_task(&m, IDLE_TID + 1)->on_cpu);
	assert_unknown(&m, IDLE_TID + 1, "CPU 1 was never started");
	assert_int_equal(machine_regs(&m, 110)->from, REGS_NOTE);
	machine_close(&m);
	/* One that is online is in the middle of something. */
	open_demo(&m, image);
	assert_false(m.cpus.list[1].unstarted);
	machine_close(&m);
	/* One that was taken offline has run. */
	open_demo(&m, "virt cpu_online_bits: 1\n");
	assert_false(m.cpus.list[1].unstarted);
	assert_true(machine_task(&m, IDLE_TID + 1)->on_cpu);
	machine_close(&m);
}

/* Without a CPU that says it went down, the lowest that does something. */
static void nobody_panicked(void **state)
{
	(void)state;
	static const struct {
		const char *extra;
		uint32_t current;
		bool panicked;
	} cases[] = {
		{ "virt crashing_cpu: u32 -1\n", 110, false },
		{ "virt crashing_cpu: u32 77\n", 110, false },
		{ "virt crashing_cpu: u32 1\n", IDLE_TID + 1, true },
		{ "virt crashing_cpu: u32 -1\nput rq at cpu0 + runqueues: curr = init_task\n"
		  "virt cpu0 + current_task: init_task\n"
		  "put rq at cpu1 + runqueues: curr = qemu_task\n"
		  "virt cpu1 + current_task: qemu_task\n",
		  103, false },
		{ "virt crashing_cpu: u32 -1\nput rq at cpu0 + runqueues: curr = init_task\n"
		  "virt cpu0 + current_task: init_task\n",
		  IDLE_TID, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct machine m;
		open_demo(&m, cases[i].extra);
		assert_int_equal(machine_current(&m)->tid, cases[i].current);
		assert_int_equal(m.tasks.panicked, cases[i].panicked);
		machine_close(&m);
	}
}

/* Small tables: whose place is known, and who is chosen then. */
struct scene {
	const char *known; /* a letter each, by index */
};

static struct err *known_in_scene(void *closure, const struct task *task, bool *ret)
{
	const struct scene *scene = closure;
	*ret = strchr(scene->known, task->comm[0]) != NULL;
	return NULL;
}

/* a, b and c sleep, or run on a CPU; i and j are the idle tasks of CPUs 0 and 1. */
static void one_rule_chooses_the_current_task(void **state)
{
	(void)state;
	static const struct {
		const char *curr;     /* what CPUs 0 and 1 run */
		const char *panicked; /* NULL: nobody */
		const char *known;
		char wanted, chosen;
	} cases[] = {
		{ "bi", "b", "abcij", 'b', 'b' },
		{ "bc", "c", "abcij", 'c', 'c' },
		{ "ij", "j", "abcij", 'j', 'j' },  /* an idle CPU panicked */
		{ "ba", NULL, "abcij", 'b', 'b' }, /* CPUs in order, not tasks */
		{ "ib", NULL, "abcij", 'b', 'b' }, /* who does something first */
		{ "ij", NULL, "abcij", 'i', 'i' },
		/* The place of who is wanted is not known: the next in the same order. */
		{ "cb", "b", "acij", 'b', 'c' },
		{ "cb", NULL, "abij", 'c', 'b' },
		{ "cj", NULL, "abij", 'c', 'j' },
		{ "bc", NULL, "aij", 'b',
		  'a' }, /* one that sleeps, not an idle one that does not run */
		{ "bc", NULL, "ij", 'b', 'i' },
		{ "ij", NULL, "bc", 'i', 'b' },
		{ "bc", "c", "", 'c', 'c' }, /* none is anywhere */
		/* No CPU's task is in the list. */
		{ "xy", NULL, "abcij", 'a', 'a' },
		{ "xy", NULL, "ij", 'a', 'i' },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		static const char names[] = "abcij";
		struct task list[5] = { 0 };
		struct tasks tasks = { .list = list, .count = 5, .by_address = MAP_INIT };
		struct cpu cpu[2] = { { .number = 0 }, { .number = 1 } };
		const struct cpus cpus = { cpu, 2 };
		struct scene scene = { cases[i].known };
		const struct task_place place = { known_in_scene, &scene };
		size_t wanted, chosen;
		for (size_t n = 0; n < 5; n++) {
			list[n].comm[0] = names[n];
			list[n].address = (uint64_t)names[n];
			list[n].idle = names[n] >= 'i';
			list[n].on_cpu = strchr(cases[i].curr, names[n]) != NULL;
			assert_true(map_put(&tasks.by_address, list[n].address, n));
			if (cases[i].panicked && *cases[i].panicked == names[n]) {
				tasks.panicked = true;
				tasks.panicking = n;
			}
		}
		for (size_t n = 0; n < 2; n++)
			cpu[n].curr = (uint64_t)cases[i].curr[n];
		assert_no_err(current_task_choose(&tasks, &cpus, &place, &wanted, &chosen));
		assert_int_equal(names[wanted], cases[i].wanted);
		assert_int_equal(names[chosen], cases[i].chosen);
		map_free(&tasks.by_address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_of_processes_broken_forwards),
		cmocka_unit_test(list_of_processes_gone),
		cmocka_unit_test(list_of_threads_gone),
		cmocka_unit_test(list_of_threads_with_a_loop),
		cmocka_unit_test(pid_table_gone),
		cmocka_unit_test(pid_table_with_loops),
		cmocka_unit_test(pids_of_another_namespace),
		cmocka_unit_test(notes_are_bounded),
		cmocka_unit_test(duplicate_pid),
		cmocka_unit_test(senseless_pid),
		cmocka_unit_test(task_filtered_or_missing),
		cmocka_unit_test(name_without_an_end),
		cmocka_unit_test(runqueue_cannot_be_read),
		cmocka_unit_test(runqueue_of_garbage),
		cmocka_unit_test(garbage_for_nr_cpu_ids),
		cmocka_unit_test(offsets_cannot_be_read),
		cmocka_unit_test(masks_cannot_be_read),
		cmocka_unit_test(cpu_offline),
		cmocka_unit_test(cpu_never_started),
		cmocka_unit_test(nobody_panicked),
		cmocka_unit_test(one_rule_chooses_the_current_task),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
