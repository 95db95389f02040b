/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shapes of the debugging information entries (DIEs) that are written: which attributes each
 * has, in which form. DWARF 4, section 7.5.
 */
#ifndef VMCORE_IMAGE_DWARF_DWARF_ABBREV_H
#define VMCORE_IMAGE_DWARF_DWARF_ABBREV_H

#include <stdint.h>

struct buf;

enum die {
	DIE_UNIT,
	DIE_BASE_TYPE,
	DIE_POINTER,
	DIE_ARRAY,
	DIE_SUBRANGE,
	DIE_STRUCT,
	DIE_UNION,
	DIE_MEMBER,
	DIE_ENUM,
	DIE_ENUMERATOR, /* its value unsigned */
	DIE_SIGNED_ENUMERATOR,
	DIE_TYPEDEF,
	DIE_CONST,
	DIE_VOLATILE,
	DIE_RESTRICT,
	DIE_PROTOTYPE,
	DIE_PARAMETER,
	DIE_MORE_PARAMETERS,
	DIE_FUNCTION,
	DIE_VARIABLE,
	DIE_KINDS,
};

/* What makes a DIE's shape; which of them a kind of DIE looks at is in its row of the table. */
enum die_flag {
	DIE_NAMED = 1 << 0,
	DIE_TYPED = 1 << 1,
	DIE_PARENT = 1 << 2,   /* other DIEs follow inside of it */
	DIE_PLACED = 1 << 3,   /* its address is known */
	DIE_GLOBAL = 1 << 4,   /* visible outside of its source file */
	DIE_BITS = 1 << 5,     /* a bit-field */
	DIE_COUNTED = 1 << 6,  /* an array that is not flexible */
	DIE_DECLARED = 1 << 7, /* a type without its members */
	DIE_FLAGS = 1 << 8,
};

/* The code of each shape; 0 for those that are none. */
struct abbrev_codes {
	uint8_t code[DIE_KINDS][DIE_FLAGS];
};

/* Writes .debug_abbrev, the one table of all units. */
void dwarf_abbrevs(struct buf *b, struct abbrev_codes *ret);

#endif
