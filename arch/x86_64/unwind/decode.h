/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One instruction as the analysis of stack frames (code_table.c) sees it: where control goes, which
 * registers change, and what it does to the stack. Zydis decodes; nothing else includes it. Private
 * to unwind/.
 */
#ifndef ARCH_X86_64_UNWIND_DECODE_H
#define ARCH_X86_64_UNWIND_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/base/regs.h"

enum { DECODE_MAX = 15 /* bytes of an instruction */, DECODE_NO_REG = 0xff, GPR_COUNT = 16 };

/* Where control goes next. */
enum flow {
	FLOW_NEXT,
	FLOW_JUMP,	    /* to target */
	FLOW_BRANCH,	    /* to target, or on */
	FLOW_CALL,	    /* of target */
	FLOW_JUMP_INDIRECT, /* by src, or by the word at base + index * scale + number */
	FLOW_CALL_INDIRECT,
	FLOW_RETURN,
	FLOW_TRAP, /* ud2 and its kin: whether it goes on is a handler's matter */
	FLOW_STOP, /* never to the next instruction, or nobody can say where to */
};

/* What it does that is followed; registers in "writes" and memory change otherwise. */
enum act {
	ACT_OTHER,
	ACT_PUSH,     /* src; DECODE_NO_REG: the word at base + number, or (no base) some other */
	ACT_POP,      /* to dst; DECODE_NO_REG: somewhere else */
	ACT_MOVE,     /* dst = src */
	ACT_ADD,      /* dst += number */
	ACT_ADDRESS,  /* dst = base + number */
	ACT_ALIGN,    /* dst &= number, which rounds down to a power of two */
	ACT_LOAD,     /* dst = the eight bytes at base + number */
	ACT_STORE,    /* the eight bytes at base + number = src (DECODE_NO_REG: some word) */
	ACT_CONSTANT, /* dst = number */
	ACT_TABLE,    /* dst = the entry of eight bytes at base + index * 8 + number */
	ACT_LEAVE,    /* rsp = rbp, and pop rbp */
};

struct decoded {
	uint64_t target;
	int64_t number;
	uint16_t writes; /* bit n: general register n (enum reg) */
	uint8_t len;
	uint8_t flow, act;	       /* enum flow, enum act */
	uint8_t dst, src, base, index; /* enum reg, below GPR_COUNT, or DECODE_NO_REG */
	uint8_t scale;
	uint8_t stored;	  /* bytes at base + number that change; 0: none, or not at such a place */
	bool if_not_zero; /* FLOW_BRANCH: taken where the result before it is not zero */
};

/* False if the @len bytes at @code, which lie at @pc, begin with no whole instruction. */
bool decode(const unsigned char *code, size_t len, uint64_t pc, struct decoded *ret);

#endif
