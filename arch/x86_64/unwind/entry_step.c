// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Code that enters a guest.
 *
 * Assembly (arch/x86/kvm/vmx/vmenter.S, svm/vmenter.S) pushes the registers that a callee keeps,
 * and then holds the guest's in all of them, rbp as well, from before the entry until well after
 * the exit. ORC, where it goes by rbp, is wrong there, and of the others nobody tells. But they
 * were pushed in the order in which the code's beginning pushes them, just below the return
 * address, which is told by the call in front of it.
 *
 * Before (VMX until 5.0, SVM until 5.6), the same is inline assembly in a C function, which pushes
 * rbp and others, and leaves those that it uses up to the compiler.
 */
#include <inttypes.h>
#include <string.h>

#include "arch/x86_64/unwind/steps.h"
#include "base/err.h"

enum {
	CODE_BYTES = 64, /* of the beginning, and of the end */
	PUSHES_MAX = 16,
	REX_B = 0x41,
	PUSH = 0x50, /* to 0x57: rax rcx rdx rbx rsp rbp rsi rdi, and with REX.B r8 to r15 */
	POP = 0x58,  /* to 0x5f, the same */
	RET = 0xc3,
	JMP_REL32 = 0xe9, /* what becomes of a return, to __x86_return_thunk */
	WORDS_MAX = 32,	  /* between rsp and the return address; all kernels have 10 or 11 */
};

/* In the order of the encoding. */
static const enum reg pushed[16] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8,	 REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

/* What the code pushes from its beginning on, before it does anything else. */
struct pushes {
	enum reg list[PUSHES_MAX];
	unsigned count;
	unsigned kept; /* how many, until all is pushed that a callee keeps */
	bool whole;    /* the code has gone past them */
};

static bool is_kept_by_callee(enum reg n)
{
	return n == REG_RBX || n == REG_RBP || (n >= REG_R12 && n <= REG_R15);
}

/* The length of an instruction that only marks the function's beginning or makes rbp the frame
 * pointer; 0 for others. */
static unsigned passed_over(const unsigned char *code, unsigned left)
{
	static const struct {
		unsigned char len, bytes[5];
	} known[] = {
		{ 4, { 0xf3, 0x0f, 0x1e, 0xfa } },	 /* endbr64 */
		{ 4, { 0x0f, 0x1f, 0x40, 0x00 } },	 /* what is made of it when nothing */
		{ 4, { 0x66, 0x0f, 0x1f, 0x00 } },	 /* jumps there (arch/x86/asm/ibt.h) */
		{ 5, { 0x0f, 0x1f, 0x44, 0x00, 0x00 } }, /* nop, where ftrace hooks in */
		{ 3, { 0x48, 0x89, 0xe5 } },		 /* mov %rsp,%rbp */
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (left >= known[i].len && !memcmp(code, known[i].bytes, known[i].len))
			return known[i].len;
	return 0;
}

static bool read_code(struct walk *w, uint64_t address, unsigned char *ret, size_t len)
{
	struct err *e = w->source->read(w->source->self, address, ret, len);
	if (e)
		walk_note(w, "read the code at 0x%" PRIx64 ": %s", address, err_msg(e));
	err_free(e);
	return !e;
}

/* The pushes of the function at @function that come before @pc. */
static bool read_pushes(struct walk *w, uint64_t function, uint64_t pc, struct pushes *ret)
{
	unsigned char code[CODE_BYTES];
	if (pc < function || !read_code(w, function, code, sizeof(code)))
		return false;
	uint64_t done = pc - function;
	unsigned at = 0, len = done < CODE_BYTES ? (unsigned)done : CODE_BYTES;
	*ret = (struct pushes){ .count = 0 };
	while (at < len && ret->count < PUSHES_MAX) {
		unsigned skip = passed_over(code + at, len - at);
		bool high = code[at] == REX_B && at + 1 < len;
		unsigned char op = code[at + high];
		if (!skip && (op & ~7) != PUSH)
			break;
		if (!skip) {
			enum reg n = pushed[(op & 7) + 8 * high];
			ret->list[ret->count++] = n;
			if (is_kept_by_callee(n))
				ret->kept = ret->count;
		}
		at += skip ? skip : 1U + high;
	}
	ret->whole = at < done;
	return true;
}

/* How many pops are all that the code at @pc still does before it returns; false if there is more
 * to it. */
static bool count_pops(struct walk *w, uint64_t pc, unsigned *ret)
{
	unsigned char code[CODE_BYTES];
	unsigned count = 0;
	struct err *e = w->source->read(w->source->self, pc, code, sizeof(code));
	if (e) {
		err_free(e);
		return false;
	}
	for (unsigned at = 0; at + 1 < CODE_BYTES; count++) {
		if (code[at] == RET || code[at] == JMP_REL32) {
			*ret = count;
			return true;
		}
		at += code[at] == REX_B;
		if ((code[at++] & ~7) != POP)
			return false;
	}
	return false;
}

/*
 * Whether the return address may lie @words above rsp: between the pushes that is certain, behind
 * them all that a callee keeps is there until the pops at the end, which are counted.
 */
static bool may_lie(struct walk *w, const struct pushes *p, unsigned words)
{
	unsigned pops;
	if (!p->whole)
		return words == p->count;
	return words >= p->kept || (count_pops(w, walk_reg(w, REG_RIP), &pops) && pops == words);
}

/* Where the return address behind a call of @function is. */
static bool find_return(struct walk *w, uint64_t function, const struct pushes *p, uint64_t *ret)
{
	uint64_t word, slot = walk_reg(w, REG_RSP), found = 0;
	for (unsigned i = 0; i < WORDS_MAX && walk_on_stack(w, slot, 8); i++, slot += 8) {
		if (!walk_word(w, slot, &word))
			return false;
		if (!walk_returns_from(w, word, function) || !may_lie(w, p, i))
			continue;
		if (found) {
			walk_note(w, "more than one return address behind a call of this function "
				     "is near rsp");
			return false;
		}
		found = slot;
		/* Just above its pushes, of which arguments may be popped again. */
		if (i <= p->count)
			break;
	}
	if (!found)
		walk_note(w, "no return address behind a call of this function is near rsp");
	else
		*ret = found;
	return found;
}

static enum step pushed_step(struct walk *w, uint64_t function, struct frame *ret)
{
	struct frame caller = { .how = HOW_FOUND };
	struct pushes pushes;
	uint64_t slot;
	if (walk_reg(w, REG_RSP) % 8 || !read_pushes(w, function, walk_reg(w, REG_RIP), &pushes) ||
	    !find_return(w, function, &pushes, &slot) || !walk_restore(w, &caller, REG_RIP, slot))
		return STEP_NONE;
	/* Those that are popped again already lie below rsp, where anything may have overwritten
	 * them. */
	for (unsigned i = 0; i < pushes.count; i++) {
		uint64_t at = slot - 8 * (i + 1);
		if (is_kept_by_callee(pushes.list[i]) && at >= walk_reg(w, REG_RSP) &&
		    !walk_restore(w, &caller, pushes.list[i], at))
			return STEP_NONE;
	}
	regs_set(&caller.regs, REG_RSP, slot + 8);
	w->cfa = slot + 8;
	*ret = caller;
	return STEP_CALLER;
}

/* All but rip and rsp is the guest's. */
static enum step called_step(struct walk *w, uint64_t function, struct frame *ret)
{
	struct frame caller = { .how = HOW_FOUND };
	uint64_t slot = walk_reg(w, REG_RSP);
	if (!walk_on_stack(w, slot, 8) || !walk_restore(w, &caller, REG_RIP, slot))
		return STEP_NONE;
	if (!function || !walk_returns_from(w, caller.regs.value[REG_RIP], function)) {
		walk_note(w, "no return address behind a call that enters a guest is at rsp");
		return STEP_NONE;
	}
	regs_set(&caller.regs, REG_RSP, slot + 8);
	w->cfa = slot + 8;
	*ret = caller;
	return STEP_CALLER;
}

enum step entry_step(struct walk *w, const struct guest_entry *entry, struct frame *ret)
{
	return entry->code == GUEST_CALLED ? called_step(w, entry->function, ret)
					   : pushed_step(w, entry->function, ret);
}

/* What the CPU comes back to there: two instructions that fetch what was pushed, and so tell it. */
static const struct {
	unsigned char first, len, bytes[6]; /* how long the first is, and both */
	unsigned char rbp, words;	    /* where rbp is, and how many there are in all */
} inline_exits[] = {
	/* VMX: mov %rcx,8(%rsp); pop %rcx. The vCPU, room for rcx, rbp, rdx */
	{ 5, 6, { 0x48, 0x89, 0x4c, 0x24, 0x08, 0x59 }, 2, 4 },
	/* SVM: vmsave; pop %rax. The vCPU, rbp */
	{ 3, 4, { 0x0f, 0x01, 0xdb, 0x58 }, 1, 2 },
};

/* Behind an instruction that faults when SVM or VMX is off (____kvm_handle_fault_on_reboot of
 * kvm_host.h), where a compiler had it in line: jmp over a call, that the fault goes to. */
enum { FAULT_CALL_LEN = 7, EXIT_BYTES = FAULT_CALL_LEN * 2 + sizeof(inline_exits->bytes) };

static unsigned fault_call_len(const unsigned char *code)
{
	static const unsigned char jmp_call[] = { 0xeb, 0x05, 0xe8 };
	return memcmp(code, jmp_call, sizeof(jmp_call)) == 0 ? FAULT_CALL_LEN : 0;
}

/* @code has EXIT_BYTES. */
static bool is_inline_exit(const unsigned char *code, size_t i)
{
	unsigned first = inline_exits[i].first;
	code += fault_call_len(code);
	if (memcmp(code, inline_exits[i].bytes, first) != 0)
		return false;
	code += first;
	code += fault_call_len(code);
	return memcmp(code, inline_exits[i].bytes + first, inline_exits[i].len - first) == 0;
}

bool entry_undo_inline(struct walk *w, struct frame *ret)
{
	unsigned char code[EXIT_BYTES];
	uint64_t rsp = walk_reg(w, REG_RSP);
	if (rsp % 8 || !read_code(w, walk_reg(w, REG_RIP), code, sizeof(code)))
		return false;
	for (size_t i = 0; i < sizeof(inline_exits) / sizeof(*inline_exits); i++) {
		uint64_t len = 8 * inline_exits[i].words;
		struct frame compiled = { .how = w->frame->how,
					  .interrupted = w->frame->interrupted };
		if (!is_inline_exit(code, i))
			continue;
		if (!walk_on_stack(w, rsp, len) ||
		    !walk_restore(w, &compiled, REG_RBP, rsp + 8 * inline_exits[i].rbp))
			return false;
		regs_set(&compiled.regs, REG_RIP, walk_reg(w, REG_RIP));
		regs_set(&compiled.regs, REG_RSP, rsp + len);
		*ret = compiled;
		return true;
	}
	return false;
}
