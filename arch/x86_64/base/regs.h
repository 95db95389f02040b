/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers of x86-64. */
#ifndef ARCH_X86_64_BASE_REGS_H
#define ARCH_X86_64_BASE_REGS_H

#include "base/regs.h"

/*
 * The first 17 are in the order of the System V ABI's DWARF numbers (figure 3.36 there: 0 rax,
 * 1 rdx, 2 rcx, 3 rbx, 4 rsi, 5 rdi, 6 rbp, 7 rsp, 8-15, 16 return address), which CFI speaks.
 */
enum reg {
	REG_RAX,
	REG_RDX,
	REG_RCX,
	REG_RBX,
	REG_RSI,
	REG_RDI,
	REG_RBP,
	REG_RSP,
	REG_R8,
	REG_R9,
	REG_R10,
	REG_R11,
	REG_R12,
	REG_R13,
	REG_R14,
	REG_R15,
	REG_RIP,
	REG_EFLAGS,
	REG_CS,
	REG_SS,
	REG_DS,
	REG_ES,
	REG_FS,
	REG_GS,
	REG_FS_BASE,
	REG_GS_BASE,
	REG_ORIG_RAX,
	REG_COUNT
};
_Static_assert((int)REG_COUNT <= (int)REGS_MAX, "struct regs has room for all");

extern const struct arch_regs x86_64_regs;

#endif
