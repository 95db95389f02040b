// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/unwind/insn.h"

/* What follows an opcode. */
enum {
	NONE = 0,
	MODRM = 1 << 0,
	IMM8 = 1 << 1,
	IMM16 = 1 << 2,
	IMM32 = 1 << 3,	 /* 16 bits with an operand-size prefix */
	REL32 = 1 << 4,	 /* always 32 bits */
	IMM64 = 1 << 5,	 /* 64 bits with REX.W, else as IMM32 */
	MOFFS = 1 << 6,	 /* an address of 64 bits */
	GROUP3 = 1 << 7, /* an immediate for TEST alone */
	BAD = 1 << 8,
};

/* Ranges of opcodes, in order; what is in none has nothing behind it. */
struct range {
	unsigned char first, last;
	unsigned short what;
};

static const struct range map_1[] = {
	{ 0x06, 0x07, BAD },
	{ 0x0e, 0x0e, BAD },
	{ 0x16, 0x17, BAD },
	{ 0x1e, 0x1f, BAD },
	{ 0x27, 0x27, BAD },
	{ 0x2f, 0x2f, BAD },
	{ 0x37, 0x37, BAD },
	{ 0x3f, 0x3f, BAD },
	{ 0x60, 0x62, BAD },
	{ 0x63, 0x63, MODRM },
	{ 0x68, 0x68, IMM32 },
	{ 0x69, 0x69, MODRM | IMM32 },
	{ 0x6a, 0x6a, IMM8 },
	{ 0x6b, 0x6b, MODRM | IMM8 },
	{ 0x70, 0x7f, IMM8 },
	{ 0x80, 0x80, MODRM | IMM8 },
	{ 0x81, 0x81, MODRM | IMM32 },
	{ 0x82, 0x82, BAD },
	{ 0x83, 0x83, MODRM | IMM8 },
	{ 0x84, 0x8f, MODRM },
	{ 0x9a, 0x9a, BAD },
	{ 0xa0, 0xa3, MOFFS },
	{ 0xa8, 0xa8, IMM8 },
	{ 0xa9, 0xa9, IMM32 },
	{ 0xb0, 0xb7, IMM8 },
	{ 0xb8, 0xbf, IMM64 },
	{ 0xc0, 0xc1, MODRM | IMM8 },
	{ 0xc2, 0xc2, IMM16 },
	{ 0xc4, 0xc5, BAD },
	{ 0xc6, 0xc6, MODRM | IMM8 },
	{ 0xc7, 0xc7, MODRM | IMM32 },
	{ 0xc8, 0xc8, IMM16 | IMM8 },
	{ 0xca, 0xca, IMM16 },
	{ 0xcd, 0xcd, IMM8 },
	{ 0xce, 0xce, BAD },
	{ 0xd0, 0xd3, MODRM },
	{ 0xd4, 0xd6, BAD },
	{ 0xd8, 0xdf, MODRM },
	{ 0xe0, 0xe7, IMM8 },
	{ 0xe8, 0xe9, REL32 },
	{ 0xea, 0xea, BAD },
	{ 0xeb, 0xeb, IMM8 },
	{ 0xf6, 0xf6, MODRM | GROUP3 | IMM8 },
	{ 0xf7, 0xf7, MODRM | GROUP3 | IMM32 },
	{ 0xfe, 0xff, MODRM },
};

/* Of the 0F map those without ModRM or with an immediate; all others have ModRM alone. */
static const struct range map_0f[] = {
	{ 0x04, 0x04, BAD },	      { 0x05, 0x09, NONE },	    { 0x0a, 0x0a, BAD },
	{ 0x0b, 0x0b, NONE },	      { 0x0c, 0x0c, BAD },	    { 0x0e, 0x0f, BAD },
	{ 0x30, 0x37, NONE },	      { 0x39, 0x39, BAD },	    { 0x3b, 0x3f, BAD },
	{ 0x70, 0x73, MODRM | IMM8 }, { 0x77, 0x77, NONE },	    { 0x80, 0x8f, REL32 },
	{ 0xa0, 0xa2, NONE },	      { 0xa4, 0xa4, MODRM | IMM8 }, { 0xa8, 0xaa, NONE },
	{ 0xac, 0xac, MODRM | IMM8 }, { 0xba, 0xba, MODRM | IMM8 }, { 0xc2, 0xc2, MODRM | IMM8 },
	{ 0xc4, 0xc6, MODRM | IMM8 }, { 0xc8, 0xcf, NONE },
};

static unsigned look_up(const struct range *ranges, size_t count, unsigned char op, unsigned other)
{
	for (size_t i = 0; i < count; i++)
		if (op >= ranges[i].first && op <= ranges[i].last)
			return ranges[i].what;
	return other;
}

static unsigned what_follows(enum insn_map map, unsigned char op)
{
	switch (map) {
	case MAP_1:
		/* The arithmetic of 00 to 3f goes by eights. */
		if (op < 0x40 && (op & 7) < 6)
			return (op & 7) < 4 ? MODRM : (op & 7) == 4 ? IMM8 : IMM32;
		return look_up(map_1, sizeof(map_1) / sizeof(*map_1), op, NONE);
	case MAP_0F:
		return look_up(map_0f, sizeof(map_0f) / sizeof(*map_0f), op, MODRM);
	case MAP_0F38:
		return MODRM;
	case MAP_0F3A:
		return MODRM | IMM8;
	}
	return BAD;
}

static bool is_prefix(unsigned char byte)
{
	static const unsigned char prefixes[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
						  0x66, 0x67, 0xf0, 0xf2, 0xf3 };
	for (size_t i = 0; i < sizeof(prefixes); i++)
		if (byte == prefixes[i])
			return true;
	return false;
}

/* Bytes behind ModRM: SIB and the displacement. @sib is the byte that would be SIB. */
static unsigned address_bytes(unsigned char modrm, unsigned char sib)
{
	unsigned mod = modrm >> 6, rm = modrm & 7;
	if (mod == 3)
		return 0;
	unsigned bytes = rm == 4, base = rm == 4 ? sib & 7 : rm;
	if (mod == 1)
		return bytes + 1;
	return mod == 2 || base == 5 ? bytes + 4 : bytes;
}

static unsigned immediate_bytes(unsigned what, const struct insn *i, bool narrow)
{
	unsigned wide = narrow ? 2 : 4;
	if (what & GROUP3 && insn_reg(i) > 1)
		return 0;
	if (what & IMM64)
		return i->rex & 8 ? 8 : wide;
	return (what & IMM8 ? 1 : 0) + (what & IMM16 ? 2 : 0) + (what & IMM32 ? wide : 0) +
	       (what & REL32 ? 4 : 0) + (what & MOFFS ? 8 : 0);
}

static int64_t sign_extend(const unsigned char *bytes, unsigned count)
{
	uint64_t value = count && bytes[count - 1] & 0x80 ? UINT64_MAX : 0;
	for (unsigned i = count; i-- > 0;)
		value = value << 8 | bytes[i];
	return (int64_t)value;
}

bool insn_decode(const unsigned char *code, size_t len, struct insn *ret)
{
	struct insn i = { .map = MAP_1 };
	size_t at = 0;
	bool narrow = false, short_address = false;
	if (len > INSN_MAX)
		len = INSN_MAX;
	for (; at < len && is_prefix(code[at]); at++) {
		narrow |= code[at] == 0x66;
		short_address |= code[at] == 0x67;
	}
	if (at < len && (code[at] & 0xf0) == 0x40)
		i.rex = code[at++];
	if (at < len && code[at] == 0x0f) {
		i.map = MAP_0F;
		at++;
		if (at < len && (code[at] == 0x38 || code[at] == 0x3a))
			i.map = code[at++] == 0x38 ? MAP_0F38 : MAP_0F3A;
	}
	if (at >= len)
		return false;
	i.op = code[at++];
	unsigned what = what_follows(i.map, i.op);
	if (what & BAD || (what & MOFFS && short_address))
		return false;
	if (what & MODRM) {
		if (at >= len)
			return false;
		i.has_modrm = true;
		i.modrm = code[at++];
		at += address_bytes(i.modrm, at < len ? code[at] : 0);
	}
	unsigned bytes = immediate_bytes(what, &i, narrow);
	if (at > len || bytes > len - at)
		return false;
	i.imm = sign_extend(code + at, bytes);
	i.len = (unsigned)at + bytes;
	*ret = i;
	return true;
}
