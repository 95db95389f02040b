// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The strategy that follows the function's own instructions (code_table.h): they say where the
 * registers are that a callee keeps, of which ORC and frame pointers do not speak, and where no
 * table says anything, where the return address is.
 */
#include <inttypes.h>
#include <string.h>

#include "arch/x86_64/unwind/code_table.h"
#include "arch/x86_64/unwind/decode.h"
#include "arch/x86_64/unwind/steps.h"
#include "base/err.h"

struct ways {
	uint64_t cfa;
	bool found, differ;
};

static void add_way(struct ways *ways, uint64_t cfa)
{
	ways->differ |= ways->found && ways->cfa != cfa;
	ways->cfa = cfa;
	ways->found = true;
}

/* The address of @place, by registers of the frame. */
static bool find_place(const struct walk *w, struct code_place place, uint64_t cfa, uint64_t *ret)
{
	uint64_t base = cfa;
	if (place.base == CODE_NOWHERE || (place.base == CODE_AT_RBP && !walk_knows(w, REG_RBP)))
		return false;
	if (place.base == CODE_AT_RSP)
		base = walk_reg(w, REG_RSP);
	else if (place.base == CODE_AT_RBP)
		base = walk_reg(w, REG_RBP);
	*ret = base + (uint64_t)(int64_t)place.offset;
	return true;
}

/* The CFA, if all ways that lead to it agree. */
static bool find_cfa(struct walk *w, const struct code_rules *r, uint64_t *ret)
{
	const uint64_t rsp = walk_reg(w, REG_RSP), rbp = walk_reg(w, REG_RBP);
	const bool has_rbp = walk_knows(w, REG_RBP);
	struct ways ways = { 0 };
	uint64_t at, word;
	if (r->by_rsp)
		add_way(&ways, rsp + (uint64_t)(int64_t)r->rsp_offset);
	if (r->by_rbp && has_rbp)
		add_way(&ways, rbp + (uint64_t)(int64_t)r->rbp_offset);
	if (find_place(w, r->cfa_at, 0, &at) && walk_on_other_stack(w, at, 8) &&
	    walk_word(w, at, &word))
		add_way(&ways, word + (uint64_t)(int64_t)r->cfa_add);
	if (r->rbp_relative && has_rbp)
		ways.differ |= rbp != rsp + (uint64_t)(int64_t)r->rbp_distance;
	if (ways.differ)
		walk_note(w,
			  "code: rsp, rbp and what they lead to do not fit together at 0x%" PRIx64,
			  w->pc);
	*ret = ways.cfa;
	return ways.found && !ways.differ;
}

static bool find_rules(const struct walk *w, struct code_rules *ret, uint64_t *ret_function)
{
	const struct unwind_source *s = w->source;
	return s->code && !w->no_code &&
	       s->code(s->self, w->exact ? w->pc : w->pc + 1, w->exact, ret, ret_function);
}

/*
 * The caller's code_kept[@i]. Where it has been saved and is in its register still, both must be
 * the same; if not, one is no longer what the code had left there.
 */
static void restore(struct walk *w, const struct code_rules *r, unsigned i, uint64_t cfa,
		    struct frame *caller)
{
	const enum reg n = code_kept[i];
	const bool kept = r->in_register >> i & 1;
	uint64_t at;
	if (find_place(w, r->saved[i], cfa, &at)) {
		if (!walk_on_other_stack(w, at, 8) || !walk_restore(w, caller, n, at))
			return;
		if (kept && walk_knows(w, n) && walk_reg(w, n) != caller->regs.value[n]) {
			walk_forget(caller, n);
		}
	} else if (kept) {
		walk_keep(w, caller, n);
	}
}

/* Whether @r is of a switch whose two words are told to be popped already, and leads to the same
 * CFA then: *r is as it is behind them from now on. */
static bool is_switched(struct walk *w, struct code_rules *r)
{
	struct code_rules behind;
	uint64_t cfa;
	if (w->frame->how != HOW_SWITCH || !code_rules_behind_switch(r, &behind) ||
	    !find_cfa(w, &behind, &cfa) || cfa != w->cfa)
		return false;
	*r = behind;
	return true;
}

void code_add(struct walk *w, struct frame *caller)
{
	struct frame by_code = { 0 };
	struct code_rules rules;
	uint64_t cfa, function;
	if (caller->interrupted || !find_rules(w, &rules, &function))
		return;
	if (is_switched(w, &rules))
		cfa = w->cfa;
	else if (!find_cfa(w, &rules, &cfa))
		return;
	if (cfa != w->cfa || caller->regs.value[REG_RSP] != cfa)
		return;
	for (unsigned i = 0; i < CODE_KEPT; i++) {
		const enum reg n = code_kept[i];
		restore(w, &rules, i, cfa, &by_code);
		if (regs_known(&by_code.regs, n) && regs_known(&caller->regs, n) &&
		    by_code.regs.value[n] != caller->regs.value[n])
			return;
	}
	for (unsigned i = 0; i < CODE_KEPT; i++) {
		const enum reg n = code_kept[i];
		if (!regs_known(&by_code.regs, n) || regs_known(&caller->regs, n))
			continue;
		regs_set(&caller->regs, n, by_code.regs.value[n]);
		if (by_code.saved_known >> n & 1) {
			caller->saved[n] = by_code.saved[n];
			caller->saved_known |= UINT32_C(1) << n;
		}
	}
}

/* Whether @function begins as what is called does, and not as a label within another function may:
 * where ftrace hooks in or indirect calls may lead to, or with a frame. */
static bool is_entry(const struct walk *w, uint64_t function)
{
	enum { ENTRY_BYTES = 5, CALL_REL32 = 0xe8 };
	static const struct {
		unsigned char bytes[ENTRY_BYTES];
		size_t len;
	} begins[] = {
		/* In place of a call of __fentry__: the nop of five bytes, as newer CPUs have it
		 * and as older ones do (arch/x86/include/asm/nops.h: P6_NOP5_ATOMIC,
		 * K8_NOP5_ATOMIC). */
		{ { 0x0f, 0x1f, 0x44, 0x00, 0x00 }, 5 },
		{ { 0x66, 0x66, 0x66, 0x66, 0x90 }, 5 },
		{ { 0xf3, 0x0f, 0x1e, 0xfa }, 4 }, /* endbr64 */
		{ { 0x55, 0x48, 0x89, 0xe5 }, 4 }, /* push %rbp; mov %rsp,%rbp */
	};
	unsigned char code[ENTRY_BYTES];
	struct err *e = w->source->read(w->source->self, function, code, sizeof(code));
	bool read = !e;
	err_free(e);
	for (size_t i = 0; read && i < sizeof(begins) / sizeof(*begins); i++)
		if (!memcmp(code, begins[i].bytes, begins[i].len))
			return true;
	return read && code[0] == CALL_REL32;
}

/* Whether the instruction before @address calls whatever a register or memory says. */
static bool is_behind_pointer(const struct walk *w, uint64_t address)
{
	enum { SHORTEST = 2, LONGEST = 8, CALL_BYTES = 5 };
	const struct unwind_source *s = w->source;
	unsigned char code[LONGEST];
	struct decoded d;
	uint64_t function;
	if (address < LONGEST || !s->is_text(s->self, address - 1, &function))
		return false;
	struct err *e = s->read(s->self, address - LONGEST, code, sizeof(code));
	bool read = !e;
	err_free(e);
	for (unsigned len = SHORTEST; read && len <= LONGEST; len++) {
		if (!decode(code + LONGEST - len, len, address - len, &d) || d.len != len)
			continue;
		if (d.flow == FLOW_CALL_INDIRECT)
			return true;
		if (len == CALL_BYTES && d.flow == FLOW_CALL && walk_asks(w)->is_thunk &&
		    walk_asks(w)->is_thunk(s->self, d.target))
			return true;
	}
	return false;
}

/* Whether a call of @function may return to @address. */
static bool returns_to(struct walk *w, uint64_t function, uint64_t address)
{
	if (walk_returns_from(w, address, function) ||
	    (is_entry(w, function) && is_behind_pointer(w, address)))
		return true;
	walk_note(w, "code: 0x%" PRIx64 " is behind no call of this function", address);
	return false;
}

enum step code_step(struct walk *w, struct frame *ret)
{
	struct frame caller = { .how = HOW_CODE };
	struct code_rules rules;
	uint64_t cfa, function;
	if (!find_rules(w, &rules, &function)) {
		if (w->source->code)
			walk_note(w, "code: what the stack holds at 0x%" PRIx64 " is not known",
				  w->pc);
		return STEP_NONE;
	}
	if (!find_cfa(w, &rules, &cfa) || !walk_on_other_stack(w, cfa - 8, 8) ||
	    !walk_restore(w, &caller, REG_RIP, cfa - 8) ||
	    !returns_to(w, function, caller.regs.value[REG_RIP]))
		return STEP_NONE;
	for (unsigned i = 0; i < CODE_KEPT; i++)
		restore(w, &rules, i, cfa, &caller);
	regs_set(&caller.regs, REG_RSP, cfa);
	w->cfa = cfa;
	*ret = caller;
	return STEP_CALLER;
}
