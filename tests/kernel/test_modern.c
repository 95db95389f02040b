// SPDX-License-Identifier: GPL-2.0-or-later
/* Kernels newer than the demo's: the same machine under two of them, and what each has of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "arch/x86_64/base/regs.h"
#include "tests/kernel/machine.h"
#include "vmcore/kernel/log/printk.h"

#define MODERN BUILD_FOLDER "/tests/kernel/modern"
#define MIDDLE BUILD_FOLDER "/tests/kernel/middle"
#define SLIDE  UINT64_C(0x1c000000)
#define DIRECT UINT64_C(0xffff888000000000)

static const struct kernel_file {
	const char *recipe, *symbols, *release, *panic;
} kernels[] = {
	{ "modern.recipe", MODERN, "6.16.0-modern",
	  "Kernel panic - not syncing: sysrq triggered crash, wrapped" },
	{ "middle.recipe", MIDDLE, "4.18.0-394.middle",
	  "Kernel panic - not syncing: Fatal exception" },
};
enum { KERNELS = sizeof(kernels) / sizeof(*kernels) };

static void open_kernel(struct machine *m, const struct kernel_file *k, const char *extra)
{
	machine_open(m, &(struct machine_plan){
				.recipe = k->recipe,
				.symbols = k->symbols,
				.extra = extra,
			});
}

/* The machine without the notes that it has, and with these. */
static void open_with_notes(struct machine *m, const struct kernel_file *k, const char *extra)
{
	machine_open(m, &(struct machine_plan){
				.recipe = k->recipe,
				.symbols = k->symbols,
				.drop_cpu_notes = true,
				.extra = extra,
			});
}

/* ---- what all have ---- */

static void kernel_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		struct machine m;
		uint64_t text = 0, slide = 0, address = 0;
		struct symbol at;
		open_kernel(&m, &kernels[i], "");
		assert_string_equal(kernel_release(m.kernel), kernels[i].release);
		assert_string_equal(kernel_command_line(m.kernel),
				    "root=/dev/vda1 crashkernel=256M");
		assert_true(kernel_text(m.kernel, &text, &slide));
		assert_int_equal(text, 0xffffffff81000000 + SLIDE);
		assert_int_equal(slide, SLIDE);
		assert_true(kernel_symbol(m.kernel, "__schedule", &address));
		assert_true(kernel_symbol_at(m.kernel, address + 8, &at));
		assert_string_equal(at.name, "__schedule");
		assert_string_equal(kernel_notes(m.kernel), "");
		machine_close(&m);
	}
}

static void tasks_are_these(void **state)
{
	(void)state;
	static const struct task expected[] = {
		{ .tid = 1, .comm = "init", .state = 'S', .cpu = 1 },
		{ .tid = 2, .comm = "kthreadd", .state = 'I' },
		{ .tid = 200, .comm = "sh", .state = 'R', .on_cpu = true },
		{ .tid = 201, .comm = "new", .state = 'R', .cpu = 1 },
		{ .tid = 202, .comm = "gone", .state = 'Z' },
		{ .tid = IDLE_TID, .comm = "swapper/0", .state = 'R', .idle = true },
		{ .tid = IDLE_TID + 1,
		  .comm = "swapper/1",
		  .state = 'R',
		  .cpu = 1,
		  .idle = true,
		  .on_cpu = true },
	};
	static const char *const ways[] = {
		"",
		/* By the PID table alone. */
		"virt &task_struct(idle0).tasks: 0 0\nput rq at pc0+runqueues: curr = sh\n",
	};
	for (size_t n = 0; n < KERNELS * 2; n++) {
		struct machine m;
		open_kernel(&m, &kernels[n / 2], ways[n % 2]);
		assert_int_equal(m.tasks.count, sizeof(expected) / sizeof(*expected));
		for (size_t i = 0; i < m.tasks.count; i++) {
			const struct task *t = &m.tasks.list[i];
			assert_int_equal(t->tid, expected[i].tid);
			assert_string_equal(t->comm, expected[i].comm);
			assert_int_equal(t->state, expected[i].state);
			assert_int_equal(t->cpu, expected[i].cpu);
			assert_int_equal(t->idle, expected[i].idle);
			assert_int_equal(t->on_cpu, expected[i].on_cpu);
		}
		assert_int_equal(m.tasks.stack_size, 16384);
		assert_int_equal(machine_current(&m)->tid, 200);
		assert_true(m.tasks.panicked);
		machine_close(&m);
	}
}

static void sleepers_have_their_switch_frames(void **state)
{
	(void)state;
	/* Red Hat's frame has its flags in front. */
	static const uint64_t frame_bytes[KERNELS] = { 56, 64 };
	for (size_t i = 0; i < KERNELS; i++) {
		struct machine m;
		open_kernel(&m, &kernels[i], "");
		const struct first_regs *f = machine_regs(&m, 1);
		assert_int_equal(f->from, REGS_SWITCH);
		assert_reg(f, REG_RIP, 0xffffffff81000060 + SLIDE);
		assert_reg(f, REG_RSP, DIRECT + 0x11004000 + 0x3e00 + frame_bytes[i]);
		assert_reg(f, REG_RBP, DIRECT + 0x11004000 + 0x3e80);
		assert_reg(f, REG_RBX, 0x10bb);
		assert_reg(f, REG_R12, 0x1012);
		assert_reg(f, REG_R13, 0x1013);
		assert_reg(f, REG_R14, 0x1014);
		assert_reg(f, REG_R15, 0x1015);
		assert_reg_unknown(f, REG_RAX);
		assert_reg_unknown(f, REG_EFLAGS);
		assert_reg(machine_regs(&m, 201), REG_RIP, 0xffffffff81000080 + SLIDE);
		assert_reg(machine_regs(&m, IDLE_TID), REG_R12, 0x4012);
		assert_unknown(&m, 202, "the task has ended and has no stack any more");
		machine_close(&m);
	}
}

/* By gs: rsp is where no other task's may be, and the notes are in the other order. */
static void notes_by_gs_base(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		struct machine m;
		open_with_notes(
			&m, &kernels[i],
			"prstatus 1: rbx = 6 rip = default_idle+s rsp = stack1+0x3f00 cs = 0x10\n"
			"qemu: cr3 = cr3 gs.base = cpu1-percpu\n"
			"prstatus 2: rbx = 5 rip = 0x401000 rsp = 0x7ffc0000 cs = 0x33\n"
			"qemu: cr3 = sh_pgd|0x1005 kernel_gs_base = cpu0-percpu\n");
		assert_int_equal(machine_regs(&m, 200)->from, REGS_USER);
		assert_reg(machine_regs(&m, 200), REG_RBX, 5);
		assert_int_equal(machine_regs(&m, IDLE_TID + 1)->from, REGS_NOTE);
		assert_reg(machine_regs(&m, IDLE_TID + 1), REG_RBX, 6);
		machine_close(&m);
	}
}

/* A CPU whose scheduler and current_task differ was stopped by an NMI: what that has pushed tells
 * on whose stack it was. With FRED more lies above. */
static void an_nmi_during_a_switch(void **state)
{
	static const char *const frames[][2] = {
		{ "+0x1fd8: default_idle+s 0x10 2", "0x18" },
		{ "+0x1fc0: 0 default_idle+s 0x10010 2", "0x2020018 0 0" },
	};
	static const struct {
		const char *stack;
		uint32_t runs;
	} tasks[] = { { "sh_stk+0x3f00", 200 }, { "stack0+0x3f00", IDLE_TID } };
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const char *const *frame = frames[i / 2];
		const uint32_t runs = tasks[i % 2].runs;
		struct machine m;
		char extra[512];
		snprintf(extra, sizeof(extra),
			 "virt pc0 + pcpu_hot: idle0\n"
			 "virt area+0x6000%s (%s) %s\n"
			 "prstatus 1: rip = default_idle+s rsp = area+0x7f00 cs = 0x10\n"
			 "qemu: cr3 = cr3 gs.base = cpu0-percpu\n",
			 frame[0], tasks[i % 2].stack, frame[1]);
		machine_open(&m, &(struct machine_plan){
					 .recipe = "modern.recipe",
					 .symbols = BUILD_FOLDER "/tests/kernel/hot/modern",
					 .folder = BUILD_FOLDER "/tests/kernel/hot",
					 .drop_cpu_notes = true,
					 .extra = extra,
				 });
		assert_int_equal(machine_task(&m, 200)->on_cpu, runs == 200);
		assert_int_equal(machine_task(&m, IDLE_TID)->on_cpu, runs == IDLE_TID);
		machine_close(&m);
	}
}

/* At a system call's first and last instructions: gs tells whose the note is, before swapgs and
 * behind it, and rsp is the user's; under page table isolation CR3 may be the user's half. */
static void notes_at_the_edge_of_user_mode(void **state)
{
	static const struct {
		const char *notes;
		uint64_t gs_base;
	} cases[] = {
		{ "qemu: cr3 = sh_pgd gs.base = 0x7000 kernel_gs_base = cpu0-percpu\n", 0x7000 },
		{ "qemu: cr3 = sh_pgd|0x1005 gs.base = 0x7000 kernel_gs_base = cpu0-percpu\n",
		  0x7000 },
		{ "qemu: cr3 = sh_pgd gs.base = cpu0-percpu\n", 0 },
	};
	(void)state;
	for (size_t i = 0; i < KERNELS * sizeof(cases) / sizeof(*cases); i++) {
		const size_t n = i / KERNELS;
		struct machine m;
		char extra[512];
		snprintf(
			extra, sizeof(extra),
			"prstatus 1: rbx = 5 rip = entry_SYSCALL_64+s+3 rsp = 0x7ffc0000 cs = 0x10 "
			"gs_base = 0x%llx\n%s",
			(unsigned long long)cases[n].gs_base, cases[n].notes);
		open_with_notes(&m, &kernels[i % KERNELS], extra);
		assert_int_equal(machine_regs(&m, 200)->from, REGS_NOTE);
		assert_reg(machine_regs(&m, 200), REG_RSP, 0x7ffc0000);
		assert_reg(machine_regs(&m, 200), REG_RBX, 5);
		assert_reg(machine_regs(&m, 200), REG_GS_BASE, cases[n].gs_base);
		machine_close(&m);
	}
	/* Elsewhere it is no thread's. */
	struct machine m;
	open_with_notes(&m, &kernels[0],
			"prstatus 1: rip = default_idle+s rsp = 0x7ffc0000 cs = 0x10\n"
			"qemu: cr3 = sh_pgd gs.base = cpu0-percpu\n");
	assert_unknown(&m, 200, "is on no stack");
	machine_close(&m);
}

static void note_of_a_guest(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		struct machine m;
		open_with_notes(&m, &kernels[i],
				"prstatus 1: rip = default_idle+s rsp = sh_stk+0x3d00 cs = 0x10\n"
				"qemu: cr3 = 0x5000\n");
		assert_unknown(&m, 200, "CPU 0 was running a guest");
		assert_unknown(&m, IDLE_TID + 1, "no note of");
		machine_close(&m);
	}
}

static void address_spaces_for_a_moment(void **state)
{
	(void)state;
	static const char *const spaces[] = {
		"virt text_poke_mm + s: sh_mm\n",
		"put mm_struct at efi_mm + s: pgd = direct + sh_pgd\n",
		"put tlb_state at pc1 + cpu_tlbstate: loaded_mm = sh_mm\n",
	};
	/* sh is no task of it then: without one of the above the note is a guest's. */
	static const char notes[] =
		"put task_struct at sh: mm = 0 active_mm = 0\n"
		"put tlb_state at pc0 + cpu_tlbstate: loaded_mm = 0\n"
		"prstatus 1: rip = default_idle+s rsp = sh_stk+0x3d00 cs = 0x10\n"
		"qemu: cr3 = sh_pgd gs.base = cpu0-percpu\n";
	for (size_t i = 0; i < 3; i++) {
		struct machine m;
		char extra[1024];
		strcpy(extra, notes);
		strcat(extra, spaces[i]);
		open_with_notes(&m, &kernels[0], extra);
		assert_int_equal(machine_regs(&m, 200)->from, REGS_NOTE);
		machine_close(&m);
	}
	struct machine m;
	open_with_notes(&m, &kernels[0], notes);
	assert_unknown(&m, 200, "CPU 0 was running a guest");
	machine_close(&m);
}

static void panic_line_is_the_logs(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		struct machine m;
		char *line = NULL;
		open_kernel(&m, &kernels[i], "");
		assert_no_err(printk_panic(m.kernel, &line));
		assert_string_equal(line, kernels[i].panic);
		free(line);
		machine_close(&m);
	}
}

/* ---- stacks of CPUs ---- */

static void assert_stack(const struct cpu *cpu, uint64_t address, const char *name)
{
	const struct cpu_stack *stack = cpu_stack_at(cpu, address);
	if (!name) {
		assert_null(stack);
		return;
	}
	assert_non_null(stack);
	assert_string_equal(stack->name, name);
}

static void cpus_have_their_stacks(void **state)
{
	(void)state;
	const uint64_t area = 0xfffffe0000001000, irq = DIRECT + 0x17000000;
	static const struct {
		uint64_t offset;
		const char *name;
	} in_area[] = {
		{ 0xfff, NULL },   { 0x1000, "entry" }, { 0x1fff, "entry" }, { 0x2000, NULL },
		{ 0x3000, "DF" },  { 0x4fff, "DF" },	{ 0x5000, NULL },    { 0x6000, "NMI" },
		{ 0x7fff, "NMI" }, { 0x8000, NULL },
	};
	struct machine m;
	open_kernel(&m, &kernels[0], "");
	const struct cpu *cpu = &m.cpus.list[0];
	for (size_t i = 0; i < sizeof(in_area) / sizeof(*in_area); i++)
		assert_stack(cpu, area + in_area[i].offset, in_area[i].name);
	assert_stack(cpu, irq - 1, NULL);
	assert_stack(cpu, irq, "IRQ");
	assert_stack(cpu, irq + 0x3fff, "IRQ");
	assert_stack(cpu, irq + 0x4000, NULL);
	assert_stack(&m.cpus.list[1], irq + 0x10000, "IRQ");
	machine_close(&m);

	open_kernel(&m, &kernels[1], "");
	cpu = &m.cpus.list[0];
	assert_stack(cpu, irq, "IRQ");
	assert_stack(cpu, irq + 0x3fff, "IRQ");
	assert_stack(cpu, DIRECT + 0x18000000, "IST");
	assert_stack(cpu, DIRECT + 0x18000fff, "IST");
	assert_stack(cpu, DIRECT + 0x18001000, NULL);
	machine_close(&m);
}

/* From 6.2 to 6.14 the pointer was one of what is used most. */
static void irq_stack_in_pcpu_hot(void **state)
{
	(void)state;
	struct machine m;
	machine_open(&m, &(struct machine_plan){
				 .recipe = "modern.recipe",
				 .symbols = BUILD_FOLDER "/tests/kernel/hot/modern",
				 .folder = BUILD_FOLDER "/tests/kernel/hot",
			 });
	assert_stack(&m.cpus.list[0], DIRECT + 0x17000000, "IRQ");
	assert_stack(&m.cpus.list[0], DIRECT + 0x17003fff, "IRQ");
	assert_stack(&m.cpus.list[0], DIRECT + 0x17004000, NULL);
	machine_close(&m);
}

/* A task that an interrupt came upon is in the kernel, on a stack that is not its own. */
static void caught_on_a_cpus_stack(void **state)
{
	(void)state;
	static const char *const places[] = { "irq0+0x3f00", "area+0x7f00", "area+0x1f80" };
	for (size_t i = 0; i < 3; i++) {
		struct machine m;
		char extra[256];
		strcpy(extra, "prstatus 200: rip = default_idle+s cs = 0x10 rbx = 7 rsp = ");
		strcat(extra, places[i]);
		strcat(extra, "\n");
		open_with_notes(&m, &kernels[0], extra);
		assert_int_equal(machine_regs(&m, 200)->from, REGS_NOTE);
		assert_reg(machine_regs(&m, 200), REG_RBX, 7);
		assert_unknown(&m, IDLE_TID + 1, "no note of");
		machine_close(&m);
	}
	/* That of another CPU is not a place where it can be. */
	struct machine m;
	open_with_notes(&m, &kernels[0],
			"prstatus 200: rip = default_idle+s cs = 0x10 rsp = irq1+0x3f00\n");
	assert_unknown(&m, 200, "no note of");
	machine_close(&m);
}

static void size_of_stacks_unknown(void **state)
{
	(void)state;
	struct machine m;
	char path[] = "/tmp/test-modern-XXXXXX";
	char command[512];
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void)fd;
	snprintf(command, sizeof(command), "sed -e s/__end_init_stack/__xxx_init_stack/g '%s' >%s",
		 MODERN, path);
	assert_int_equal(system(command), 0);
	machine_open(&m, &(struct machine_plan){ .recipe = "modern.recipe", .symbols = path });
	assert_int_equal(m.tasks.stack_size, 0);
	assert_note(&m, "the size of kernel stacks is unknown");
	assert_unknown(&m, 1, "the size of kernel stacks is unknown");
	machine_close(&m);
	remove(path);
}

/* ---- PIDs ---- */

static void trees_that_are_damaged(void **state)
{
	(void)state;
	static const struct {
		size_t kernel;
		const char *extra;
	} cases[] = {
		/* Nodes that hold themselves, each other, and marks that are no nodes. */
		{ 0, "put xa_node at root_node: slots[1] = root_node|2 slots[2] = leaf0|2\n" },
		{ 0,
		  "put xa_node at leaf0: slots[3] = root_node|2 slots[4] = 1026 slots[5] = 7\n" },
		{ 0, "put xa_node at root_node: slots[1] = 0xffffdead00000002\n" },
		{ 1, "put radix_tree_node at root_node: slots[1] = root_node|1\n" },
		/* One entry alone is no node. */
		{ 0, "put pid_namespace at init_pid_ns+s: idr.idr_rt.xa_head = pids\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct machine m;
		open_kernel(&m, &kernels[cases[i].kernel], cases[i].extra);
		assert_int_equal(m.tasks.count, 7);
		machine_close(&m);
	}
	struct machine m;
	open_kernel(&m, &kernels[0],
		    "virt &task_struct(idle0).tasks: 0 0\n"
		    "put pid_namespace at init_pid_ns+s: idr.idr_rt.xa_head = pids+0x100\n");
	assert_string_equal(machine_task(&m, 2)->comm, "kthreadd");
	/* No list and no table leads to it, but a neighbour does. */
	assert_string_equal(machine_task(&m, 1)->comm, "init");
	machine_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_is_named),
		cmocka_unit_test(tasks_are_these),
		cmocka_unit_test(sleepers_have_their_switch_frames),
		cmocka_unit_test(notes_by_gs_base),
		cmocka_unit_test(notes_at_the_edge_of_user_mode),
		cmocka_unit_test(note_of_a_guest),
		cmocka_unit_test(address_spaces_for_a_moment),
		cmocka_unit_test(panic_line_is_the_logs),
		cmocka_unit_test(cpus_have_their_stacks),
		cmocka_unit_test(an_nmi_during_a_switch),
		cmocka_unit_test(irq_stack_in_pcpu_hot),
		cmocka_unit_test(caught_on_a_cpus_stack),
		cmocka_unit_test(size_of_stacks_unknown),
		cmocka_unit_test(trees_that_are_damaged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
