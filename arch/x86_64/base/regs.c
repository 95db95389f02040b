// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/base/regs.h"

static const char *const names[REG_COUNT] = {
	"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp",     "rsp",	"r8",
	"r9",  "r10", "r11", "r12", "r13", "r14", "r15",     "rip",	"eflags",
	"cs",  "ss",  "ds",  "es",  "fs",  "gs",  "fs_base", "gs_base", "orig_rax",
};

/* The privilege level in cs (Intel SDM vol. 3, 3.4.2); Linux has nothing at 1 and 2. */
static enum regs_mode mode(const struct regs *r)
{
	static const enum regs_mode by_level[] = { REGS_MODE_KERNEL, REGS_MODE_NEITHER,
						   REGS_MODE_NEITHER, REGS_MODE_USER };
	return regs_known(r, REG_CS) ? by_level[r->value[REG_CS] & 3] : REGS_MODE_UNKNOWN;
}

const struct arch_regs x86_64_regs = {
	.names = names,
	.count = REG_COUNT,
	.dwarf_count = REG_RIP + 1,
	.pc = REG_RIP,
	.sp = REG_RSP,
	.fp = REG_RBP,
	.kept = UINT32_C(1) << REG_RBX | UINT32_C(1) << REG_RBP | UINT32_C(0xf) << REG_R12,
	.mode = mode,
};
