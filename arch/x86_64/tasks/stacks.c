// SPDX-License-Identifier: GPL-2.0-or-later
/* The stacks of a CPU. */
#include "arch/x86_64/tasks/x86_64.h"

#include "arch/x86_64/base/regs.h"
#include "arch/x86_64/unwind/pt_regs.h"
#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/names/types/types.h"

/*
 * The IRQ stack: a pointer to its top (irq_stack_ptr until 5.0, hardirq_stack_ptr since 5.2, within
 * pcpu_hot from 6.2 to 6.14), which until 5.0 was 64 bytes below the end of the union
 * irq_stack_union and since 5.12 is 8 bytes below the end of struct irq_stack.
 */
static void find_irq_stack(const struct kernel *k, struct cpu *cpu)
{
	struct types *t = kernel_types(k);
	uint64_t at, top, size, offset;
	struct err *e;
	if (types_offset(t, "pcpu_hot", "hardirq_stack_ptr", &offset) &&
	    cpu_symbol(k, cpu, "pcpu_hot", &at))
		at += offset;
	else if (!cpu_symbol(k, cpu, "hardirq_stack_ptr", &at) &&
		 !cpu_symbol(k, cpu, "irq_stack_ptr", &at))
		return;
	e = types_size(t, "irq_stack", &size);
	if (e) {
		err_free(e);
		e = types_size(t, "irq_stack_union", &size);
	}
	/* As large as a task's, where types do not tell (arch/x86/include/asm/page_64_types.h). */
	if (e && types_why_none(t)) {
		err_free(e);
		e = NULL;
		size = tasks_stack_size(k);
	}
	if (!e && kernel_get_u64(k, at, &top) && size && !(size & (size - 1))) {
		/* The stack is aligned to a page at least, and its top lies just below its end. */
		uint64_t end = (top + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
		cpu_add_stack(cpu, "IRQ", end - size, end);
	}
	err_free(e);
}

/*
 * The stacks in the cpu_entry_area, from 5.2 on (arch/x86/include/asm/cpu_entry_area.h): struct
 * cea_exception_stacks, at @area, has a member NAME_stack for each, and the stack on which the CPU
 * comes in from user mode lies in front of it.
 */
static void find_entry_area_stacks(const struct kernel *k, struct cpu *cpu, uint64_t area)
{
	static const char entry_area[] = "cpu_entry_area";
	static const struct {
		const char *name, *member;
	} stacks[] = {
		{ "NMI", "NMI_stack" }, { "DF", "DF_stack" }, { "DB", "DB_stack" },
		{ "MCE", "MCE_stack" }, { "VC", "VC_stack" }, { "VC2", "VC2_stack" },
	};
	for (size_t i = 0; i < sizeof(stacks) / sizeof(*stacks); i++) {
		struct member m;
		struct err *e =
			types_member(kernel_types(k), "cea_exception_stacks", stacks[i].member, &m);
		if (!e)
			cpu_add_stack(cpu, stacks[i].name, area + m.offset,
				      area + m.offset + m.size);
		err_free(e);
	}
	struct member entry;
	uint64_t exceptions;
	struct err *e = types_member(kernel_types(k), entry_area, "entry_stack_page", &entry);
	if (!e && types_offset(kernel_types(k), entry_area, "estacks", &exceptions)) {
		uint64_t low = area - exceptions + entry.offset;
		cpu_add_stack(cpu, "entry", low, low + entry.size);
	}
	err_free(e);
}

/* Before: the tops are in the per-CPU orig_ist.ist[], in the order of the vectors' IST numbers,
 * which changed over time. All but the debug stack are EXCEPTION_STKSZ (a page) long; a page each
 * is taken. */
static void find_ist_stacks(const struct kernel *k, struct cpu *cpu)
{
	struct member m;
	uint64_t at, top;
	if (!cpu_symbol(k, cpu, "orig_ist", &at))
		return;
	struct err *e = types_member(kernel_types(k), "orig_ist", "ist", &m);
	for (unsigned i = 0; !e && i < m.count && i < 7; i++)
		if (kernel_get_u64(k, at + m.offset + 8 * i, &top))
			cpu_add_stack(cpu, "IST", top - PAGE_SIZE, top);
	err_free(e);
}

/*
 * The same without types: each stack is a run of pages that are mapped, for in front of each, and
 * behind the last, there is one that is not.
 */
static void find_mapped_stacks(const struct kernel *k, struct cpu *cpu, uint64_t area)
{
	enum { PAGES_MAX = 64, STACK_PAGES_MAX = 16 /* with KASAN */ };
	uint64_t low = 0;
	for (unsigned page = 0; page < PAGES_MAX; page++) {
		uint64_t at = area + (uint64_t)page * PAGE_SIZE;
		struct vtop vtop;
		struct err *e = memory_vtop(kernel_memory(k), kernel_space(k), at, &vtop);
		bool there = !e;
		err_free(e);
		if (there) {
			low = low ? low : at;
			continue;
		}
		/* Two in a row: that was the last. */
		if (!low && page)
			return;
		if (low && at - low <= STACK_PAGES_MAX * PAGE_SIZE)
			cpu_add_stack(cpu, "exception", low, at);
		low = 0;
	}
}

/* And before: orig_ist has never had another member. */
static void find_untyped_ist_stacks(const struct kernel *k, struct cpu *cpu)
{
	enum { STACKS = 7 };
	uint64_t at, top;
	struct vtop vtop;
	if (!cpu_symbol(k, cpu, "orig_ist", &at))
		return;
	for (unsigned i = 0; i < STACKS && kernel_get_u64(k, at + 8 * i, &top); i++) {
		if (!top || top & (PAGE_SIZE - 1))
			return;
		struct err *e = memory_vtop(kernel_memory(k), kernel_space(k), top - 1, &vtop);
		if (!e)
			cpu_add_stack(cpu, "IST", top - PAGE_SIZE, top);
		err_free(e);
	}
}

static void find_untyped_stacks(const struct kernel *k, struct cpu *cpu)
{
	uint64_t at, area;
	if (!cpu_symbol(k, cpu, "cea_exception_stacks", &at))
		find_untyped_ist_stacks(k, cpu);
	else if (kernel_get_u64(k, at, &area) && area && !(area & (PAGE_SIZE - 1)))
		find_mapped_stacks(k, cpu, area);
}

void x86_64_find_stacks(const struct kernel *k, struct cpu *cpu)
{
	uint64_t at, area;
	find_irq_stack(k, cpu);
	if (types_why_none(kernel_types(k))) {
		find_untyped_stacks(k, cpu);
	} else if (cpu_symbol(k, cpu, "cea_exception_stacks", &at)) {
		if (kernel_get_u64(k, at, &area) && area)
			find_entry_area_stacks(k, cpu, area);
	} else {
		find_ist_stacks(k, cpu);
	}
}

static bool is_cs(uint64_t word)
{
	uint64_t cs = pt_regs_value(REG_CS, word);
	return cs == KERNEL_CS || cs == USER_CS || cs == USER32_CS;
}

/*
 * The rsp that the CPU of a note had on a task's stack: where an NMI or another exception came with
 * a stack of its own, that of what it stopped, which the CPU has pushed at its top (rip, cs,
 * eflags, rsp, ss: Intel SDM vol. 3, 6.14.4). With FRED two more words lie above them (struct
 * fred_frame, arch/x86/include/asm/ptrace.h).
 */
uint64_t x86_64_sp_of_task(const struct kernel *k, const struct cpu *cpu, uint64_t rsp)
{
	enum { CS, EFLAGS, RSP, SS, WORDS = 6 };
	const struct cpu_stack *stack = cpu_stack_at(cpu, rsp);
	unsigned char top[8 * WORDS];
	if (!stack)
		return rsp;
	struct err *e = kernel_read(k, stack->high - sizeof(top), top, sizeof(top));
	if (e) {
		err_free(e);
		return rsp;
	}
	const unsigned char *idt = top + 8 * (WORDS - 1 - SS);
	bool fred = !is_cs(get_u64(idt + 8 * CS)) && is_cs(get_u64(top + 8 * CS));
	return get_u64((fred ? top : idt) + 8 * RSP);
}
