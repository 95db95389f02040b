/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The register set of an x86-64 CPU as a kernel dump knows it: a value and, for each register,
 * whether it is known. Unknown is an answer; nothing reads a register that is not known.
 */
#ifndef BASE_REGS_H
#define BASE_REGS_H

#include <stdbool.h>
#include <stdint.h>

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

struct regs {
	uint64_t value[REG_COUNT];
	uint32_t known; /* bit n: value[n] is known */
};

static inline void regs_set(struct regs *r, enum reg n, uint64_t value)
{
	r->value[n] = value;
	r->known |= UINT32_C(1) << n;
}

static inline void regs_forget(struct regs *r, enum reg n)
{
	r->value[n] = 0;
	r->known &= ~(UINT32_C(1) << n);
}

static inline bool regs_known(const struct regs *r, enum reg n)
{
	return r->known >> n & 1;
}

/* gdb's name of the register ("rax", "eflags", "fs_base", ...). */
const char *reg_name(enum reg n);

#endif
