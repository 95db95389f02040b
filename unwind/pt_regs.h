/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Register images that the kernel writes whole: struct pt_regs and the pr_reg of ELF notes. */
#ifndef UNWIND_PT_REGS_H
#define UNWIND_PT_REGS_H

#include "base/regs.h"

/*
 * struct pt_regs (arch/x86/include/asm/ptrace.h, 64-bit): 21 words, the same in every kernel, as
 * the entry code and the iret frame lay them out. struct user_regs_struct, which ELF's PRSTATUS
 * notes hold (arch/x86/include/asm/user_64.h), begins with the same words and has six more:
 * fs_base, gs_base, ds, es, fs, gs.
 */
enum { PT_REGS_WORDS = 21, USER_REGS_WORDS = 27 };

/* The first of the words that the CPU itself pushes: rip, cs, eflags, rsp, ss, the iret frame. */
enum { PT_REGS_IRET = 16 };

/* Which register each of the words is. */
extern const enum reg pt_regs_order[USER_REGS_WORDS];

/* Makes known in @ret what the first @words words at @image say; the rest of @ret stays. */
void pt_regs_decode(const void *image, unsigned words, struct regs *ret);

/* Whether these are registers of user mode: the privilege level in cs (Intel SDM vol. 3, 3.4.2). */
static inline bool regs_user_mode(const struct regs *r)
{
	return regs_known(r, REG_CS) && (r->value[REG_CS] & 3) == 3;
}

#endif
