// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/unwind/pt_regs.h"

#include "base/bytes.h"

const enum reg pt_regs_order[USER_REGS_WORDS] = {
	REG_R15,     REG_R14,	   REG_R13, REG_R12, REG_RBP,	 REG_RBX, REG_R11,
	REG_R10,     REG_R9,	   REG_R8,  REG_RAX, REG_RCX,	 REG_RDX, REG_RSI,
	REG_RDI,     REG_ORIG_RAX, REG_RIP, REG_CS,  REG_EFLAGS, REG_RSP, REG_SS,
	REG_FS_BASE, REG_GS_BASE,  REG_DS,  REG_ES,  REG_FS,	 REG_GS,
};

void pt_regs_decode(const void *image, unsigned words, struct regs *ret)
{
	const unsigned char *p = image;
	ret->arch = &x86_64_regs;
	for (unsigned i = 0; i < words && i < USER_REGS_WORDS; i++)
		regs_set(ret, pt_regs_order[i],
			 pt_regs_value(pt_regs_order[i], get_u64(p + 8 * i)));
}
