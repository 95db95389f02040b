/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Register images that the kernel writes whole: struct pt_regs and the pr_reg of ELF notes. */
#ifndef ARCH_X86_64_UNWIND_PT_REGS_H
#define ARCH_X86_64_UNWIND_PT_REGS_H

#include "arch/address.h"
#include "arch/x86_64/base/regs.h"

/*
 * struct pt_regs (arch/x86/include/asm/ptrace.h, 64-bit): 21 words, the same in every kernel, as
 * the entry code and the iret frame lay them out. struct user_regs_struct, which ELF's PRSTATUS
 * notes hold (arch/x86/include/asm/user_64.h), begins with the same words and has six more:
 * fs_base, gs_base, ds, es, fs, gs.
 */
enum { PT_REGS_WORDS = 21, USER_REGS_WORDS = 27 };

/* The first of the words that the CPU itself pushes: rip, cs, eflags, rsp, ss, the iret frame. */
enum { PT_REGS_IRET = 16 };

/* Segments (arch/x86/include/asm/segment.h): the kernel's; user mode's, of 64 and 32 bits. */
enum { KERNEL_CS = 0x10, KERNEL_DS = 0x18, USER_CS = 0x33, USER32_CS = 0x23, USER_DS = 0x2b };

/* eflags (Intel SDM vol. 1, 3.4.3): the bit that is always set; no flag is at the other or above.
 */
enum { EFLAGS_ALWAYS = 1 << 1, EFLAGS_END = 1 << 22 };

/* Which register each of the words is. */
extern const enum reg pt_regs_order[USER_REGS_WORDS];

/* What @word of such an image says of @n. Segments are 16 bits; above them, with FRED, lies what
 * the processor tells of the event (struct fred_cs and fred_ss, arch/x86/include/asm/ptrace.h). */
static inline uint64_t pt_regs_value(enum reg n, uint64_t word)
{
	return n == REG_CS || n == REG_SS ? word & 0xffff : word;
}

/* Makes known in @ret what the first @words words at @image say; the rest of @ret stays. */
void pt_regs_decode(const void *image, unsigned words, struct regs *ret);

/* Whether cs, ss and rip, which must be known, are what Linux gives to a process. */
static inline bool regs_have_user_segments(const struct regs *r)
{
	uint64_t cs = r->value[REG_CS];
	return (cs == USER_CS || cs == USER32_CS) && r->value[REG_SS] == USER_DS &&
	       is_user_address(r->value[REG_RIP]);
}

#endif
