// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/unwind/orc.h"

#include <string.h>

#include "base/bytes.h"

/* The word of bit fields behind the two offsets, and its fields, which differ between formats. */
enum { FLAGS_AT = 4, BASE_MASK = 0xf, BP_SHIFT = 4, TYPE_SHIFT = 8 };
enum {
	TYPE_MASK_4_14 = 3,
	TYPE_MASK_6_4 = 7,
	END_4_14 = 1 << 10,
	SIGNAL_6_3 = 1 << 10,
	END_6_3 = 1 << 11,
	SIGNAL_6_4 = 1 << 11,
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* ORC_REG_* of the kernel's header: one numbering up to 7.0, another from 7.1 on. */
static bool decode_base(enum orc_format format, unsigned number, enum orc_base *ret)
{
	static const enum orc_base from_4_14[] = {
		ORC_UNDEFINED, ORC_PREV_SP, ORC_DX,  ORC_DI,	      ORC_BP,
		ORC_SP,	       ORC_R10,	    ORC_R13, ORC_BP_INDIRECT, ORC_SP_INDIRECT,
	};
	static const enum orc_base from_7_1[] = {
		ORC_UNDEFINED, ORC_AX,	ORC_DX,	     ORC_SP,	      ORC_BP,	       ORC_DI,
		ORC_R10,       ORC_R13, ORC_PREV_SP, ORC_SP_INDIRECT, ORC_BP_INDIRECT,
	};
	bool renumbered = format == ORC_FORMAT_7_1;
	if (number >= (renumbered ? COUNT(from_7_1) : COUNT(from_4_14)))
		return false;
	*ret = renumbered ? from_7_1[number] : from_4_14[number];
	return true;
}

/*
 * Up to 6.3 the types are call, regs and iret regs, and a stack pointer from nowhere says either
 * that this is the end or, without the end bit, that nothing is known.
 */
static bool decode_type_until_6_3(unsigned flags, bool end, struct orc_entry *ret)
{
	static const enum orc_type types[] = { ORC_CALL, ORC_REGS, ORC_REGS_PARTIAL };
	unsigned type = flags >> TYPE_SHIFT & TYPE_MASK_4_14;
	if (type >= COUNT(types))
		return false;
	ret->type = types[type];
	if (ret->sp == ORC_UNDEFINED)
		ret->type = end ? ORC_END : ORC_NOTHING;
	return true;
}

static bool decode_type_from_6_4(unsigned flags, struct orc_entry *ret)
{
	static const enum orc_type types[] = { ORC_NOTHING, ORC_END, ORC_CALL, ORC_REGS,
					       ORC_REGS_PARTIAL };
	unsigned type = flags >> TYPE_SHIFT & TYPE_MASK_6_4;
	if (type >= COUNT(types))
		return false;
	ret->type = types[type];
	return true;
}

static bool decode_type(enum orc_format format, unsigned flags, struct orc_entry *ret)
{
	switch (format) {
	case ORC_FORMAT_4_14:
		if (!decode_type_until_6_3(flags, flags & END_4_14, ret))
			return false;
		ret->signal = ret->type == ORC_REGS || ret->type == ORC_REGS_PARTIAL;
		return true;
	case ORC_FORMAT_6_3:
		ret->signal = flags & SIGNAL_6_3;
		return decode_type_until_6_3(flags, flags & END_6_3, ret);
	case ORC_FORMAT_6_4:
	case ORC_FORMAT_7_1:
		ret->signal = flags & SIGNAL_6_4;
		return decode_type_from_6_4(flags, ret);
	}
	return false;
}

bool orc_decode(enum orc_format format, const void *raw, struct orc_entry *ret)
{
	const unsigned char *p = raw;
	unsigned flags = get_u16(p + FLAGS_AT);
	struct orc_entry entry = {
		.sp_offset = (int16_t)get_u16(p),
		.bp_offset = (int16_t)get_u16(p + 2),
	};
	if (!decode_base(format, flags & BASE_MASK, &entry.sp) ||
	    !decode_base(format, flags >> BP_SHIFT & BASE_MASK, &entry.bp) ||
	    !decode_type(format, flags, &entry))
		return false;
	*ret = entry;
	return true;
}

bool orc_format_of_header(const uint8_t hash[ORC_HEADER_BYTES], enum orc_format *ret)
{
	/* SHA-1 of the definitions in orc_types.h, as the kernel's scripts/orc_hash.sh makes it. */
	static const struct {
		enum orc_format format;
		uint8_t hash[ORC_HEADER_BYTES];
	} known[] = {
		{ ORC_FORMAT_6_3, { 0xdb, 0x84, 0xae, 0xd4, 0x10, 0x3b, 0x31, 0xdd, 0x51, 0xe0,
				    0x17, 0xf8, 0xf7, 0x97, 0x83, 0xca, 0x98, 0x5c, 0x2c, 0x51 } },
		{ ORC_FORMAT_6_4, { 0xfe, 0x5d, 0x32, 0xbf, 0x58, 0x1b, 0xd6, 0x3b, 0x2c, 0xa9,
				    0xa5, 0xc6, 0x5b, 0xa5, 0xa6, 0x25, 0xea, 0xb3, 0xfe, 0x24 } },
		{ ORC_FORMAT_7_1, { 0x13, 0x7c, 0x36, 0xad, 0x76, 0x27, 0xc4, 0xdd, 0x55, 0x93,
				    0x21, 0x76, 0xbb, 0x0e, 0xcd, 0xbd, 0x50, 0x41, 0xfc, 0x82 } },
	};
	for (size_t i = 0; i < COUNT(known); i++) {
		if (memcmp(known[i].hash, hash, ORC_HEADER_BYTES) == 0) {
			*ret = known[i].format;
			return true;
		}
	}
	return false;
}

/* How many of the entries @format decodes to what fills real tables: rsp or rbp plus something. */
static size_t count_usual(enum orc_format format, const unsigned char *raw, size_t count)
{
	size_t usual = 0;
	for (size_t i = 0; i < count; i++) {
		struct orc_entry e;
		if (orc_decode(format, raw + i * ORC_RAW_BYTES, &e) && e.type == ORC_CALL &&
		    (e.sp == ORC_SP || e.sp == ORC_BP) && e.sp_offset >= 8 &&
		    (e.bp == ORC_UNDEFINED || (e.bp == ORC_PREV_SP && e.bp_offset < 0)))
			usual++;
	}
	return usual;
}

/* 4.14's format has nothing in bit 11, where 6.3's has the end, and no bit 10 but on such ends. */
static enum orc_format tell_4_14_from_6_3(const unsigned char *raw, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned flags = get_u16(raw + i * ORC_RAW_BYTES + FLAGS_AT);
		if (flags & END_6_3 || (flags & SIGNAL_6_3 && flags & BASE_MASK))
			return ORC_FORMAT_6_3;
	}
	return ORC_FORMAT_4_14;
}

bool orc_format_guess(const void *raw, size_t count, enum orc_format *ret)
{
	static const enum orc_format formats[] = { ORC_FORMAT_4_14, ORC_FORMAT_6_4,
						   ORC_FORMAT_7_1 };
	size_t best = 0;
	enum orc_format format = ORC_FORMAT_4_14;
	for (size_t i = 0; i < COUNT(formats); i++) {
		size_t usual = count_usual(formats[i], raw, count);
		if (usual > best) {
			best = usual;
			format = formats[i];
		}
	}
	if (best <= count / 2)
		return false;
	*ret = format == ORC_FORMAT_4_14 ? tell_4_14_from_6_3(raw, count) : format;
	return true;
}
