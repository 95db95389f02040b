// SPDX-License-Identifier: GPL-2.0-or-later
/* The demo dump, whose kernel looks like 3.10: everything in it, exactly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "arch/x86_64/base/regs.h"
#include "base/buf.h"
#include "tests/kernel/machine.h"
#include "unwind/unwind.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/code_place.h"
#include "vmcore/kernel/log/printk.h"
#include "vmcore/kernel/tasks/task_spaces.h"
#include "vmcore/names/files/debugfiles.h"

/* Behind the call of __switch_to in __schedule. */
#define RESUME UINT64_C(0xffffffff816a9214)

static int set_up(void **state)
{
	static struct machine machine;
	machine_open(&machine, &(struct machine_plan){
				       .recipe = "seed.recipe",
				       .symbols = DEMO_VMLINUX,
			       });
	*state = &machine;
	return 0;
}

static int tear_down(void **state)
{
	machine_close(*state);
	return 0;
}

static void kernel_is_named(void **state)
{
	const struct machine *m = *state;
	uint64_t text = 0, slide = 1;
	assert_string_equal(kernel_release(m->kernel), "3.10.0-693.el7.x86_64");
	assert_string_equal(kernel_banner(m->kernel),
			    "Linux version 3.10.0-693.el7.x86_64 (demo@vmcore-gdbserver) "
			    "#1 SMP Tue Aug 22 21:09:27 UTC 2017\n");
	assert_true(kernel_text(m->kernel, &text, &slide));
	assert_int_equal(text, 0xffffffff81000000);
	assert_int_equal(slide, 0);
	assert_int_equal(kernel_date(m->kernel), 1511442300);
	assert_string_equal(kernel_debug_file(m->kernel)->path, DEMO_VMLINUX);
	assert_null(kernel_command_line(m->kernel));
	assert_string_equal(kernel_notes(m->kernel), "");
}

static void cpus_are_these(void **state)
{
	const struct machine *m = *state;
	assert_int_equal(m->cpus.count, 2);
	const struct cpu *cpu = &m->cpus.list[1];
	assert_int_equal(cpu->number, 1);
	assert_true(cpu->online);
	assert_int_equal(cpu->offset, 0xffff88043ec40000);
	assert_int_equal(cpu->curr, 0xffff88017c940000);
	assert_int_equal(cpu->idle, 0xffff88017c940000);
	assert_ptr_equal(cpus_find(&m->cpus, 1), cpu);
	assert_null(cpus_find(&m->cpus, 2));
	assert_int_equal(m->tasks.stack_size, 16384);
}

static void tasks_are_these(void **state)
{
	const struct machine *m = *state;
	static const struct task expected[] = {
		{ .tid = 1,
		  .pid = 1,
		  .comm = "systemd",
		  .address = 0xffff88017c8e0000,
		  .stack = 0xffff88017c8d8000,
		  .sp = 0xffff88017c8dbda8,
		  .mm = 0xffff88017b200000,
		  .cpu = 1,
		  .state = 'S' },
		{ .tid = 2,
		  .pid = 2,
		  .comm = "kthreadd",
		  .address = 0xffff88017c8e1000,
		  .stack = 0xffff88017c8dc000,
		  .sp = 0xffff88017c8dfe80,
		  .cpu = 0,
		  .state = 'S' },
		{ .tid = 103,
		  .pid = 103,
		  .comm = "qemu-kvm",
		  .address = 0xffff88017a2b0000,
		  .stack = 0xffff88003e5f0000,
		  .sp = 0xffff88003e5f3d58,
		  .mm = 0xffff88017b200400,
		  .cpu = 1,
		  .state = 'S' },
		{ .tid = 110,
		  .pid = 103,
		  .comm = "CPU 0/KVM",
		  .address = 0xffff88017a2b2500,
		  .stack = 0xffff88003e5e8000,
		  .sp = 0xffff88003e5ebb00,
		  .mm = 0xffff88017b200400,
		  .cpu = 0,
		  .state = 'R',
		  .on_cpu = true },
		{ .tid = IDLE_TID,
		  .pid = 0,
		  .comm = "swapper/0",
		  .address = 0xffffffff81810060,
		  .stack = 0xffffffff8180c000,
		  .sp = 0xffffffff8180fee0,
		  .cpu = 0,
		  .state = 'R',
		  .idle = true },
		{ .tid = IDLE_TID + 1,
		  .pid = 0,
		  .comm = "swapper/1",
		  .address = 0xffff88017c940000,
		  .stack = 0xffff88017c948000,
		  .sp = 0xffff88017c94be00,
		  .cpu = 1,
		  .state = 'R',
		  .idle = true,
		  .on_cpu = true },
	};
	assert_int_equal(m->tasks.count, sizeof(expected) / sizeof(*expected));
	for (size_t i = 0; i < m->tasks.count; i++) {
		const struct task *t = &m->tasks.list[i];
		assert_int_equal(t->tid, expected[i].tid);
		assert_int_equal(t->pid, expected[i].pid);
		assert_string_equal(t->comm, expected[i].comm);
		assert_int_equal(t->address, expected[i].address);
		assert_int_equal(t->stack, expected[i].stack);
		assert_int_equal(t->sp, expected[i].sp);
		assert_int_equal(t->mm, expected[i].mm);
		assert_int_equal(t->cpu, expected[i].cpu);
		assert_int_equal(t->state, expected[i].state);
		assert_int_equal(t->idle, expected[i].idle);
		assert_int_equal(t->on_cpu, expected[i].on_cpu);
		assert_ptr_equal(tasks_find(&m->tasks, t->tid), t);
	}
	assert_null(tasks_find(&m->tasks, 3));
	assert_int_equal(machine_current(m)->tid, 110);
	assert_true(m->tasks.panicked);
}

static void vcpu_thread_has_its_note(void **state)
{
	const struct first_regs *f = machine_regs(*state, 110);
	static const struct {
		enum reg reg;
		uint64_t value;
	} expected[] = {
		{ REG_RIP, 0xffffffffc07a21a8 },
		{ REG_RSP, 0xffff88003e5ebcd0 },
		{ REG_RBP, 0xffff88003e5ebd00 },
		{ REG_RBX, 0xffff88043ea73280 },
		{ REG_R12, 0x5308000 },
		{ REG_R13, 0 },
		{ REG_R14, 0xffff8803e0e40000 },
		{ REG_R15, 0xffff8800ab5e1700 },
		{ REG_RAX, 0xffffffffc07a2190 },
		{ REG_RCX, 0xffff880005308000 },
		{ REG_RDX, 0x5308000 },
		{ REG_RSI, 0x5308000 },
		{ REG_RDI, 0xffff88043ea73280 },
		{ REG_R8, 8 },
		{ REG_R9, 9 },
		{ REG_R10, 10 },
		{ REG_R11, 11 },
		{ REG_ORIG_RAX, UINT64_MAX },
		{ REG_EFLAGS, 0x282 },
		{ REG_CS, 0x10 },
		{ REG_SS, 0x18 },
		{ REG_FS_BASE, 0x7f0b977fe700 },
		{ REG_GS_BASE, 0xffff88043ec00000 },
	};
	assert_int_equal(f->from, REGS_NOTE);
	assert_null(f->why);
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		assert_reg(f, expected[i].reg, expected[i].value);
}

static void idle_cpu_has_its_note(void **state)
{
	const struct first_regs *f = machine_regs(*state, IDLE_TID + 1);
	assert_int_equal(f->from, REGS_NOTE);
	assert_reg(f, REG_RIP, 0xffffffff810e7006);
	assert_reg(f, REG_RSP, 0xffff88017c94bf58);
	assert_reg(f, REG_RBX, 0xffff88017c948000);
	assert_reg(f, REG_R12, 1);
}

static void assert_switched(const struct machine *m, uint32_t tid, uint64_t rsp, uint64_t rbp)
{
	const struct first_regs *f = machine_regs(m, tid);
	assert_int_equal(f->from, REGS_SWITCH);
	assert_reg(f, REG_RIP, RESUME);
	assert_reg(f, REG_RSP, rsp);
	assert_reg(f, REG_RBP, rbp);
	/* __schedule's prologue saved these; at its resume point they hold nothing. */
	static const enum reg unknown[] = { REG_RBX, REG_R12, REG_R13, REG_R14,
					    REG_R15, REG_RAX, REG_CS };
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		assert_reg_unknown(f, unknown[i]);
}

static void sleepers_have_their_switch_frames(void **state)
{
	const struct machine *m = *state;
	assert_switched(m, 1, 0xffff88017c8dbdb8, 0xffff88017c8dbe18);
	assert_switched(m, 2, 0xffff88017c8dfe90, 0xffff88017c8dfef0);
	assert_switched(m, 103, 0xffff88003e5f3d68, 0xffff88003e5f3dc8);
	/* The idle task of a CPU that runs something else was switched out like any other. */
	assert_switched(m, IDLE_TID, 0xffffffff8180fef0, 0xffffffff8180ff50);
}

static void address_spaces_are_the_processes(void **state)
{
	const struct machine *m = *state;
	struct vspace space;
	uint64_t word = 0;
	assert_no_err(task_space(m->kernel, machine_task(m, 110), &space));
	assert_int_equal(space.root, 0x3c000000);
	assert_no_err(memory_read_all(m->memory, &space, 0x7f0b977fd9a8, &word, sizeof(word)));
	assert_int_equal(word, 0x55d247c1ab10);
	assert_err(task_space(m->kernel, machine_task(m, 2), &space), ERR_NOTPRESENT,
		   "'kthreadd' is a kernel thread");
}

/* What was found is used until the epoch is another, and not asked for again before. */
static void address_spaces_are_kept_for_an_epoch(void **state)
{
	const struct machine *m = *state;
	const struct task *task = machine_task(m, 110);
	struct task_spaces spaces = { 0 };
	struct vspace space;
	static const struct {
		uint64_t epoch, put, root; /* put: what is kept is made this before, if not 0 */
	} cases[] = {
		{ 7, 0, 0x3c000000 }, { 7, 0x5000, 0x5000 }, { 7, 0, 0x5000 },
		{ 8, 0, 0x3c000000 }, { 7, 0, 0x3c000000 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (size_t n = 0; cases[i].put && n < TASK_SPACES; n++)
			spaces.list[n].space.root = cases[i].put;
		assert_no_err(task_spaces_get(&spaces, m->kernel, task, cases[i].epoch, &space));
		assert_int_equal(space.root, cases[i].root);
		assert_err(task_spaces_get(&spaces, m->kernel, machine_task(m, 2), cases[i].epoch,
					   &space),
			   ERR_NOTPRESENT, "'kthreadd' is a kernel thread");
	}
}

/* Addresses as the demo's vmlinux has them, and its two modules' symbols there. */
static void code_has_one_name(void **state)
{
	const struct machine *m = *state;
	struct code_map *code;
	struct buf text = BUF_INIT;
	static const struct {
		uint64_t pc;
		bool exact;
		enum code_place_kind kind;
		const char *text;
	} cases[] = {
		{ RESUME, false, PLACE_NAMED, "__schedule+0x304" },
		{ 0xffffffffc07a21a8, true, PLACE_NAMED, "vmx_set_cr3+0x18 [kvm_intel]" },
		/* An instruction that was stopped at is its own; a call before it is another's. */
		{ 0xffffffff816a9590, true, PLACE_NAMED, "schedule+0x0" },
		{ 0xffffffff816a9590, false, PLACE_NAMED, "__schedule+0x680" },
		{ 0xffffffffc07960ff, true, PLACE_NAMELESS, "(no symbol) [kvm_intel]" },
		{ 0xffffffffa0000000, true, PLACE_NOWHERE, "(no known code)" },
		{ 0x401000, true, PLACE_NOWHERE, "(no known code)" },
		{ 0, false, PLACE_NOWHERE, "(no known code)" },
	};
	assert_no_err(code_map_new(m->kernel, &code));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct code_place p = code_place_find(code, cases[i].pc, cases[i].exact);
		assert_int_equal(p.kind, cases[i].kind);
		buf_reset(&text);
		add_code_place(&p, &text);
		assert_string_equal(text.data, cases[i].text);
		/* A frame with that pc says the same, unless it is user mode's. */
		struct frame f = { .regs.arch = &x86_64_regs,
				   .interrupted = cases[i].exact,
				   .how = HOW_NOTE };
		regs_set(&f.regs, REG_RIP, cases[i].pc);
		p = code_place_of_frame(code, &f);
		assert_int_equal(p.kind, cases[i].kind);
		regs_set(&f.regs, REG_CS, 0x33);
		p = code_place_of_frame(code, &f);
		buf_reset(&text);
		add_code_place(&p, &text);
		assert_string_equal(text.data, "(user mode)");
	}
	buf_free(&text);
	code_map_free(code);
}

static void panic_line_is_the_logs(void **state)
{
	const struct machine *m = *state;
	char *line = NULL;
	assert_no_err(printk_panic(m->kernel, &line));
	assert_string_equal(line, "Kernel panic - not syncing: Hard LOCKUP");
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_is_named),
		cmocka_unit_test(cpus_are_these),
		cmocka_unit_test(tasks_are_these),
		cmocka_unit_test(vcpu_thread_has_its_note),
		cmocka_unit_test(idle_cpu_has_its_note),
		cmocka_unit_test(sleepers_have_their_switch_frames),
		cmocka_unit_test(address_spaces_are_the_processes),
		cmocka_unit_test(address_spaces_are_kept_for_an_epoch),
		cmocka_unit_test(code_has_one_name),
		cmocka_unit_test(panic_line_is_the_logs),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
