/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long an x86-64 instruction is, and its parts, as far as compiled kernel code has them (Intel
 * SDM vol. 2, appendix A): no VEX, EVEX or 3DNow!. Private to unwind/.
 */
#ifndef ARCH_X86_64_UNWIND_INSN_H
#define ARCH_X86_64_UNWIND_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INSN_MAX = 15 };

enum insn_map { MAP_1, MAP_0F, MAP_0F38, MAP_0F3A };

struct insn {
	unsigned len;
	enum insn_map map;
	unsigned char rex; /* 0: none */
	unsigned char op;
	bool has_modrm;
	unsigned char modrm;
	int64_t imm; /* sign-extended; of a jump or call, the distance; 0 if there is none */
};

/* False if the @len bytes at @code hold no whole instruction that is known. */
bool insn_decode(const unsigned char *code, size_t len, struct insn *ret);

/* Fields of ModRM, without what REX adds. */
static inline unsigned insn_mod(const struct insn *i)
{
	return i->modrm >> 6;
}

static inline unsigned insn_reg(const struct insn *i)
{
	return i->modrm >> 3 & 7;
}

static inline unsigned insn_rm(const struct insn *i)
{
	return i->modrm & 7;
}

#endif
