// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/image/cfi_state.h"

#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/unwind/code_table.h"
#include "arch/x86_64/unwind/pt_regs.h"

enum {
	WORD = 8,
	/* Numbers beyond enum reg's first 17. */
	DW_EFLAGS = 49,
	DW_CS = 51,
	DW_SS = 52,
};

const struct cfi_column cfi_columns[CFI_COLUMNS] = {
	{ REG_RAX, REG_RAX }, { REG_RDX, REG_RDX },	 { REG_RCX, REG_RCX }, { REG_RBX, REG_RBX },
	{ REG_RSI, REG_RSI }, { REG_RDI, REG_RDI },	 { REG_RBP, REG_RBP }, { REG_RSP, REG_RSP },
	{ REG_R8, REG_R8 },   { REG_R9, REG_R9 },	 { REG_R10, REG_R10 }, { REG_R11, REG_R11 },
	{ REG_R12, REG_R12 }, { REG_R13, REG_R13 },	 { REG_R14, REG_R14 }, { REG_R15, REG_R15 },
	{ REG_RIP, REG_RIP }, { REG_EFLAGS, DW_EFLAGS }, { REG_CS, DW_CS },    { REG_SS, DW_SS },
};

static struct cfi_rule *rule_of(struct cfi_state *s, enum reg reg)
{
	for (size_t i = 0; i < CFI_COLUMNS; i++)
		if (cfi_columns[i].reg == reg)
			return &s->rules[i];
	return NULL;
}

static void set_rule(struct cfi_state *s, enum reg reg, enum cfi_rule_kind kind, int offset)
{
	struct cfi_rule *rule = rule_of(s, reg);
	if (rule)
		*rule = (struct cfi_rule){ kind, offset };
}

/* ---- what ORC says ---- */

/* A frame that was left by a call and saved nothing but its caller's pc. */
struct cfi_state cfi_state_called(void)
{
	struct cfi_state s = { .cfa = CFA_REGISTER, .base = REG_RSP, .offset = WORD };
	set_rule(&s, REG_RIP, RULE_AT_CFA, -WORD);
	set_rule(&s, REG_RSP, RULE_CFA, 0);
	set_rule(&s, REG_RBP, RULE_SAME, 0);
	set_rule(&s, REG_CS, RULE_SAME, 0);
	set_rule(&s, REG_SS, RULE_SAME, 0);
	return s;
}

/* Nothing lies below, or nobody knows: a debugger ends there. */
static struct cfi_state bottom(void)
{
	struct cfi_state s = cfi_state_called();
	set_rule(&s, REG_RIP, RULE_UNDEFINED, 0);
	return s;
}

static bool base_register(enum orc_base base, enum reg *ret)
{
	static const struct {
		enum orc_base base;
		enum reg reg;
	} bases[] = {
		{ ORC_AX, REG_RAX },  { ORC_DX, REG_RDX },	    { ORC_DI, REG_RDI },
		{ ORC_BP, REG_RBP },  { ORC_SP, REG_RSP },	    { ORC_R10, REG_R10 },
		{ ORC_R13, REG_R13 }, { ORC_BP_INDIRECT, REG_RBP }, { ORC_SP_INDIRECT, REG_RSP },
	};
	for (size_t i = 0; i < sizeof(bases) / sizeof(*bases); i++) {
		if (bases[i].base == base) {
			*ret = bases[i].reg;
			return true;
		}
	}
	return false;
}

/* As orc_find_sp() in arch/x86_64/unwind/orc_step.c: BP_INDIRECT adds its offset before it reads,
 * SP_INDIRECT afterwards. */
static bool set_cfa(struct cfi_state *s, const struct orc_entry *entry)
{
	if (!base_register(entry->sp, &s->base))
		return false;
	s->cfa = entry->sp == ORC_SP_INDIRECT || entry->sp == ORC_BP_INDIRECT ? CFA_IN_MEMORY
									      : CFA_REGISTER;
	s->inner = entry->sp == ORC_BP_INDIRECT ? entry->sp_offset : 0;
	s->offset = entry->sp == ORC_BP_INDIRECT ? 0 : entry->sp_offset;
	return true;
}

/* The words from number @first on of a pt_regs lie at the CFA. */
static void set_pt_regs(struct cfi_state *s, unsigned first)
{
	for (unsigned i = first; i < PT_REGS_WORDS; i++)
		set_rule(s, pt_regs_order[i], RULE_AT_CFA, WORD * (int)(i - first));
}

static bool set_rbp(struct cfi_state *s, const struct orc_entry *entry)
{
	switch (entry->bp) {
	case ORC_UNDEFINED:
		return true;
	case ORC_PREV_SP:
		set_rule(s, REG_RBP, RULE_AT_CFA, entry->bp_offset);
		return true;
	case ORC_BP:
		set_rule(s, REG_RBP, RULE_AT_RBP, entry->bp_offset);
		return true;
	default:
		return false;
	}
}

static void keep_callee_saved(struct cfi_state *s)
{
	static const enum reg callee_saved[] = { REG_RBX, REG_R12, REG_R13, REG_R14, REG_R15 };
	for (size_t i = 0; i < sizeof(callee_saved) / sizeof(*callee_saved); i++)
		set_rule(s, callee_saved[i], RULE_SAME, 0);
}

/* ---- what the code says ---- */

static bool is_at(struct code_place place, enum code_base base, int offset)
{
	return place.base == base && place.offset == offset;
}

/* Whether the CFA that @entry leads to is that of which @r tells the distances. */
static bool is_same_cfa(const struct orc_entry *entry, const struct code_rules *r)
{
	const int64_t offset = entry->sp_offset, distance = r->rbp_distance;
	switch (entry->sp) {
	case ORC_SP:
		return (r->by_rsp && r->rsp_offset == offset) ||
		       (r->by_rbp && r->rbp_relative && r->rbp_offset + distance == offset);
	case ORC_BP:
		return (r->by_rbp && r->rbp_offset == offset) ||
		       (r->by_rsp && r->rbp_relative && r->rsp_offset - distance == offset);
	case ORC_SP_INDIRECT:
		return is_at(r->cfa_at, CODE_AT_RSP, 0) && r->cfa_add == offset;
	case ORC_BP_INDIRECT:
		return is_at(r->cfa_at, CODE_AT_RBP, entry->sp_offset) && !r->cfa_add;
	default:
		return false;
	}
}

/* Where the caller's code_kept[@i] is. Where it is both in its register and saved, the saved one is
 * what compilers would say. */
static struct cfi_rule kept_rule(const struct code_rules *r, unsigned i)
{
	static const enum cfi_rule_kind kinds[] = { [CODE_AT_CFA] = RULE_AT_CFA,
						    [CODE_AT_RSP] = RULE_AT_RSP,
						    [CODE_AT_RBP] = RULE_AT_RBP };
	const struct code_place at = r->saved[i];
	if (at.base != CODE_NOWHERE)
		return (struct cfi_rule){ kinds[at.base], at.offset };
	return (struct cfi_rule){ r->in_register >> i & 1 ? RULE_SAME : RULE_UNDEFINED, 0 };
}

/* Whether both can be true of rbp. */
static bool agrees_of_rbp(const struct cfi_rule *by_orc, const struct code_rules *r, unsigned i)
{
	const struct code_place at = r->saved[i];
	const bool kept = r->in_register >> i & 1;
	if (by_orc->kind == RULE_UNDEFINED || (!kept && at.base == CODE_NOWHERE))
		return true;
	if (by_orc->kind == RULE_SAME)
		return kept;
	if (by_orc->kind == RULE_AT_CFA)
		return is_at(at, CODE_AT_CFA, by_orc->offset);
	return true;
}

/* Adds to @s, which is ORC's. */
static void add_code(struct cfi_state *s, const struct orc_entry *entry, const struct code_rules *r)
{
	if (!is_same_cfa(entry, r))
		return;
	for (unsigned i = 0; i < CODE_KEPT; i++)
		if (code_kept[i] == REG_RBP && !agrees_of_rbp(rule_of(s, REG_RBP), r, i))
			return;
	for (unsigned i = 0; i < CODE_KEPT; i++) {
		struct cfi_rule *rule = rule_of(s, code_kept[i]);
		if (rule->kind == RULE_UNDEFINED)
			*rule = kept_rule(r, i);
	}
}

/* What the code alone says. A frame pointer stays true longer than rsp: of tasks that were switched
 * out rsp was told as if words had been popped already (arch/x86_64/unwind/switch.h). */
static struct cfi_state state_of_code(const struct code_rules *r)
{
	struct cfi_state s = cfi_state_called();
	if (r->by_rbp || r->by_rsp) {
		s.base = r->by_rbp ? REG_RBP : REG_RSP;
		s.offset = r->by_rbp ? r->rbp_offset : r->rsp_offset;
	} else {
		s.cfa = CFA_IN_MEMORY;
		s.base = r->cfa_at.base == CODE_AT_RBP ? REG_RBP : REG_RSP;
		s.inner = r->cfa_at.offset;
		s.offset = r->cfa_add;
	}
	for (unsigned i = 0; i < CODE_KEPT; i++)
		*rule_of(&s, code_kept[i]) = kept_rule(r, i);
	return s;
}

/* ---- rows ---- */

struct cfi_state cfi_state_of(const struct cfi_row *row, bool keeps_callee_saved)
{
	const struct orc_entry *entry = &row->entry;
	struct cfi_state s = cfi_state_called();
	if (row->code && row->code_first)
		return state_of_code(row->code);
	if (!row->valid || entry->type == ORC_NOTHING || entry->type == ORC_END ||
	    !set_cfa(&s, entry))
		return bottom();
	if (keeps_callee_saved)
		keep_callee_saved(&s);
	if (entry->type == ORC_REGS)
		set_pt_regs(&s, 0);
	else if (entry->type == ORC_REGS_PARTIAL)
		set_pt_regs(&s, PT_REGS_IRET);
	if (!set_rbp(&s, entry))
		return bottom();
	if (row->code && entry->type == ORC_CALL)
		add_code(&s, entry, row->code);
	return s;
}

bool cfi_state_same_cfa(const struct cfi_state *a, const struct cfi_state *b)
{
	return a->cfa == b->cfa && a->base == b->base && a->inner == b->inner &&
	       a->offset == b->offset;
}

bool cfi_state_same_rule(const struct cfi_rule *a, const struct cfi_rule *b)
{
	return a->kind == b->kind && a->offset == b->offset;
}

bool cfi_state_same(const struct cfi_state *a, const struct cfi_state *b)
{
	for (size_t i = 0; i < CFI_COLUMNS; i++)
		if (!cfi_state_same_rule(&a->rules[i], &b->rules[i]))
			return false;
	return cfi_state_same_cfa(a, b);
}
