// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/regs.h"

const char *reg_name(enum reg n)
{
	static const char *const names[REG_COUNT] = {
		"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp",     "rsp",	"r8",
		"r9",  "r10", "r11", "r12", "r13", "r14", "r15",     "rip",	"eflags",
		"cs",  "ss",  "ds",  "es",  "fs",  "gs",  "fs_base", "gs_base", "orig_rax",
	};
	return names[n];
}
