// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/tasks/x86_64.h"

#include <stdlib.h>

#include "arch/address.h"
#include "arch/x86_64/dump/notes.h"
#include "arch/x86_64/tasks/host_space.h"
#include "arch/x86_64/unwind/switch.h"
#include "base/err.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/members.h"
#include "vmcore/kernel/tasks/arch.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/tasks.h"

_Static_assert((int)SWITCH_FRAME_MAX <= (int)SWITCH_BYTES_MAX, "a caller has room for it");

/* ---- how the switch frame looks ---- */

static struct switch_layout *find_switch_layout(const struct kernel *k)
{
	struct switch_layout *layout = calloc(1, sizeof(*layout));
	if (!layout)
		return NULL;
	struct err *e = types_size(kernel_types(k), "inactive_task_frame", &layout->frame_size);
	if (!e && kernel_member_offset(k, K_FRAME_R15, &layout->r15) &&
	    kernel_member_offset(k, K_FRAME_R14, &layout->r14) &&
	    kernel_member_offset(k, K_FRAME_R13, &layout->r13) &&
	    kernel_member_offset(k, K_FRAME_R12, &layout->r12) &&
	    kernel_member_offset(k, K_FRAME_BX, &layout->bx) &&
	    kernel_member_offset(k, K_FRAME_BP, &layout->bp) &&
	    kernel_member_offset(k, K_FRAME_RET_ADDR, &layout->ret_addr))
		return layout;
	err_free(e);
	layout->frame_size = 0;
	kernel_symbol(k, "ret_from_fork", &layout->fork_resume);
	layout->resume = x86_64_switch_resume(k);
	return layout;
}

/* Whether a task of an old kernel has never run; its flags lie in thread_info at the stack's base.
 */
static bool never_ran(const struct kernel *k, const struct switch_layout *layout,
		      const struct task *task)
{
	uint64_t flags;
	if (layout->frame_size)
		return false;
	struct err *e = kernel_read_path(k, task->stack, "thread_info", "flags", &flags);
	err_free(e);
	return !e && flags >> SWITCH_TIF_FORK & 1;
}

static bool registers_of_switch(const struct kernel *k, const struct switch_layout *layout,
				const struct task *task, const void *frame, struct regs *ret)
{
	return switch_registers(layout, task->sp, frame, never_ran(k, layout, task), ret);
}

/* ---- notes ---- */

/* In kernel mode gs points to the CPU's per-CPU area, in user mode kernel_gs_base does
 * (Documentation/x86/entry_64: swapgs). */
static bool has_gs_of(const struct cpu *cpu, const struct cpu_note *note)
{
	return note->from_qemu && cpu->offset &&
	       (note->system[NOTE_GS_NOW] == cpu->offset ||
		note->system[NOTE_KERNEL_GS_BASE] == cpu->offset);
}

/* QEMU before 3.0 leaves kernel_gs_base out. */
static bool note_has_mm(const struct kernel *k, const struct cpu_note *note, uint64_t mm)
{
	return !note->system[NOTE_KERNEL_GS_BASE] && host_space_is(k, mm, note->system[NOTE_CR3]);
}

static bool note_is_kernels(const struct kernel *k, const struct cpus *cpus,
			    const struct tasks *tasks, const struct cpu_note *note)
{
	return host_space_has(k, cpus, tasks, note->system[NOTE_CR3]);
}

static bool note_root(const struct kernel *k, const struct cpu_note *note, uint64_t *ret)
{
	return host_space_root(k, note->system[NOTE_CR3], ret);
}

/*
 * The kernel's own notes hold the value that gs has in user mode (arch/x86/include/asm/elf.h:
 * x86_gsbase_read_cpu_inactive()), which is not this CPU's while it is in the kernel. QEMU's hold
 * what it is.
 */
static void forget_untrue(struct regs *r)
{
	if (is_user_address(r->value[REG_GS_BASE]))
		regs_forget(r, REG_GS_BASE);
}

const struct tasks_arch x86_64_tasks = {
	.find_stacks = x86_64_find_stacks,
	.sp_of_task = x86_64_sp_of_task,
	.note_is_of = has_gs_of,
	.note_has_mm = note_has_mm,
	.note_is_kernels = note_is_kernels,
	.note_root = note_root,
	.forget_untrue = forget_untrue,
	.switch_words = x86_64_switch_words,
	.is_switched_out = x86_64_is_switched_out,
	.is_page_table = x86_64_is_page_table,
	.switch_layout = find_switch_layout,
	.switch_bytes = switch_frame_bytes,
	.switch_registers = registers_of_switch,
};
