// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The CFI strategy: libdw finds the row of .debug_frame or .eh_frame that covers a pc, and what the
 * row says is carried out here.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <elfutils/libdw.h>

#include "arch/x86_64/unwind/orc.h"
#include "base/address.h"
#include "base/file_map.h"
#include "unwind/cfi_expr.h"
#include "unwind/walk.h"

enum { DWARF_REGS = REG_RIP + 1 };

/*
 * What a register is in the caller when CFI does not mention it (System V ABI for x86-64, 3.2.1).
 * libdw has such defaults too and does not tell them from what CFI says, but they are wrong for two
 * registers: it takes rax for preserved in rbx's place (0.188, backends/x86_64_cfi.c). So
 * "undefined" is believed of all but rbx, and "same value" of the preserved ones alone.
 */
static bool preserved_by_abi(enum reg n)
{
	return n == REG_RBX || n == REG_RBP || (n >= REG_R12 && n <= REG_R15);
}

/*
 * Compilers that are not asked for CFI that is right at every instruction (the kernel is built with
 * -fno-asynchronous-unwind-tables) do not take back in an epilogue that a register was saved. By
 * then its slot is below rsp, where an interrupt may have written, and the register itself has been
 * restored.
 */
static bool is_popped(const struct walk *w, enum reg n, uint64_t slot)
{
	return preserved_by_abi(n) && slot >= w->stack.low && slot < walk_reg(w, REG_RSP);
}

/* What a row says of one register. */
struct rule {
	Dwarf_Op memory[3]; /* libdw's, where ops points here */
	Dwarf_Op *ops;
	size_t count;
};

static void restore_from_place(struct walk *w, struct frame *caller, enum reg n,
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
		if (place < DWARF_REGS && walk_knows(w, (enum reg)place))
			regs_set(&caller->regs, n, walk_reg(w, (enum reg)place));
		break;
	}
}

/* A register that cannot be recovered stays unknown in @caller. */
static void restore_register(struct walk *w, Dwarf_Frame *row, uint64_t bias, enum reg n,
			     struct frame *caller)
{
	struct rule rule;
	if (dwarf_frame_register(row, (int)n, rule.memory, &rule.ops, &rule.count) != 0)
		return;
	bool same = !rule.count && !rule.ops, undefined = !rule.count && rule.ops;
	if ((same && preserved_by_abi(n)) || (undefined && n == REG_RBX)) {
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

/*
 * ORC comes from following the instructions (objtool), so it knows what inline assembly does to the
 * stack, of which the compiler that wrote the CFI knows nothing: between the kernel's pushf and pop
 * CFI is 8 bytes off, and where the kernel changes to the IRQ stack it is on the wrong stack. Hence
 * the CFA and rbp by ORC where it has them. The slots of the other registers are counted from the
 * CFA and hold for either.
 */
static bool restore_by_orc(struct walk *w, const struct orc_entry *entry, struct frame *caller)
{
	return entry && orc_find_sp(w, entry, &w->cfa) && orc_restore_rbp(w, entry, w->cfa, caller);
}

/*
 * Whether what CFI of entry assembly takes for the words that the CPU has pushed can be those: such
 * CFI is written by people, and a word off it takes eflags for rsp. A kernel thread's first
 * function is called with zeros there.
 */
static bool is_pushed_by_cpu(struct walk *w, const struct frame *caller)
{
	enum { WORD = 8, SELECTOR_MAX = 0xffff, RING = 3 };
	const uint32_t both = UINT32_C(1) << REG_RIP | UINT32_C(1) << REG_RSP;
	uint64_t at = caller->saved[REG_RIP], cs, eflags, ss;
	uint64_t rip = caller->regs.value[REG_RIP], rsp = caller->regs.value[REG_RSP];
	if (!caller->interrupted || !rip)
		return true;
	if ((caller->saved_known & both) != both || caller->saved[REG_RSP] != at + 3 * WORD)
		return true; /* nothing that the CPU pushed, or not said so */
	if (!walk_word(w, at + WORD, &cs) || !walk_word(w, at + 2 * WORD, &eflags) ||
	    !walk_word(w, at + 4 * WORD, &ss))
		return false;
	bool user = (cs & RING) == RING;
	bool fits = user ? is_user_address(rip) : is_kernel_address(rip) && is_kernel_address(rsp);
	if (cs && cs <= SELECTOR_MAX && ss <= SELECTOR_MAX && eflags < EFLAGS_END && fits)
		return true;
	walk_note(w, "CFI: no registers that a CPU has pushed are at 0x%" PRIx64, at);
	return false;
}

static enum step leave_by_row(struct walk *w, const struct orc_entry *entry, Dwarf_Frame *row,
			      uint64_t bias, struct frame *ret)
{
	struct frame caller = { .how = HOW_CFI };
	int return_column = dwarf_frame_info(row, NULL, NULL, &caller.interrupted);
	if (return_column != REG_RIP) {
		walk_note(w, "CFI: return address column %d is not rip's", return_column);
		return STEP_NONE;
	}
	if (is_outermost(row, return_column))
		return STEP_BOTTOM;
	bool by_orc = restore_by_orc(w, entry, &caller);
	if (!by_orc && entry && entry->sp == ORC_SP_INDIRECT)
		return STEP_NONE;
	if (!by_orc && !find_cfa(w, row, bias, &w->cfa))
		return STEP_NONE;
	for (unsigned n = 0; n < DWARF_REGS; n++)
		if (!by_orc || n != REG_RBP)
			restore_register(w, row, bias, (enum reg)n, &caller);
	if (!regs_known(&caller.regs, REG_RIP) || !regs_known(&caller.regs, REG_RSP)) {
		walk_note(w, "CFI: the return address cannot be found");
		return STEP_NONE;
	}
	if (!is_pushed_by_cpu(w, &caller))
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
