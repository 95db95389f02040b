// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The edge between user mode and the kernel: the first instructions of a system call, where rsp is
 * the user's still, or nothing, and the last ones before sysret or iret. Tables say that nothing
 * called this code, and rsp may lie on no stack. What was done since the first instruction, or is
 * done until the last, tells the user's registers: both are followed, one instruction at a time.
 *
 * entry_SYSCALL_64 and its like (arch/x86/entry/entry_64.S, entry_64_compat.S): the processor has
 * put rip into rcx and eflags into r11, and changed nothing else (Intel SDM vol. 2, SYSCALL).
 * SYSENTER comes with another rsp and keeps neither that nor rip (the same, SYSENTER): pt_regs has
 * zeros in their place until do_SYSENTER_32() has put there where it will return to. FRED
 * (arch/x86/entry/entry_64_fred.S) pushes all that it changes, for any event, and has the stack and
 * gs changed when the first instruction comes.
 */
#include <string.h>

#include "arch/x86_64/unwind/decode.h"
#include "arch/x86_64/unwind/steps.h"

enum {
	INSNS_MAX = 96,	  /* on all paths */
	BRANCHES_MAX = 4, /* on one */
	ENTRY_MAX = 256,  /* bytes of a system call's entry, until pt_regs is there */
	PUSHES_MAX = 32,
	WORDS_MAX = 24,	 /* that are pushed on the way out */
	GS_BASE_RSP = 9, /* bytes of mov %rsp,%gs:NUMBER */
};

/* What the frame of user mode has in any case. The base of gs may be the kernel's. */
static void begin_user(const struct walk *w, struct frame *user)
{
	*user = *w->frame;
	user->how = HOW_CODE;
	user->interrupted = true;
	walk_forget(user, REG_GS_BASE);
	walk_forget(user, REG_ORIG_RAX);
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

static void set_segments(struct frame *f, uint64_t cs)
{
	walk_forget(f, REG_CS);
	walk_forget(f, REG_SS);
	regs_set(&f->regs, REG_CS, cs);
	regs_set(&f->regs, REG_SS, USER_DS);
}

/* What SYSCALL has taken from the user, and SYSRET gives back. */
static bool by_sysret(struct frame *f, uint64_t cs)
{
	copy(f, REG_RIP, REG_RCX);
	copy(f, REG_EFLAGS, REG_R11);
	set_segments(f, cs);
	return regs_known(&f->regs, REG_RIP) && is_user_address(f->regs.value[REG_RIP]);
}

/* What SYSENTER has left of the user's. */
static void by_sysenter(struct frame *f)
{
	walk_forget(f, REG_RIP);
	walk_forget(f, REG_RSP);
	walk_forget(f, REG_EFLAGS);
	set_segments(f, USER32_CS);
}

/* ---- on the way in ---- */

/* What the entry has done so far. */
struct entering {
	bool rsp_gone;	  /* rsp is not the user's, or no longer */
	uint64_t kept_at; /* where it was put; 0: nowhere yet */
	bool rsp_in_r8;	  /* and, of a 32-bit program, there */
	bool moved;	  /* by INT80: from the stack that it pushed to */
	uint8_t base;	  /* the register that has where that was, or DECODE_NO_REG */
	unsigned base_up; /* words between there and what the processor has pushed */
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

/* mov %esp,%r8d */
static bool is_rsp_to_r8(const unsigned char *code)
{
	return code[0] == 0x41 && code[1] == 0x89 && code[2] == 0xe0;
}

static void enter_push(struct entering *s, uint8_t src)
{
	bool users = src != DECODE_NO_REG && !(s->gone >> src & 1);
	if (src == REG_R8 && s->rsp_in_r8)
		src = REG_RSP;
	else if (!users)
		src = DECODE_NO_REG;
	s->pushed[s->pushes++] = src;
}

/* mov %rsp,REGISTER, and the move to the task's stack behind it. False if rsp cannot become that.
 */
static bool enter_move(struct entering *s, const struct decoded *d)
{
	if (d->act == ACT_MOVE && d->src == REG_RSP && !s->moved) {
		s->base = d->dst;
		s->base_up = s->pushes;
	} else if (s->base != DECODE_NO_REG && d->writes >> s->base & 1) {
		s->base = DECODE_NO_REG;
	}
	if (!(d->writes >> REG_RSP & 1))
		return true;
	if (s->pushes && s->base == DECODE_NO_REG)
		return false;
	s->moved = s->base != DECODE_NO_REG;
	s->pushes = 0;
	s->rsp_gone = true;
	return true;
}

/* Makes the register what it was, if that is what was pushed last. */
static void enter_pop(struct entering *s, uint8_t dst)
{
	bool users = s->pushed[--s->pushes] == dst;
	s->gone = (uint16_t)((s->gone & ~(1U << dst)) | (unsigned)!users << dst);
}

/* One instruction between the beginning and where the CPU stands; moves *pc. False if that is not
 * what such an entry does. */
static bool enter_one(struct walk *w, uint64_t percpu, uint64_t *pc, struct entering *s)
{
	unsigned char code[DECODE_MAX];
	struct decoded d;
	uint64_t at;
	if (!walk_decode(w, *pc, code, &d))
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
		enter_push(s, d.src);
		return true;
	}
	if (d.act == ACT_POP) {
		if (!s->pushes || d.dst == DECODE_NO_REG)
			return false;
		enter_pop(s, d.dst);
		return true;
	}
	if (d.writes >> REG_R8 & 1)
		s->rsp_in_r8 = !s->rsp_gone && is_rsp_to_r8(code);
	s->gone |= d.writes;
	return enter_move(s, &d);
}

static bool follow_entry(struct walk *w, const struct entry_edge *edge, struct entering *ret)
{
	struct entering s = {
		.rsp_gone = edge->by >= ENTRY_BY_SYSENTER,
		.base = DECODE_NO_REG,
	};
	uint64_t pc = edge->start;
	if (!pc || w->pc < pc || w->pc - pc > ENTRY_MAX)
		return false;
	for (unsigned n = 0; pc < w->pc; n++)
		if (n == INSNS_MAX || !enter_one(w, edge->percpu, &pc, &s))
			return false;
	*ret = s;
	return pc == w->pc;
}

/* What the processor has pushed at @at: rip, cs, eflags, rsp, ss. */
static bool by_event(struct walk *w, struct frame *f, uint64_t at)
{
	if (!walk_on_other_stack(w, at, 8 * (PT_REGS_WORDS - PT_REGS_IRET)))
		return false;
	walk_forget(f, REG_CS);
	walk_forget(f, REG_SS);
	for (unsigned i = PT_REGS_IRET; i < PT_REGS_WORDS; i++, at += 8) {
		enum reg n = pt_regs_order[i];
		if (!walk_restore(w, f, n, at))
			return false;
		f->regs.value[n] = pt_regs_value(n, f->regs.value[n]);
	}
	return true;
}

static bool by_int80(struct walk *w, const struct entering *s, struct frame *f)
{
	uint64_t at = walk_reg(w, REG_RSP) + 8 * (uint64_t)s->pushes;
	if (s->moved) {
		if (s->base == DECODE_NO_REG || !walk_knows(w, (enum reg)s->base))
			return false;
		at = walk_reg(w, (enum reg)s->base) + 8 * (uint64_t)s->base_up;
	}
	return by_event(w, f, at) && regs_have_user_segments(&f->regs);
}

static bool came_by(struct walk *w, const struct entry_edge *edge, const struct entering *s,
		    struct frame *f)
{
	switch (edge->by) {
	case ENTRY_BY_FRED:
		return by_event(w, f, walk_reg(w, REG_RSP) + 8 * (uint64_t)(s->pushes + 1));
	case ENTRY_BY_INT80:
		return by_int80(w, s, f);
	case ENTRY_BY_SYSENTER:
		by_sysenter(f);
		return true;
	case ENTRY_BY_SYSCALL32:
		if (s->rsp_in_r8)
			copy(f, REG_RSP, REG_R8);
		walk_forget(f, REG_R8);
		return by_sysret(f, USER32_CS);
	case ENTRY_BY_SYSCALL:
		break;
	}
	return by_sysret(f, USER_CS);
}

static enum step enter_step(struct walk *w, const struct entry_edge *edge, struct frame *ret)
{
	struct entering s;
	struct frame user;
	if (!follow_entry(w, edge, &s))
		return STEP_NONE;
	begin_user(w, &user);
	for (unsigned n = 0; n < GPR_COUNT; n++)
		if (s.gone >> n & 1 && !(n == REG_R8 && s.rsp_in_r8))
			walk_forget(&user, n);
	uint64_t rsp = walk_reg(w, REG_RSP);
	for (unsigned i = 0; i < s.pushes; i++)
		if (s.pushed[i] != DECODE_NO_REG &&
		    !walk_restore(w, &user, s.pushed[i], rsp + 8 * (s.pushes - 1 - i)))
			return STEP_NONE;
	if (s.kept_at)
		walk_restore(w, &user, REG_RSP, s.kept_at);
	if (!came_by(w, edge, &s, &user))
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
	walk_forget(f, n);
	regs_set(&f->regs, n, pt_regs_value(n, word->value));
	if (!word->is_saved)
		return;
	f->saved[n] = word->from;
	f->saved_known |= UINT32_C(1) << n;
}

static void move_rsp(struct frame *f, uint64_t by)
{
	uint64_t rsp = f->regs.value[REG_RSP] + by;
	walk_forget(f, REG_RSP);
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
			walk_forget(&l->f, n);
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
	while (++*l->insns < INSNS_MAX && walk_decode(l->w, pc, code, &d)) {
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
	return w->exact && walk_asks(w)->edge &&
	       walk_asks(w)->edge(s->self, walk_reg(w, REG_RIP), ret);
}

/* Whether the frame's place is one of a system call's entry, which @edge is about. */
static bool is_near(const struct walk *w, const struct entry_edge *edge)
{
	return edge->start && w->pc - edge->start <= ENTRY_MAX;
}

bool edge_is_entry(const struct walk *w)
{
	struct entry_edge edge;
	return edge_is_at(w, &edge) && is_near(w, &edge);
}

void edge_forget_lost(const struct walk *w, struct frame *user)
{
	const struct unwind_source *s = w->source;
	struct entry_edge edge;
	struct regs *r = &user->regs;
	/* CFI of old entry code takes the end of the kernel's stack for it. */
	if (is_kernel_address(r->value[REG_RSP]))
		walk_forget(user, REG_RSP);
	if (user->how != HOW_REGS || r->value[REG_CS] != USER32_CS || !walk_asks(w)->edge ||
	    !walk_asks(w)->edge(s->self, w->pc, &edge) || !is_near(w, &edge))
		return;
	/* Programs of 32 bits do not have them: the kernel puts zeros there, or its own. */
	for (unsigned n = REG_R8; edge.by != ENTRY_BY_SYSCALL && n <= REG_R11; n++)
		walk_forget(user, n);
	if (edge.by != ENTRY_BY_SYSENTER || !regs_known(r, REG_RIP) || r->value[REG_RIP])
		return;
	walk_forget(user, REG_RIP);
	if (!r->value[REG_RSP])
		walk_forget(user, REG_RSP);
	walk_forget(user, REG_EFLAGS); /* without IF */
}

enum step edge_step(struct walk *w, struct frame *ret)
{
	struct entry_edge edge;
	if (!edge_is_at(w, &edge))
		return STEP_NONE;
	enum step step = enter_step(w, &edge, ret);
	return step == STEP_NONE ? leave_step(w, ret) : step;
}

/*
 * error_entry() returns where pt_regs is: on the task's stack, to which it was copied, if it came
 * from user mode. The instruction behind the call of it goes there (arch/x86/entry/entry_64.S,
 * idtentry_body, from 5.19 on), and before that ORC still has what the processor has pushed where
 * rsp now leads to pt_regs.
 */
enum step edge_moving_step(struct walk *w, struct frame *ret)
{
	static const unsigned char mov_rax_rsp[] = { 0x48, 0x89, 0xc4 };
	struct frame caller = { .how = HOW_REGS, .interrupted = true };
	unsigned char code[DECODE_MAX];
	struct entry_edge edge;
	struct decoded d;
	uint64_t pt_regs = walk_reg(w, REG_RAX);
	if (!edge_is_at(w, &edge) || !edge.makes_regs || !walk_knows(w, REG_RAX) ||
	    !walk_decode(w, w->pc, code, &d) ||
	    memcmp(code, mov_rax_rsp, sizeof(mov_rax_rsp)) != 0 ||
	    !walk_returns_from(w, w->pc, edge.makes_regs) ||
	    !walk_on_other_stack(w, pt_regs, PT_REGS_BYTES) ||
	    !walk_restore_pt_regs(w, &caller, pt_regs, 0))
		return STEP_NONE;
	w->cfa = pt_regs;
	*ret = caller;
	return STEP_CALLER;
}
