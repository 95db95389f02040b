// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose registers a note holds, and when nothing may be said, on the demo dump's machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "arch/x86_64/base/regs.h"
#include "tests/kernel/machine.h"
#include "vmcore/kernel/tasks/cpu_notes.h"
#include "vmcore/kernel/tasks/stack_copy.h"
#include "vmcore/kernel/tasks/task_stamp.h"

/* The kernel's own copies of its notes are not there. */
#define NO_CRASH_NOTES "virt crash_notes: 0\n"

#define NOTE_OF_VCPU                                                  \
	"prstatus 110: rip = 0xffffffffc07a21a8 cs = 0x10 rbx = 110 " \
	"rsp = 0xffff88003e5ebcd0 gs_base = cpu0\n"
#define NOTE_OF_IDLE                                              \
	"prstatus 0: rip = native_safe_halt+6 cs = 0x10 rbx = 0 " \
	"rsp = swapper1_stack+0x3f58 gs_base = cpu1\n"

/* As QEMU writes them: CPU number + 1 for a PID; the pair of notes for CPU 0 in kernel mode. */
#define QEMU_VCPU(CR3, GS)                                                          \
	"prstatus 1: rip = 0xffffffffc07a21a8 rsp = 0xffff88003e5ebcd0 cs = 0x10\n" \
	"qemu: cr3 = " CR3 " gs.base = " GS "\n"
#define QEMU_IDLE                                                                      \
	"prstatus 2: rip = native_safe_halt+6 rsp = swapper1_stack+0x3f58 cs = 0x10\n" \
	"qemu: cr3 = init_level4_pgt-kernel_map gs.base = cpu1\n"

static void open_demo(struct machine *m, const char *extra)
{
	machine_open(m, &(struct machine_plan){
				.recipe = "seed.recipe",
				.symbols = DEMO_VMLINUX,
				.extra = extra,
			});
}

static void open_with_notes(struct machine *m, const char *notes)
{
	machine_open(m, &(struct machine_plan){
				.recipe = "seed.recipe",
				.symbols = DEMO_VMLINUX,
				.drop_cpu_notes = true,
				.extra = notes,
			});
}

/* ---- whose note it is ---- */

/* The order of notes says nothing: a CPU that did not answer has none. */
static void notes_in_any_order(void **state)
{
	(void)state;
	static const char *const orders[] = {
		NO_CRASH_NOTES NOTE_OF_VCPU NOTE_OF_IDLE,
		NO_CRASH_NOTES NOTE_OF_IDLE NOTE_OF_VCPU,
	};
	for (size_t i = 0; i < 2; i++) {
		struct machine m;
		open_with_notes(&m, orders[i]);
		assert_int_equal(machine_regs(&m, 110)->from, REGS_NOTE);
		assert_reg(machine_regs(&m, 110), REG_RBX, 110);
		assert_int_equal(machine_regs(&m, IDLE_TID + 1)->from, REGS_NOTE);
		assert_reg(machine_regs(&m, IDLE_TID + 1), REG_RBX, 0);
		machine_close(&m);
	}
}

static void one_note_is_missing(void **state)
{
	(void)state;
	struct machine m;
	open_with_notes(&m, NO_CRASH_NOTES NOTE_OF_IDLE);
	assert_reg(machine_regs(&m, IDLE_TID + 1), REG_RIP, 0xffffffff810e7006);
	assert_unknown(&m, 110, "running on CPU 0, whose registers the dump has no note of");
	machine_close(&m);
}

/* The kernel's own copy wins over the file's, and is believed only if it is one. */
static void copies_in_memory(void **state)
{
	(void)state;
	struct machine m;
	open_with_notes(&m, NOTE_OF_VCPU);
	assert_reg(machine_regs(&m, 110), REG_RBX, 0xffff88043ea73280);
	assert_int_equal(machine_regs(&m, IDLE_TID + 1)->from, REGS_NOTE);
	machine_close(&m);

	open_with_notes(&m, "virt cpu0+demo_crash_notes+4: u32 337\n" NOTE_OF_VCPU);
	assert_reg(machine_regs(&m, 110), REG_RBX, 110);
	machine_close(&m);

	open_with_notes(&m, "virt cpu0+demo_crash_notes: zero 0x180\n");
	assert_unknown(&m, 110, "no note of");
	machine_close(&m);
}

static void note_on_the_stacks_of_two(void **state)
{
	(void)state;
	struct machine m;
	/* It says that it is CPU 0's thread, and lies on the stack of CPU 1's. */
	open_with_notes(&m, NO_CRASH_NOTES "prstatus 110: rip = native_safe_halt+6 cs = 0x10 "
					   "rsp = swapper1_stack+0x3f58\n");
	assert_unknown(&m, 110, "no note of");
	assert_unknown(&m, IDLE_TID + 1, "no note of");
	machine_close(&m);
}

/* ---- what it may say ---- */

static void rsp_on_no_stack(void **state)
{
	(void)state;
	struct machine m;
	open_with_notes(
		&m, NO_CRASH_NOTES
		"prstatus 110: rip = 0xffffffffc07a21a8 cs = 0x10 rsp = 0xffff880000012340\n");
	assert_unknown(&m, 110, "rsp 0xffff880000012340 of the CPU's note is on no stack");
	machine_close(&m);
}

/* A stack that was run over: the page below is not mapped, and nobody else's. Where it is mapped it
 * may be another task's stack. */
static void rsp_in_the_guard_page(void **state)
{
	(void)state;
	static const char overrun[] =
		NO_CRASH_NOTES "map 0xffffc90000004000 0x3e5e8000 16k 4k\n"
			       "put task_struct at vcpu_task: stack = 0xffffc90000004000\n"
			       "prstatus 110: rip = 0xffffffffc07a21a8 cs = 0x10 rbx = 110 "
			       "rsp = 0xffffc90000003fc8\n";
	struct machine m;
	char extra[512] = "map 0xffffc90000003000 0x3d002000 4k 4k\n";
	open_with_notes(&m, overrun);
	assert_int_equal(machine_regs(&m, 110)->from, REGS_NOTE);
	assert_reg(machine_regs(&m, 110), REG_RBX, 110);
	machine_close(&m);
	strcat(extra, overrun);
	open_with_notes(&m, extra);
	assert_unknown(&m, 110, "is on no stack");
	machine_close(&m);
}

static void user_mode(void **state)
{
	(void)state;
	struct machine m;
	open_with_notes(&m, NO_CRASH_NOTES
			"prstatus 110: rip = 0x7f0b9c4b3107 cs = 0x33 ss = 0x2b "
			"rsp = 0x7f0b977fd9a8 rax = 7 fs_base = 0x7f0b977fe700 gs_base = 0\n");
	const struct first_regs *f = machine_regs(&m, 110);
	assert_int_equal(f->from, REGS_USER);
	assert_reg(f, REG_RIP, 0x7f0b9c4b3107);
	assert_reg(f, REG_RSP, 0x7f0b977fd9a8);
	assert_reg(f, REG_RAX, 7);
	assert_reg(f, REG_FS_BASE, 0x7f0b977fe700);
	assert_reg(f, REG_GS_BASE, 0);
	machine_close(&m);
}

static void user_mode_where_there_is_none(void **state)
{
	(void)state;
	struct machine m;
	/* The idle task has no user memory. */
	open_with_notes(&m, "prstatus 0 at cpu1 + demo_crash_notes:"
			    " rip = 0x401000 cs = 0x33 rsp = 0x7ffd0000\n");
	assert_unknown(&m, IDLE_TID + 1, "user mode at 0x401000, where this task has no memory");
	machine_close(&m);

	open_with_notes(&m, "prstatus 110 at cpu0 + demo_crash_notes:"
			    " rip = 0xffffffffc07a21a8 cs = 0x33 rsp = 0x7ffd0000\n");
	assert_unknown(&m, 110, "user mode at 0xffffffffc07a21a8");
	machine_close(&m);
}

/* The kernel saves the gs that user mode has, which in the kernel is not the CPU's. */
static void gs_base_of_user_mode(void **state)
{
	(void)state;
	struct machine m;
	open_with_notes(&m, NO_CRASH_NOTES "prstatus 110: rip = 0xffffffffc07a21a8 cs = 0x10 "
					   "rsp = 0xffff88003e5ebcd0 gs_base = 0x7f0b00000000\n");
	assert_int_equal(machine_regs(&m, 110)->from, REGS_NOTE);
	assert_reg_unknown(machine_regs(&m, 110), REG_GS_BASE);
	machine_close(&m);
}

/* ---- QEMU's notes ---- */

static void qemu_notes(void **state)
{
	(void)state;
	struct machine m;
	/* Of another moment than the kernel's own copies, and in any order. */
	open_with_notes(&m, QEMU_IDLE QEMU_VCPU("qemu_pgd", "cpu0"));
	assert_int_equal(machine_regs(&m, 110)->from, REGS_NOTE);
	assert_reg(machine_regs(&m, 110), REG_RBX, 0);
	assert_int_equal(machine_regs(&m, IDLE_TID + 1)->from, REGS_NOTE);
	machine_close(&m);
}

/* The guest's registers must never be shown as the thread's, wherever the note may seem to fit. */
static void qemu_note_of_a_guest(void **state)
{
	(void)state;
	static const char *const guests[] = {
		/* Nothing in it is this kernel's. */
		"prstatus 1: rip = 0x8010 rsp = 0x7000 cs = 0x10\nqemu: cr3 = 0x1000\n",
		/* It holds the host's gs, as a guest that never loaded its own does. */
		"prstatus 1: rip = 0x8010 rsp = 0x7000 cs = 0x10\n"
		"qemu: cr3 = 0x1000 gs.base = cpu0\n",
		/* A guest with the same kernel: its stack seems to be a thread's. */
		QEMU_VCPU("0x1000", "cpu0"),
		QEMU_VCPU("0x1000", "0"),
		/* In user mode, with the same program. */
		"prstatus 1: rip = 0x7f0b9c4b3107 rsp = 0x7f0b977fd9a8 cs = 0x33\n"
		"qemu: cr3 = 0x1000 kernel_gs_base = cpu0\n",
	};
	for (size_t i = 0; i < sizeof(guests) / sizeof(*guests); i++) {
		struct machine m;
		char extra[1024];
		strcpy(extra, NO_CRASH_NOTES);
		strcat(extra, guests[i]);
		strcat(extra, QEMU_IDLE);
		open_with_notes(&m, extra);
		assert_unknown(&m, 110, "CPU 0 was running a guest");
		assert_int_equal(machine_regs(&m, IDLE_TID + 1)->from, REGS_NOTE);
		machine_close(&m);
	}
}

/* A guest with the same kernel, whose stack is at the address of one of a thread that runs too. */
static void guest_that_looks_like_another_cpu(void **state)
{
	(void)state;
	struct machine m;
	open_with_notes(&m, NO_CRASH_NOTES
			"prstatus 1: rip = native_safe_halt+6 rsp = swapper1_stack+0x3e00"
			" cs = 0x10\nqemu: cr3 = 0x1000\n" QEMU_IDLE);
	assert_unknown(&m, 110, "CPU 0 was running a guest");
	assert_reg(machine_regs(&m, IDLE_TID + 1), REG_RSP, 0xffff88017c94bf58);
	machine_close(&m);
}

/* A dump by QEMU while the kernel that saves one runs: what the crashed one saved itself is true,
 * wherever that other one's rsp and gs may seem to fit. */
static void another_kernel_on_the_cpu(void **state)
{
	(void)state;
	static const char *const others[] = {
		QEMU_VCPU("0x1000", "0"),
		QEMU_VCPU("0x1000", "cpu0"),
		"prstatus 1: rip = native_safe_halt+6 rsp = swapper1_stack+0x3e00 cs = 0x10\n"
		"qemu: cr3 = 0x1000\n",
	};
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		struct machine m;
		char extra[1024];
		strcpy(extra, others[i]);
		strcat(extra, QEMU_IDLE);
		open_with_notes(&m, extra);
		/* Of the note that the demo's recipe has in memory. */
		assert_int_equal(machine_regs(&m, 110)->from, REGS_NOTE);
		assert_reg(machine_regs(&m, 110), REG_RBX, 0xffff88043ea73280);
		/* QEMU's is later. */
		assert_reg(machine_regs(&m, IDLE_TID + 1), REG_RSP, 0xffff88017c94bf58);
		assert_int_equal(registers_guest_notes(m.registers)->count, 0);
		machine_close(&m);
	}
}

static bool no_guests(void *closure)
{
	(void)closure;
	return false;
}

/* Where there is no virtual machine nobody was in a guest. */
static void another_kernel_and_nothing_saved(void **state)
{
	(void)state;
	struct machine m;
	open_with_notes(&m, NO_CRASH_NOTES QEMU_VCPU("0x1000", "0") QEMU_IDLE);
	registers_set_has_guests(m.registers, no_guests, NULL);
	assert_unknown(&m, 110, "CPU 0 was in an address space that is none of this kernel's");
	machine_close(&m);
}

static void cpu_that_was_never_started(void **state)
{
	(void)state;
	struct machine m;
	open_with_notes(&m,
			NO_CRASH_NOTES QEMU_VCPU(
				"qemu_pgd",
				"cpu0") "prstatus 2: rip = 0xfff0 cs = 0xf000\nqemu: cr3 = 0\n");
	assert_int_equal(machine_regs(&m, 110)->from, REGS_NOTE);
	assert_unknown(&m, IDLE_TID + 1, "no note of");
	machine_close(&m);
}

/* A note of no CPU, whose CR3 is this kernel's all the same, was no guest's. */
static void qemu_note_of_no_cpu(void **state)
{
	(void)state;
	struct machine m;
	open_with_notes(&m, NO_CRASH_NOTES "prstatus 1: rip = startup_64 rsp = 0x7000 cs = 0x10\n"
					   "qemu: cr3 = init_level4_pgt-kernel_map\n" QEMU_IDLE);
	assert_unknown(&m, 110, "no note of");
	machine_close(&m);
}

static void qemu_user_mode(void **state)
{
	(void)state;
	static const char *const notes[] = {
		/* By kernel_gs_base, and the user half of the page tables. */
		"prstatus 1: rip = 0x7f0b9c4b3107 rsp = 0x7f0b977fd9a8 cs = 0x33\n"
		"qemu: cr3 = qemu_pgd+0x1801 kernel_gs_base = cpu0\n",
		/* Without it, by the process. */
		"prstatus 1: rip = 0x7f0b9c4b3107 rsp = 0x7f0b977fd9a8 cs = 0x33\n"
		"qemu: cs.selector = 0x33 cr3 = qemu_pgd\n",
	};
	for (size_t i = 0; i < sizeof(notes) / sizeof(*notes); i++) {
		struct machine m;
		open_with_notes(&m, notes[i]);
		assert_int_equal(machine_regs(&m, 110)->from, REGS_USER);
		assert_reg(machine_regs(&m, 110), REG_RIP, 0x7f0b9c4b3107);
		machine_close(&m);
	}
}

/* A kernel thread runs on what the process before it had, which may be gone by now. */
static void borrowed_address_space(void **state)
{
	(void)state;
	struct machine m;
	open_with_notes(&m, "put mm_struct at 0xffff88017b300000: pgd = direct + 0x3d800000\n"
			    "put task_struct at swapper1_task: active_mm = 0xffff88017b300000\n"
			    "prstatus 2: rip = native_safe_halt+6 cs = 0x10"
			    " rsp = swapper1_stack+0x3f58\n"
			    "qemu: cr3 = 0x3d800000 gs.base = cpu1\n");
	assert_int_equal(machine_regs(&m, IDLE_TID + 1)->from, REGS_NOTE);
	machine_close(&m);
}

/* ---- switched out ---- */

static void sp_off_the_stack(void **state)
{
	(void)state;
	static const char *const places[] = {
		"put task_struct at kthreadd_task: thread.sp = kthreadd_stack - 8\n",
		"put task_struct at kthreadd_task: thread.sp = kthreadd_stack + 0x4000 - 8\n",
		"put task_struct at kthreadd_task: thread.sp = 0x7ffd00001000\n",
		"put task_struct at kthreadd_task: thread.sp = -1\n",
	};
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct machine m;
		open_demo(&m, places[i]);
		assert_unknown(&m, 2, "does not lie on the task's stack at 0xffff88017c8dc000");
		assert_int_equal(machine_regs(&m, 1)->from, REGS_SWITCH);
		machine_close(&m);
	}
}

static void stack_filtered(void **state)
{
	(void)state;
	struct machine m;
	open_demo(&m, "exclude kthreadd_stack+0x3000 4k\n");
	assert_unknown(&m, 2, "left out when the dump was written");
	machine_close(&m);
}

/* A zombie keeps its stack and its last switch until its parent has waited for it... */
static void zombie(void **state)
{
	(void)state;
	struct machine m;
	open_demo(&m, "put task_struct at kthreadd_task: state = 64 exit_state = 16\n");
	assert_int_equal(machine_regs(&m, 2)->from, REGS_SWITCH);
	machine_close(&m);
	/* ... in kernels that do not free it at once. */
	open_demo(&m, "put task_struct at kthreadd_task: state = 64 exit_state = 16 stack = 0\n");
	assert_unknown(&m, 2, "the task has ended and has no stack any more");
	machine_close(&m);
}

static void never_ran(void **state)
{
	(void)state;
	struct machine m;
	open_demo(&m, "put thread_info at kthreadd_stack: flags = 1 << 18\n");
	assert_int_equal(machine_regs(&m, 2)->from, REGS_SWITCH);
	assert_reg(machine_regs(&m, 2), REG_RIP, 0xffffffff816aa080); /* ret_from_fork */
	/* copy_thread() left pt_regs at thread.sp, and no words of a switch. */
	assert_reg(machine_regs(&m, 2), REG_RSP, 0xffff88017c8dfe80);
	assert_reg_unknown(machine_regs(&m, 2), REG_RBP);
	assert_reg_unknown(machine_regs(&m, 2), REG_EFLAGS);
	assert_reg(machine_regs(&m, 1), REG_RIP, 0xffffffff816a9214);
	machine_close(&m);
}

/* No call of __switch_to is where __schedule should have one: live patched, or damaged. */
static void schedule_without_a_switch(void **state)
{
	(void)state;
	struct machine m;
	open_demo(&m, "virt __schedule+0x2ff: u8 0x90 0x90 0x90 0x90 0x90\n");
	assert_unknown(&m, 2, "where __schedule goes on after the switch is not known");
	machine_close(&m);
}

/* ---- on a machine that runs ---- */

enum { READS_MAX = 8 };

/* The dump's pages, with a record of what is read past the cache: there is nothing of that, so that
 * the cache and the tables have to do. */
struct recorder {
	const struct page_source *pages;
	uint64_t at[READS_MAX];
	size_t count;
};

static struct err *record(void *self, uint64_t va, void *out, size_t len)
{
	struct recorder *r = self;
	(void)out, (void)len;
	assert_in_range(r->count, 0, READS_MAX - 1);
	r->at[r->count++] = va;
	return err_new(ERR_MISSING, "not by this way");
}

static struct err *pass_page(void *self, uint64_t pfn, void *page, uint16_t *ret_from,
			     uint16_t *ret_to)
{
	const struct recorder *r = self;
	return r->pages->read_page(r->pages->self, pfn, page, ret_from, ret_to);
}

static bool pass_next(void *self, uint64_t pfn, uint64_t *ret)
{
	const struct recorder *r = self;
	return r->pages->next_page(r->pages->self, pfn, ret);
}

/* on_cpu is read last before the stack, and first behind it: task_stamp.h says why. */
static void order_of_stamps(void **state)
{
	(void)state;
	struct machine m;
	struct recorder r = { 0 };
	struct page_source source = {
		.self = &r, .read_page = pass_page, .next_page = pass_next, .read_mapped = record
	};
	struct task_stamp_layout layout;
	struct task_stamp before, after;
	machine_make(&m, &(struct machine_plan){ .recipe = "seed.recipe" });
	r.pages = dump_pages(m.dump);
	assert_no_err(machine_open_kernel(&m, &source, DEMO_VMLINUX));
	const struct task *task = machine_task(&m, 103);
	task_stamp_layout_find(m.kernel, &layout);
	const uint64_t on_cpu = layout.members[STAMP_ON_CPU].offset;
	assert_int_not_equal(layout.members[STAMP_ON_CPU].size, 0);
	r.count = 0;
	assert_no_err(task_stamp_read(m.kernel, &layout, task, STAMP_BEFORE, &before));
	assert_int_equal(r.count, 2);
	assert_int_equal(r.at[0], task->address + layout.low);
	assert_int_equal(r.at[1], task->address + on_cpu);
	r.count = 0;
	assert_no_err(task_stamp_read(m.kernel, &layout, task, STAMP_AFTER, &after));
	assert_int_equal(r.count, 2);
	assert_int_equal(r.at[0], task->address + on_cpu);
	assert_int_equal(r.at[1], task->address + layout.low);
	assert_true(task_stamp_equal(&before, &after));
	assert_int_equal(before.sp, task->sp);
	assert_int_equal(before.stack, task->stack);
	assert_false(before.on_cpu);
	/* Another task's, or nobody's. */
	struct task other = *task;
	other.tid++;
	assert_err(task_stamp_read(m.kernel, &layout, &other, STAMP_BEFORE, &after), ERR_NOTFOUND,
		   "has ended");
	machine_close(&m);
}

static void copy_of_a_stack(void **state)
{
	(void)state;
	struct machine m;
	struct stack_copy copy = STACK_COPY_INIT;
	unsigned char bytes[16], same[16];
	open_demo(&m, NULL);
	const struct task *task = machine_task(&m, 103);
	const uint64_t sp = task->sp, top = task->stack + m.tasks.stack_size;
	assert_false(stack_copy_read(&copy, sp, bytes, 1));
	assert_no_err(stack_copy_take(&copy, m.kernel, sp, top));
	assert_true(stack_copy_read(&copy, sp + 8, bytes, sizeof(bytes)));
	assert_no_err(kernel_read(m.kernel, sp + 8, same, sizeof(same)));
	assert_memory_equal(bytes, same, sizeof(same));
	assert_true(stack_copy_read(&copy, top - 1, bytes, 1));
	assert_false(stack_copy_read(&copy, top - 1, bytes, 2));
	assert_false(stack_copy_read(&copy, top + 1, bytes, 0));
	assert_false(stack_copy_read(&copy, sp - 1, bytes, 2));
	assert_false(stack_copy_read(&copy, 0, bytes, SIZE_MAX));
	/* Nothing is kept of what cannot be read, or is none. */
	assert_no_err(stack_copy_take(&copy, m.kernel, 8, 4096));
	assert_false(stack_copy_read(&copy, 8, bytes, 1));
	assert_no_err(stack_copy_take(&copy, m.kernel, sp, 0));
	assert_false(stack_copy_read(&copy, sp, bytes, 1));
	stack_copy_free(&copy);
	machine_close(&m);
}

/*
 * The scheduler has chosen kthreadd; CPU 0 is on the stack of one or the other, as its note says.
 * The other one has been switched out, or not yet in.
 */
#define CHOSEN "put rq at cpu0 + runqueues: curr = kthreadd_task\n"
#define NOTE_ON_KTHREADD \
	"prstatus 2: rip = native_safe_halt+6 cs = 0x10 rbx = 22 rsp = kthreadd_stack+0x3e00\n"

static void a_cpu_that_switches(void **state)
{
	(void)state;
	struct machine m;
	open_with_notes(&m, NO_CRASH_NOTES CHOSEN NOTE_OF_VCPU NOTE_OF_IDLE);
	assert_true(machine_task(&m, 110)->on_cpu);
	assert_reg(machine_regs(&m, 110), REG_RBX, 110);
	assert_false(machine_task(&m, 2)->on_cpu);
	assert_int_equal(machine_regs(&m, 2)->from, REGS_SWITCH);
	machine_close(&m);

	open_with_notes(&m, NO_CRASH_NOTES CHOSEN NOTE_ON_KTHREADD NOTE_OF_IDLE);
	assert_false(machine_task(&m, 110)->on_cpu);
	assert_true(machine_task(&m, 2)->on_cpu);
	assert_int_equal(machine_regs(&m, 2)->from, REGS_NOTE);
	assert_reg(machine_regs(&m, 2), REG_RBX, 22);
	machine_close(&m);

	/* Nothing is certain without one. */
	open_with_notes(&m, NO_CRASH_NOTES CHOSEN NOTE_OF_IDLE);
	assert_unknown(&m, 110, "no note of");
	assert_unknown(&m, 2, "no note of");
	machine_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notes_in_any_order),
		cmocka_unit_test(one_note_is_missing),
		cmocka_unit_test(copies_in_memory),
		cmocka_unit_test(note_on_the_stacks_of_two),
		cmocka_unit_test(a_cpu_that_switches),
		cmocka_unit_test(rsp_on_no_stack),
		cmocka_unit_test(rsp_in_the_guard_page),
		cmocka_unit_test(user_mode),
		cmocka_unit_test(user_mode_where_there_is_none),
		cmocka_unit_test(gs_base_of_user_mode),
		cmocka_unit_test(qemu_notes),
		cmocka_unit_test(qemu_note_of_a_guest),
		cmocka_unit_test(guest_that_looks_like_another_cpu),
		cmocka_unit_test(another_kernel_on_the_cpu),
		cmocka_unit_test(another_kernel_and_nothing_saved),
		cmocka_unit_test(cpu_that_was_never_started),
		cmocka_unit_test(qemu_note_of_no_cpu),
		cmocka_unit_test(qemu_user_mode),
		cmocka_unit_test(borrowed_address_space),
		cmocka_unit_test(sp_off_the_stack),
		cmocka_unit_test(stack_filtered),
		cmocka_unit_test(zombie),
		cmocka_unit_test(never_ran),
		cmocka_unit_test(schedule_without_a_switch),
		cmocka_unit_test(order_of_stamps),
		cmocka_unit_test(copy_of_a_stack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
