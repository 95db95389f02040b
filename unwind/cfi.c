// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The CFI strategy: libdw finds the row of .debug_frame or .eh_frame that covers a pc, and what the
 * row says is carried out here.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <elfutils/libdw.h>

#include "base/file_map.h"
#include "unwind/cfi_expr.h"
#include "unwind/walk.h"

/*
 * What a register is in the caller when CFI does not mention it: the ABI says which a function
 * keeps. libdw has such defaults too and does not tell them from what CFI says, and not all are
 * right. So "undefined" is believed but for unwind_arch.wrongly_undefined, and "same value" of the
 * preserved ones alone.
 */
static bool preserved_by_abi(const struct walk *w, unsigned n)
{
	return w->source->arch->regs->kept >> n & 1;
}

/*
 * Compilers that are not asked for CFI that is right at every instruction (the kernel is built with
 * -fno-asynchronous-unwind-tables) do not take back in an epilogue that a register was saved. By
 * then its slot is below the stack pointer, where an interrupt may have written, and the register
 * itself has been restored.
 */
static bool is_popped(const struct walk *w, unsigned n, uint64_t slot)
{
	return preserved_by_abi(w, n) && slot >= w->stack.low && slot < walk_sp(w);
}

/* What a row says of one register. */
struct rule {
	Dwarf_Op memory[3]; /* libdw's, where ops points here */
	Dwarf_Op *ops;
	size_t count;
};

static void restore_from_place(struct walk *w, struct frame *caller, unsigned n,
			       enum cfi_where where, uint64_t place)
{
	switch (where) {
	case CFI_VALUE:
		regs_set(&caller->regs, n, place);
		break;
	case CFI_ADDRESS:
		if (is_popped(w, n, place))
			walk_keep(w, caller, n);
		else
			(void)walk_restore(w, caller, n, place);
		break;
	case CFI_REGISTER:
		if (place < w->source->arch->regs->dwarf_count && walk_knows(w, (unsigned)place))
			regs_set(&caller->regs, n, walk_reg(w, (unsigned)place));
		break;
	}
}

/* A register that cannot be recovered stays unknown in @caller. */
static void restore_register(struct walk *w, Dwarf_Frame *row, uint64_t bias, unsigned n,
			     struct frame *caller)
{
	struct rule rule;
	if (dwarf_frame_register(row, (int)n, rule.memory, &rule.ops, &rule.count) != 0)
		return;
	bool same = !rule.count && !rule.ops, undefined = !rule.count && rule.ops;
	if ((same && preserved_by_abi(w, n)) ||
	    (undefined && w->source->arch->wrongly_undefined >> n & 1)) {
		walk_keep(w, caller, n);
		return;
	}
	struct cfi_expr e = { rule.ops, rule.count, &w->cfa, bias, NULL };
	enum cfi_where where;
	uint64_t place;
	if (rule.count && cfi_evaluate(w, &e, &where, &place))
		restore_from_place(w, caller, n, where, place);
}

/* Whether the row says outright that the return address is nowhere: the outermost function's. */
static bool is_outermost(Dwarf_Frame *row, int return_column)
{
	struct rule rule;
	return dwarf_frame_register(row, return_column, rule.memory, &rule.ops, &rule.count) == 0 &&
	       !rule.count && rule.ops;
}

static bool find_cfa(struct walk *w, Dwarf_Frame *row, uint64_t bias, uint64_t *ret)
{
	Dwarf_Op *ops;
	size_t count;
	enum cfi_where where;
	if (dwarf_frame_cfa(row, &ops, &count) != 0 || !count) {
		walk_note(w, "CFI: no CFA: %s", dwarf_errmsg(-1));
		return false;
	}
	struct cfi_expr e = { ops, count, NULL, bias, NULL };
	if (!cfi_evaluate(w, &e, &where, ret))
		return false;
	if (where == CFI_REGISTER) {
		walk_note(w, "CFI: the CFA is a register's place");
		return false;
	}
	return true;
}

static enum step leave_by_row(struct walk *w, const struct orc_entry *entry, Dwarf_Frame *row,
			      uint64_t bias, struct frame *ret)
{
	const struct unwind_arch *arch = w->source->arch;
	const struct arch_regs *regs = arch->regs;
	enum cfa_by_table by_table = CFA_NOT_TOLD;
	struct frame caller = { .how = HOW_CFI };
	int return_column = dwarf_frame_info(row, NULL, NULL, &caller.interrupted);
	if (return_column != (int)regs->pc) {
		walk_note(w, "CFI: return address column %d is not %s's", return_column,
			  regs->names[regs->pc]);
		return STEP_NONE;
	}
	if (is_outermost(row, return_column))
		return STEP_BOTTOM;
	if (entry)
		by_table = arch->find_cfa(w, entry, &caller);
	if (by_table == CFA_UNKNOWN ||
	    (by_table == CFA_NOT_TOLD && !find_cfa(w, row, bias, &w->cfa)))
		return STEP_NONE;
	for (unsigned n = 0; n < regs->dwarf_count; n++)
		if (by_table != CFA_FOUND || n != regs->fp)
			restore_register(w, row, bias, n, &caller);
	if (!regs_known(&caller.regs, regs->pc) || !regs_known(&caller.regs, regs->sp)) {
		walk_note(w, "CFI: the return address cannot be found");
		return STEP_NONE;
	}
	if (arch->is_pushed && !arch->is_pushed(w, &caller))
		return STEP_NONE;
	*ret = caller;
	return STEP_CALLER;
}

enum step cfi_step(struct walk *w, const struct orc_entry *entry, struct frame *ret)
{
	const struct unwind_source *s = w->source;
	struct Dwarf_CFI_s *cfi;
	uint64_t bias;
	Dwarf_Frame *row;
	uint64_t faults = file_map_faults();
	if (!s->cfi || !s->cfi(s->self, w->pc, &cfi, &bias))
		return STEP_NONE;
	if (dwarf_cfi_addrframe(cfi, w->pc - bias, &row) != 0) {
		walk_note(w, "CFI: %s", dwarf_errmsg(-1));
		return STEP_NONE;
	}
	enum step step = leave_by_row(w, entry, row, bias, ret);
	free(row);
	if (file_map_faults() != faults) {
		walk_note(w, "CFI: its file was cut off while it was read");
		return STEP_NONE;
	}
	return step;
}
