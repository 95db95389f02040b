// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Assembly that enters a guest (arch/x86/kvm/vmx/vmenter.S, svm/vmenter.S): it pushes the registers
 * that a callee keeps, and then holds the guest's in all of them, rbp as well, from before the
 * entry until well after the exit. ORC, where it goes by rbp, is wrong there, and of the others
 * nobody tells. But they were pushed in the order in which the code's beginning pushes them, just
 * below the return address, which is told by the call in front of it.
 */
#include <string.h>

#include "base/err.h"
#include "unwind/walk.h"

enum {
	CODE_BYTES = 64, /* of the beginning */
	PUSHES_MAX = 16,
	REX_B = 0x41,
	PUSH = 0x50,	/* to 0x57: rax rcx rdx rbx rsp rbp rsi rdi, and with REX.B r8 to r15 */
	WORDS_MAX = 32, /* between rsp and the return address; all kernels have 10 or 11 */
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

/* The pushes of the function at @function that come before @pc. */
static bool read_pushes(struct walk *w, uint64_t function, uint64_t pc, struct pushes *ret)
{
	unsigned char code[CODE_BYTES];
	struct err *e = w->source->read(w->source->self, function, code, sizeof(code));
	if (e) {
		walk_note(w, "read the function's beginning: %s", err_msg(e));
		err_free(e);
		return false;
	}
	uint64_t done = pc - function;
	unsigned len = done < CODE_BYTES ? (unsigned)done : CODE_BYTES;
	ret->count = 0;
	for (unsigned at = 0; at < len && ret->count < PUSHES_MAX;) {
		unsigned skip = passed_over(code + at, len - at);
		bool high = code[at] == REX_B && at + 1 < len;
		unsigned char op = code[at + high];
		if (!skip && (op & ~7) != PUSH)
			break;
		if (!skip)
			ret->list[ret->count++] = pushed[(op & 7) + 8 * high];
		at += skip ? skip : 1U + high;
	}
	return true;
}

/* Where the nearest return address behind a call of @function is. */
static bool find_return(struct walk *w, uint64_t function, uint64_t *ret)
{
	uint64_t word, slot = walk_reg(w, REG_RSP);
	if (slot % 8)
		return false;
	for (unsigned i = 0; i < WORDS_MAX && walk_on_stack(w, slot, 8); i++, slot += 8) {
		if (!walk_word(w, slot, &word))
			return false;
		if (!walk_returns_from(w, word, function))
			continue;
		*ret = slot;
		return true;
	}
	walk_note(w, "no return address behind a call of this function is near rsp");
	return false;
}

enum step entry_step(struct walk *w, uint64_t function, struct frame *ret)
{
	struct frame caller = { .how = HOW_FOUND };
	struct pushes pushes;
	uint64_t slot;
	if (!read_pushes(w, function, walk_reg(w, REG_RIP), &pushes) ||
	    !find_return(w, function, &slot) || !walk_restore(w, &caller, REG_RIP, slot))
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
