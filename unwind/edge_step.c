// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The edge between user mode and the kernel: the first instructions of a system call, where rsp is
 * the user's still, or nothing, and the last ones before sysret or iret. Tables say that nothing
 * called this code, and rsp may lie on no stack. What was done since the first instruction, or is
 * done until the last, tells the user's registers: both are followed, one instruction at a time.
 *
 * entry_SYSCALL_64 and its like (arch/x86/entry/entry_64.S, entry_64_compat.S): the processor has
 * put rip into rcx and eflags into r11, and changed nothing else (Intel SDM vol. 2, SYSCALL).
 */
#include <string.h>

#include "base/err.h"
#include "unwind/decode.h"
#include "unwind/walk.h"

enum {
	INSNS_MAX = 96,	  /* on all paths */
	BRANCHES_MAX = 4, /* on one */
	ENTRY_MAX = 256,  /* bytes of a system call's entry, until pt_regs is there */
	PUSHES_MAX = 32,
	WORDS_MAX = 24, /* that are pushed on the way out */
	PAGE = 4096,
	GS_BASE_RSP = 9, /* bytes of mov %rsp,%gs:NUMBER */
};

/* @code holds zeros behind what could be read. */
static bool decode_at(struct walk *w, uint64_t pc, unsigned char code[DECODE_MAX],
		      struct decoded *ret)
{
	/* The page that follows may not be there. */
	const uint64_t in_page = PAGE - pc % PAGE;
	const size_t sizes[] = { DECODE_MAX, in_page < DECODE_MAX ? (size_t)in_page : DECODE_MAX };
	memset(code, 0, DECODE_MAX);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct err *e = w->source->read(w->source->self, pc, code, sizes[i]);
		bool read = !e;
		err_free(e);
		if (read)
			return decode(code, sizes[i], pc, ret);
	}
	return false;
}

/* What the frame of user mode has in any case. The base of gs may be the kernel's. */
static void begin_user(const struct walk *w, struct frame *user)
{
	*user = *w->frame;
	user->how = HOW_CODE;
	user->interrupted = true;
	regs_forget(&user->regs, REG_GS_BASE);
	regs_forget(&user->regs, REG_ORIG_RAX);
	user->saved_known &= ~(UINT32_C(1) << REG_GS_BASE | UINT32_C(1) << REG_ORIG_RAX);
}

/* @to is what @from is. */
static void copy(struct frame *f, enum reg to, enum reg from)
{
	if (regs_known(&f->regs, from))
		regs_set(&f->regs, to, f->regs.value[from]);
	else
		regs_forget(&f->regs, to);
	f->saved[to] = f->saved[from];
	f->saved_known &= ~(UINT32_C(1) << to);
	f->saved_known |= (f->saved_known >> from & 1) << to;
}

static void forget(struct frame *f, enum reg n)
{
	regs_forget(&f->regs, n);
	f->saved_known &= ~(UINT32_C(1) << n);
}

/* What SYSCALL has taken from the user, and SYSRET gives back. */
static bool by_sysret(struct frame *f, uint64_t cs)
{
	copy(f, REG_RIP, REG_RCX);
	copy(f, REG_EFLAGS, REG_R11);
	forget(f, REG_CS);
	forget(f, REG_SS);
	regs_set(&f->regs, REG_CS, cs);
	regs_set(&f->regs, REG_SS, USER_DS);
	return regs_known(&f->regs, REG_RIP) && is_user_address(f->regs.value[REG_RIP]);
}

/* ---- on the way in ---- */

/* What the entry has done so far. */
struct entering {
	bool rsp_gone;	  /* rsp is no longer the user's */
	uint64_t kept_at; /* where it was put; 0: nowhere yet */
	uint8_t pushed[PUSHES_MAX];
	unsigned pushes;
	uint16_t gone; /* general registers that are no longer the user's */
};

/* mov %rsp,%gs:NUMBER, or by rip: per-CPU variables are no longer at small addresses since 6.15. */
static bool keeps_rsp(const unsigned char *code, uint64_t pc, uint64_t percpu, uint64_t *ret)
{
	static const unsigned char absolute[] = { 0x65, 0x48, 0x89, 0x24, 0x25 };
	static const unsigned char by_rip[] = { 0x65, 0x48, 0x89, 0x25 };
	int32_t number;
	if (!memcmp(code, absolute, sizeof(absolute))) {
		memcpy(&number, code + sizeof(absolute), sizeof(number));
		*ret = percpu + (uint64_t)(int64_t)number;
	} else if (!memcmp(code, by_rip, sizeof(by_rip))) {
		memcpy(&number, code + sizeof(by_rip), sizeof(number));
		*ret = percpu + pc + GS_BASE_RSP - 1 + (uint64_t)(int64_t)number;
	} else {
		return false;
	}
	return true;
}

/* One instruction between the beginning and where the CPU stands; moves *pc. False if that is not
 * what such an entry does. */
static bool enter_one(struct walk *w, uint64_t percpu, uint64_t *pc, struct entering *s)
{
	unsigned char code[DECODE_MAX];
	struct decoded d;
	uint64_t at;
	if (!decode_at(w, *pc, code, &d))
		return false;
	if (d.flow == FLOW_JUMP && d.target > *pc && d.target <= w->pc) {
		*pc = d.target;
		return true;
	}
	if (d.flow != FLOW_NEXT)
		return false;
	if (percpu && !s->rsp_gone && keeps_rsp(code, *pc, percpu, &at))
		s->kept_at = at;
	*pc += d.len;
	if (d.act == ACT_PUSH) {
		if (!s->rsp_gone || s->pushes == PUSHES_MAX)
			return false;
		bool users = d.src != DECODE_NO_REG && !(s->gone >> d.src & 1);
		s->pushed[s->pushes++] = users ? d.src : DECODE_NO_REG;
		return true;
	}
	if (d.writes >> REG_RSP & 1) {
		if (s->pushes)
			return false;
		s->rsp_gone = true;
	}
	s->gone |= d.writes;
	return true;
}

static bool follow_entry(struct walk *w, const struct entry_edge *edge, struct entering *ret)
{
	struct entering s = { 0 };
	uint64_t pc = edge->syscall;
	if (!pc || w->pc < pc || w->pc - pc > ENTRY_MAX)
		return false;
	for (unsigned n = 0; pc < w->pc; n++)
		if (n == INSNS_MAX || !enter_one(w, edge->percpu, &pc, &s))
			return false;
	*ret = s;
	return pc == w->pc;
}

static enum step enter_step(struct walk *w, const struct entry_edge *edge, struct frame *ret)
{
	struct entering s;
	struct frame user;
	if (!follow_entry(w, edge, &s))
		return STEP_NONE;
	begin_user(w, &user);
	for (unsigned n = 0; n < GPR_COUNT; n++)
		if (s.gone >> n & 1)
			forget(&user, n);
	uint64_t rsp = walk_reg(w, REG_RSP);
	for (unsigned i = 0; i < s.pushes; i++)
		if (s.pushed[i] != DECODE_NO_REG &&
		    !walk_restore(w, &user, s.pushed[i], rsp + 8 * (s.pushes - 1 - i)))
			return STEP_NONE;
	if (s.kept_at)
		walk_restore(w, &user, REG_RSP, s.kept_at);
	if (!by_sysret(&user, edge->compat ? USER32_CS : USER_CS))
		return STEP_NONE;
	*ret = user;
	return STEP_CALLER;
}

/* ---- on the way out ---- */

/* A word that was pushed on the way: memory does not have it yet. */
struct word {
	uint64_t at, value, from;
	bool known, is_saved; /* what it is; that @from holds it */
};

struct leaving {
	struct walk *w;
	unsigned *insns; /* on all paths so far */
	struct frame f;	 /* as the registers are by now */
	struct word words[WORDS_MAX];
	unsigned count;
};

static bool on_some_stack(const struct walk *w, uint64_t address)
{
	struct unwind_stack stack;
	return w->source->stack(w->source->self, address, &stack);
}

/* The word at @at: the latest that was pushed there, or what memory has. */
static bool read_slot(struct leaving *l, uint64_t at, struct word *ret)
{
	for (unsigned i = l->count; i-- > 0;) {
		if (l->words[i].at == at) {
			*ret = l->words[i];
			return ret->known;
		}
	}
	*ret = (struct word){ .at = at, .from = at, .known = true, .is_saved = true };
	return on_some_stack(l->w, at) && walk_word(l->w, at, &ret->value);
}

static void set_from(struct frame *f, enum reg n, const struct word *word)
{
	forget(f, n);
	regs_set(&f->regs, n, word->value);
	if (!word->is_saved)
		return;
	f->saved[n] = word->from;
	f->saved_known |= UINT32_C(1) << n;
}

static void move_rsp(struct frame *f, uint64_t by)
{
	uint64_t rsp = f->regs.value[REG_RSP] + by;
	forget(f, REG_RSP);
	regs_set(&f->regs, REG_RSP, rsp);
}

static bool pop(struct leaving *l, const struct decoded *d)
{
	struct word word;
	bool wanted = d->dst != DECODE_NO_REG;
	if (!regs_known(&l->f.regs, REG_RSP) ||
	    (wanted && !read_slot(l, l->f.regs.value[REG_RSP], &word)))
		return false;
	move_rsp(&l->f, 8);
	if (wanted)
		set_from(&l->f, d->dst, &word);
	return true;
}

static bool push(struct leaving *l, const struct decoded *d)
{
	const struct frame *f = &l->f;
	struct word word = { 0 };
	if (l->count == WORDS_MAX || !regs_known(&f->regs, REG_RSP))
		return false;
	if (d->src != DECODE_NO_REG) {
		word = (struct word){ .value = f->regs.value[d->src],
				      .from = f->saved[d->src],
				      .known = regs_known(&f->regs, d->src),
				      .is_saved = f->saved_known >> d->src & 1 };
	} else if (d->base != DECODE_NO_REG && regs_known(&f->regs, d->base)) {
		read_slot(l, f->regs.value[d->base] + (uint64_t)d->number, &word);
	}
	move_rsp(&l->f, -(uint64_t)8);
	word.at = f->regs.value[REG_RSP];
	l->words[l->count++] = word;
	return true;
}

static bool is_sysret(const unsigned char *code, uint64_t *ret_cs)
{
	bool wide = code[0] == 0x48;
	*ret_cs = wide ? USER_CS : USER32_CS;
	return code[wide] == 0x0f && code[wide + 1] == 0x07;
}

static bool is_iretq(const unsigned char *code)
{
	return code[0] == 0x48 && code[1] == 0xcf;
}

static bool by_iret(struct leaving *l)
{
	uint64_t at = l->f.regs.value[REG_RSP];
	struct word word;
	if (!regs_known(&l->f.regs, REG_RSP))
		return false;
	for (unsigned i = PT_REGS_IRET; i < PT_REGS_WORDS; i++, at += 8) {
		if (!read_slot(l, at, &word))
			return false;
		set_from(&l->f, pt_regs_order[i], &word);
	}
	return regs_have_user_segments(&l->f.regs);
}

/* An instruction that goes on to the next, and is no pop or push. */
static bool change(struct leaving *l, const struct decoded *d)
{
	if (d->act == ACT_ADD && d->dst == REG_RSP && regs_known(&l->f.regs, REG_RSP)) {
		move_rsp(&l->f, (uint64_t)d->number);
		return true;
	}
	if (d->act == ACT_MOVE) {
		copy(&l->f, d->dst, d->src);
		return true;
	}
	for (unsigned n = 0; n < GPR_COUNT; n++)
		if (d->writes >> n & 1)
			forget(&l->f, n);
	return !d->stored;
}

static bool same(const struct frame *a, const struct frame *b)
{
	return a->regs.known == b->regs.known &&
	       !memcmp(a->regs.value, b->regs.value, sizeof(a->regs.value));
}

/* Both ways must lead to the same registers. */
static bool follow_both(struct leaving *l, uint64_t target, uint64_t next, unsigned branches);

/* Turns l->f, which is the frame at @pc, into that of user mode. */
static bool follow_exit(struct leaving *l, uint64_t pc, unsigned branches)
{
	unsigned char code[DECODE_MAX];
	struct decoded d;
	uint64_t cs;
	while (++*l->insns < INSNS_MAX && decode_at(l->w, pc, code, &d)) {
		if (is_sysret(code, &cs))
			return by_sysret(&l->f, cs);
		if (is_iretq(code))
			return by_iret(l);
		if (d.flow == FLOW_BRANCH)
			return follow_both(l, d.target, pc + d.len, branches);
		if (d.flow != FLOW_NEXT && d.flow != FLOW_JUMP)
			return false;
		pc = d.flow == FLOW_JUMP ? d.target : pc + d.len;
		bool done = d.act == ACT_POP	? pop(l, &d)
			    : d.act == ACT_PUSH ? push(l, &d)
						: change(l, &d);
		if (!done)
			return false;
	}
	return false;
}

static bool follow_both(struct leaving *l, uint64_t target, uint64_t next, unsigned branches)
{
	struct leaving other = *l;
	return branches < BRANCHES_MAX && follow_exit(&other, target, branches + 1) &&
	       follow_exit(l, next, branches + 1) && same(&l->f, &other.f);
}

static enum step leave_step(struct walk *w, struct frame *ret)
{
	unsigned insns = 0;
	struct leaving l = { .w = w, .insns = &insns };
	begin_user(w, &l.f);
	if (!follow_exit(&l, w->pc, 0))
		return STEP_NONE;
	*ret = l.f;
	return STEP_CALLER;
}

bool edge_is_at(const struct walk *w, struct entry_edge *ret)
{
	const struct unwind_source *s = w->source;
	return w->exact && s->edge && s->edge(s->self, walk_reg(w, REG_RIP), ret);
}

enum step edge_step(struct walk *w, struct frame *ret)
{
	struct entry_edge edge;
	if (!edge_is_at(w, &edge))
		return STEP_NONE;
	enum step step = enter_step(w, &edge, ret);
	return step == STEP_NONE ? leave_step(w, ret) : step;
}
