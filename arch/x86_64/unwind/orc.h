/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ORC entries: what a kernel's .orc_unwind tables say about a range of code, decoded from any of
 * the formats that kernels have had into one form. The search for the entry of a pc is the
 * business of whoever holds the tables.
 */
#ifndef ARCH_X86_64_UNWIND_ORC_H
#define ARCH_X86_64_UNWIND_ORC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * struct orc_entry on disk (arch/x86/include/asm/orc_types.h): 6 bytes, two s16 (sp_offset,
 * bp_offset) and a word of bit fields, sp_reg in bits 3:0 and bp_reg in 7:4 in all formats.
 */
enum { ORC_RAW_BYTES = 6, ORC_HEADER_BYTES = 20 };

/* By the first upstream kernel that has it; distributions backport, so nothing tests versions. */
enum orc_format {
	ORC_FORMAT_4_14, /* type 9:8, end 10 (no kernel before 4.16 sets end) */
	ORC_FORMAT_6_3,	 /* type 9:8, signal 10, end 11 */
	ORC_FORMAT_6_4,	 /* type 10:8 with values of its own, signal 11 */
	ORC_FORMAT_7_1,	 /* as 6.4, registers renumbered */
};

/* What an address is counted from. */
enum orc_base {
	ORC_UNDEFINED, /* the register is what it was */
	ORC_PREV_SP,   /* the CFA */
	ORC_AX,	       /* from 7.1 on */
	ORC_DX,
	ORC_DI,
	ORC_BP,
	ORC_SP,
	ORC_R10,
	ORC_R13,
	ORC_BP_INDIRECT, /* [rbp + offset] */
	ORC_SP_INDIRECT, /* [rsp] + offset */
};

enum orc_type {
	ORC_NOTHING,	  /* the code has no unwind information */
	ORC_END,	  /* nothing called this code */
	ORC_CALL,	  /* sp + offset is the CFA, the return address just below it */
	ORC_REGS,	  /* sp + offset is where a whole pt_regs lies */
	ORC_REGS_PARTIAL, /* sp + offset is where an iret frame lies */
};

struct orc_entry {
	int16_t sp_offset, bp_offset;
	enum orc_base sp, bp;
	enum orc_type type;
	bool signal; /* the frame this leads to was interrupted, not left by a call */
};

/* False if the @ORC_RAW_BYTES at @raw are no entry of that format. */
bool orc_decode(enum orc_format format, const void *raw, struct orc_entry *ret);

/* The format that the hash in a kernel's .orc_header stands for; false if it is not one we know. */
bool orc_format_of_header(const uint8_t hash[ORC_HEADER_BYTES], enum orc_format *ret);

/*
 * The format of a table without a header, by what its @count entries at @raw look like; false if
 * they look like none. More entries make a better guess; some hundred are enough.
 */
bool orc_format_guess(const void *raw, size_t count, enum orc_format *ret);

#endif
