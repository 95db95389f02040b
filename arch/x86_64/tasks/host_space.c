// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/tasks/host_space.h"

#include <stddef.h>

#include "arch/x86_64/find/paging.h"
#include "base/err.h"
#include "vmcore/find/arch.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/tasks.h"

/* Whether @cr3 means the top-level table at @table, or under page table isolation its other half.
 */
static bool is_table(const struct kernel *k, uint64_t table, uint64_t cr3)
{
	uint64_t used = cr3 & CR3_ADDRESS & ~kernel_space(k)->c_mask;
	return used == table || used == (table | CR3_USER_HALF);
}

bool host_space_is(const struct kernel *k, uint64_t mm, uint64_t cr3)
{
	uint64_t pgd;
	struct vtop vtop;
	if (!mm)
		return false;
	struct err *e = kernel_read_path(k, mm, "mm_struct", "pgd", &pgd);
	if (!e)
		e = memory_vtop(kernel_memory(k), kernel_space(k), pgd, &vtop);
	bool same = !e && is_table(k, vtop.pa, cr3);
	err_free(e);
	return same;
}

/* For EFI calls and for patching code; the second is a pointer, renamed in 6.16. */
static bool is_special(const struct kernel *k, uint64_t cr3)
{
	static const char *const pointers[] = { "poking_mm", "text_poke_mm" };
	uint64_t mm;
	if (kernel_symbol(k, "efi_mm", &mm) && host_space_is(k, mm, cr3))
		return true;
	for (size_t i = 0; i < sizeof(pointers) / sizeof(*pointers); i++) {
		if (!kernel_symbol(k, pointers[i], &mm))
			continue;
		struct err *e = kernel_read_u64(k, mm, &mm);
		bool same = !e && host_space_is(k, mm, cr3);
		err_free(e);
		if (same)
			return true;
	}
	return false;
}

/* What the CPU has loaded, which a kernel thread may have borrowed from a process that is gone. */
static bool is_loaded_on(const struct kernel *k, const struct cpu *cpu, uint64_t cr3)
{
	uint64_t at, mm;
	if (cpu_symbol(k, cpu, "cpu_tlbstate", &at)) {
		struct err *e = kernel_read_path(k, at, "tlb_state", "loaded_mm", &mm);
		bool same = !e && host_space_is(k, mm, cr3);
		err_free(e);
		if (same)
			return true;
	}
	if (!cpu->curr)
		return false;
	struct err *e = kernel_read_path(k, cpu->curr, "task_struct", "active_mm", &mm);
	bool same = !e && host_space_is(k, mm, cr3);
	err_free(e);
	return same;
}

/* The other half of an isolated process has some of the kernel, too, so it goes last. */
bool host_space_root(const struct kernel *k, uint64_t cr3, uint64_t *ret)
{
	struct vspace space = *kernel_space(k);
	struct vtop own, other;
	uint64_t text;
	if (!x86_64_find.image_start(kernel_memory(k), &space, &text))
		return false;
	struct err *e = memory_vtop(kernel_memory(k), &space, text, &own);
	for (unsigned half = 0; !e && half < 2; half++) {
		space.root = cr3 & CR3_ADDRESS & ~space.c_mask;
		if (!half)
			space.root &= ~CR3_USER_HALF;
		struct err *failed = memory_vtop(kernel_memory(k), &space, text, &other);
		bool same = !failed && own.pa == other.pa;
		err_free(failed);
		if (same) {
			*ret = space.root;
			return true;
		}
	}
	err_free(e);
	return false;
}

bool host_space_has(const struct kernel *k, const struct cpus *cpus, const struct tasks *tasks,
		    uint64_t cr3)
{
	uint64_t root;
	if (is_table(k, kernel_space(k)->root, cr3))
		return true;
	if (types_why_none(kernel_types(k)))
		return host_space_root(k, cr3, &root);
	for (size_t i = 0; i < cpus->count; i++)
		if (is_loaded_on(k, &cpus->list[i], cr3))
			return true;
	uint64_t last = 0; /* threads of a process follow each other more often than not */
	for (size_t i = 0; i < tasks->count; i++) {
		uint64_t mm = tasks->list[i].mm;
		if (mm != last && host_space_is(k, mm, cr3))
			return true;
		last = mm;
	}
	return is_special(k, cr3);
}
