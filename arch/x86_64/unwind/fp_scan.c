// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Compilers make a function's frame by push %rbp and mov %rsp,%rbp, not always in its first
 * instructions and with others in between, and take it down before others, too. At any one place a
 * function has it or not, whichever way it came there: the first instruction from there on that has
 * to do with the frame tells. What the stack holds must fit.
 */
#include "arch/x86_64/unwind/fp_scan.h"

#include "arch/x86_64/unwind/insn.h"
#include "arch/x86_64/unwind/steps.h"
#include "base/err.h"

enum {
	INSNS_MAX = 512, /* that are looked at, on all paths */
	PATHS_MAX = 48,
	PROLOGUE_MAX = 1024, /* bytes of a function in which it makes its frame, if at all */
	RSP = 4,	     /* numbers of registers in ModRM */
	RBP = 5,
	REX_B = 1,
	REX_R = 4,
};

struct path {
	uint64_t pc;
	int64_t depth; /* rsp there, less what it is now */
};

struct scan {
	struct walk *w;
	uint64_t function; /* where it begins; 0: unknown */
	struct path path;
	struct path others[PATHS_MAX]; /* where jumps lead to, the same place once */
	unsigned other_count, others_done, insns;
	uint64_t slot;
};

/* What an instruction says. */
enum says { SAYS_GO_ON, SAYS_NOTHING, SAYS_STATE };

static bool read_insn(const struct walk *w, uint64_t pc, struct insn *ret)
{
	static const size_t sizes[] = { INSN_MAX, 8, 5, 1 };
	unsigned char code[INSN_MAX];
	/* A page that follows may not be there. */
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct err *e = w->source->read(w->source->self, pc, code, sizes[i]);
		bool read = !e;
		err_free(e);
		if (read)
			return insn_decode(code, sizes[i], ret);
	}
	return false;
}

static bool is_one(const struct insn *i, unsigned char op)
{
	return i->map == MAP_1 && i->op == op;
}

/* A register in ModRM, of the sixteen. */
static unsigned whole_rm(const struct insn *i)
{
	return insn_rm(i) | (i->rex & REX_B ? 8 : 0);
}

static unsigned whole_reg(const struct insn *i)
{
	return insn_reg(i) | (i->rex & REX_R ? 8 : 0);
}

static bool is_direct(const struct insn *i)
{
	return i->has_modrm && insn_mod(i) == 3;
}

static bool is_move_to_rbp(const struct insn *i)
{
	if (!is_direct(i))
		return false;
	return (is_one(i, 0x89) && whole_reg(i) == RSP && whole_rm(i) == RBP) ||
	       (is_one(i, 0x8b) && whole_reg(i) == RBP && whole_rm(i) == RSP);
}

static bool is_conditional(const struct insn *i)
{
	return i->map == MAP_1 ? (i->op & 0xf0) == 0x70 || (i->op >= 0xe0 && i->op <= 0xe3)
			       : i->map == MAP_0F && (i->op & 0xf0) == 0x80;
}

/* lea N(%rbp),%rsp */
static bool is_back_to_frame(const struct insn *i)
{
	return is_one(i, 0x8d) && whole_reg(i) == RSP && insn_mod(i) != 3 && insn_mod(i) != 0 &&
	       insn_rm(i) == RBP && !(i->rex & REX_B);
}

/* How rsp moves by a push, a pop, or a sum with a constant; false for all else. */
static bool moves_rsp(const struct insn *i, int64_t *ret)
{
	if (i->map != MAP_1)
		return false;
	if ((i->op & 0xf8) == 0x50 || i->op == 0x68 || i->op == 0x6a || i->op == 0x9c ||
	    (i->op == 0xff && insn_reg(i) == 6))
		*ret = -8;
	else if (((i->op & 0xf8) == 0x58 && (i->op != 0x58 + RSP || i->rex & REX_B)) ||
		 i->op == 0x9d || (i->op == 0x8f && insn_mod(i) != 3))
		*ret = 8;
	else if ((i->op == 0x81 || i->op == 0x83) && is_direct(i) && whole_rm(i) == RSP &&
		 (insn_reg(i) == 0 || insn_reg(i) == 5))
		*ret = insn_reg(i) == 0 ? i->imm : -i->imm;
	else
		return false;
	return true;
}

/* What sets rsp otherwise, and what does not go on to the next instruction. */
static bool ends_path(const struct insn *i)
{
	if (i->map == MAP_0F) /* syscall, sysret, ud2, sysenter, sysexit */
		return i->op == 0x05 || i->op == 0x07 || i->op == 0x0b || i->op == 0x34 ||
		       i->op == 0x35;
	if (i->map != MAP_1)
		return false;
	switch (i->op) {
	case 0x5c: /* pop %rsp */
		return true;
	case 0x89:
		return is_direct(i) && whole_rm(i) == RSP;
	case 0x8b:
	case 0x8d:
		return whole_reg(i) == RSP;
	case 0x87:
		return is_direct(i) && (whole_rm(i) == RSP || whole_reg(i) == RSP);
	case 0x81:
	case 0x83: /* cmp leaves it alone */
		return is_direct(i) && whole_rm(i) == RSP && insn_reg(i) != 7;
	case 0xff:
		return insn_reg(i) == 3 || insn_reg(i) == 4 || insn_reg(i) == 5;
	default: /* enter, retf, int3, int, iret */
		return i->op == 0xc8 || (i->op >= 0xca && i->op <= 0xcf);
	}
}

static bool is_code(const struct scan *s, uint64_t address)
{
	uint64_t function;
	return s->w->source->is_text(s->w->source->self, address, &function);
}

static bool read_slot(const struct scan *s, uint64_t slot, uint64_t *ret)
{
	return walk_on_stack(s->w, slot, 8) && walk_word(s->w, slot, ret);
}

static uint64_t slot_of(const struct scan *s)
{
	return walk_reg(s->w, REG_RSP) + (uint64_t)s->path.depth;
}

/* There rsp points at the return address. */
static enum fp_state without_frame(struct scan *s)
{
	uint64_t word;
	s->slot = slot_of(s);
	return s->path.depth >= 0 && read_slot(s, s->slot, &word) && is_code(s, word - 1)
		       ? FP_NONE
		       : FP_UNKNOWN;
}

/* There rsp points at the caller's rbp, which is in rbp, too. */
static enum fp_state with_pushed(struct scan *s)
{
	uint64_t rbp, word;
	s->slot = slot_of(s);
	return s->path.depth >= 0 && walk_knows(s->w, REG_RBP) && read_slot(s, s->slot, &rbp) &&
			       rbp == walk_reg(s->w, REG_RBP) && read_slot(s, s->slot + 8, &word) &&
			       is_code(s, word - 1)
		       ? FP_PUSHED
		       : FP_UNKNOWN;
}

bool fp_makes_frame(const struct walk *w, uint64_t function)
{
	struct insn insn;
	uint64_t end = w->pc;
	if (!function || end < function)
		return false;
	if (end - function > PROLOGUE_MAX)
		end = function + PROLOGUE_MAX;
	for (uint64_t pc = function; pc < end && read_insn(w, pc, &insn); pc += insn.len)
		if (is_move_to_rbp(&insn))
			return true;
	return false;
}

static void remember(struct scan *s, uint64_t target)
{
	for (unsigned i = 0; i < s->other_count; i++)
		if (s->others[i].pc == target)
			return;
	if (s->other_count < PATHS_MAX && is_code(s, target))
		s->others[s->other_count++] = (struct path){ target, s->path.depth };
}

/* A jump within the function, or to another one in its place: that goes on as this one would. */
static bool returns_by(struct scan *s, uint64_t target, enum fp_state *ret)
{
	const struct unwind_source *source = s->w->source;
	if (!walk_asks(s->w)->is_return || !walk_asks(s->w)->is_return(source->self, target))
		return false;
	*ret = without_frame(s);
	return true;
}

/* Instructions that make or take down a frame, return, or call, which needs a frame. */
static bool tells(struct scan *s, const struct insn *i, enum fp_state *ret)
{
	bool is_call = is_one(i, 0xe8) || (is_one(i, 0xff) && insn_reg(i) == 2);
	if (is_one(i, 0xc3) || is_one(i, 0xc2) || (is_one(i, 0x50 + RBP) && !(i->rex & REX_B)))
		*ret = without_frame(s);
	else if (is_move_to_rbp(i))
		*ret = with_pushed(s);
	else if (is_one(i, 0x58 + RBP) && !(i->rex & REX_B))
		*ret = walk_knows(s->w, REG_RBP) && slot_of(s) == walk_reg(s->w, REG_RBP)
			       ? FP_FRAME
			       : FP_UNKNOWN;
	else if (is_one(i, 0xc9) || is_back_to_frame(i) ||
		 (is_call && fp_makes_frame(s->w, s->function)))
		*ret = FP_FRAME;
	else
		return false;
	return true;
}

static enum says look_at(struct scan *s, const struct insn *i, enum fp_state *ret)
{
	uint64_t next = s->path.pc + i->len, target = next + (uint64_t)i->imm;
	int64_t by;
	if (tells(s, i, ret))
		return SAYS_STATE;
	if (is_one(i, 0xe9) || is_one(i, 0xeb)) {
		if (returns_by(s, target, ret))
			return SAYS_STATE;
		remember(s, target);
		return SAYS_NOTHING;
	}
	if (is_conditional(i))
		remember(s, target);
	else if (moves_rsp(i, &by))
		s->path.depth = (int64_t)((uint64_t)s->path.depth + (uint64_t)by);
	else if (ends_path(i))
		return SAYS_NOTHING;
	s->path.pc = next;
	return SAYS_GO_ON;
}

static enum fp_state follow(struct scan *s)
{
	enum fp_state state = FP_UNKNOWN;
	enum says says = SAYS_GO_ON;
	struct insn insn;
	while (says == SAYS_GO_ON) {
		if (s->insns++ >= INSNS_MAX || !read_insn(s->w, s->path.pc, &insn))
			return FP_UNKNOWN;
		says = look_at(s, &insn, &state);
	}
	return state;
}

enum fp_state fp_scan(struct walk *w, uint64_t *ret_slot)
{
	struct scan s = { .w = w, .path = { .pc = w->pc } };
	if (!w->source->is_text(w->source->self, w->pc, &s.function))
		s.function = 0;
	for (;;) {
		enum fp_state state = follow(&s);
		if (state != FP_UNKNOWN) {
			*ret_slot = s.slot;
			return state;
		}
		if (s.others_done == s.other_count)
			return FP_UNKNOWN;
		s.path = s.others[s.others_done++];
	}
}
