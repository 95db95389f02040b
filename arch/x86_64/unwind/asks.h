/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the strategies of x86-64 ask beside struct unwind_source: what the kernel's assembly is,
 * of which no table speaks. Behind unwind_source.asks.
 */
#ifndef ARCH_X86_64_UNWIND_ASKS_H
#define ARCH_X86_64_UNWIND_ASKS_H

#include <stdbool.h>
#include <stdint.h>

/* Code that enters a guest, between which and the exit registers are the guest's. */
enum guest_code {
	GUEST_ASSEMBLY, /* pushes what a callee keeps at its beginning; no table tells of the rest
			 */
	GUEST_INLINE,	/* compiled, with the entry as assembly in it: tables do not know its pushes
			 */
	GUEST_CALLED,	/* where the CPU comes back to in a function that the others call to enter:
			   the return address lies at rsp */
};

struct guest_entry {
	enum guest_code code;
	uint64_t function; /* where it begins; GUEST_CALLED: what was called. 0: unknown */
};

/* What a return address says of assembly that calls handlers, where no table does. */
enum unwind_handler {
	HANDLER_NONE,
	HANDLER_INTERRUPT, /* rsp points to the link to the stack before, where pt_regs is */
	HANDLER_EXCEPTION, /* rsp points to pt_regs */
};

/* How the kernel is entered. */
enum entry_by {
	ENTRY_BY_SYSCALL,
	ENTRY_BY_SYSCALL32, /* of 32-bit programs */
	ENTRY_BY_SYSENTER,  /* the same; rip and rsp are lost */
	ENTRY_BY_INT80,	    /* rip, cs, eflags, rsp, ss are pushed, on another stack */
	ENTRY_BY_FRED, /* from user mode, or within the kernel: error code, rip, cs ... pushed */
};

/* Entry code, where a CPU has just come from user mode or is about to go there. */
struct entry_edge {
	uint64_t start;	     /* where the entry begins that is not far before; or 0 */
	enum entry_by by;    /* that entry */
	uint64_t percpu;     /* what gs points at in the kernel; 0: unknown */
	uint64_t makes_regs; /* error_entry(), which exceptions call to save registers; or 0 */
};

/* Each takes unwind_source.self; NULL is as the last words of each row say. */
struct x86_asks {
	/* Whether the code at @pc is assembly that is known to leave rbx and r12-r15 alone, so that
	 * ORC, which does not speak of them, carries them over. May be NULL: none is. */
	bool (*keeps_callee_saved)(void *self, uint64_t pc);
	/* Whether the code at @pc enters guests and may hold the guest's registers. May be NULL:
	 * none does. */
	bool (*enters_guest)(void *self, uint64_t pc, struct guest_entry *ret);
	/* Whether the code at @pc is a system call's entry that leaves the user's rsp and eflags
	 * out of pt_regs, and the address where that rsp is kept (0: unknown). May be NULL: none
	 * is. */
	bool (*drops_user_rsp)(void *self, uint64_t pc, uint64_t *ret_kept_at);
	/* Whether @function, where it begins, is what returns are made to jump to. May be NULL:
	 * none is. */
	bool (*is_return)(void *self, uint64_t function);
	/* What the code at @pc calls, if it is the kernel's entry assembly. May be NULL. */
	enum unwind_handler (*calls_handler)(void *self, uint64_t pc);
	/* Whether @function, where it begins, jumps to where a register, or a word that changes,
	 * leads. May be NULL: none does. */
	bool (*is_thunk)(void *self, uint64_t function);
	/* Whether the code at @pc is the kernel's entry code, where rsp may be the user's. May be
	 * NULL: none is. */
	bool (*edge)(void *self, uint64_t pc, struct entry_edge *ret);
};

#endif
