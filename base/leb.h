/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DWARF's numbers of variable length (DWARF 5, 7.6), and fixed ones, appended to bytes. */
#ifndef BASE_LEB_H
#define BASE_LEB_H

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

static inline void leb_add_unsigned(struct buf *b, uint64_t value)
{
	do {
		unsigned char byte = value & 0x7f;
		value >>= 7;
		buf_addch(b, (char)(value ? byte | 0x80 : byte));
	} while (value);
}

static inline void leb_add_signed(struct buf *b, int64_t value)
{
	bool more = true;
	while (more) {
		unsigned char byte = (uint64_t)value & 0x7f;
		value >>= 7;
		more = !((value == 0 && !(byte & 0x40)) || (value == -1 && byte & 0x40));
		buf_addch(b, (char)(more ? byte | 0x80 : byte));
	}
}

static inline void leb_add_u8(struct buf *b, uint8_t value)
{
	buf_addch(b, (char)value);
}

static inline void leb_add_u16(struct buf *b, uint16_t value)
{
	leb_add_u8(b, (uint8_t)value);
	leb_add_u8(b, (uint8_t)(value >> 8));
}

static inline void leb_add_u32(struct buf *b, uint32_t value)
{
	unsigned char bytes[4];
	put_u32(bytes, value);
	buf_add(b, bytes, sizeof(bytes));
}

static inline void leb_add_u64(struct buf *b, uint64_t value)
{
	unsigned char bytes[8];
	put_u64(bytes, value);
	buf_add(b, bytes, sizeof(bytes));
}

#endif
