/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Little-endian numbers and LEB128 (DWARF 4, section 7.6) at the end of a buffer. */
#ifndef SERVER_IMAGE_DWARF_BYTES_H
#define SERVER_IMAGE_DWARF_BYTES_H

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

static inline void add_u8(struct buf *b, uint8_t v)
{
	buf_addch(b, (char)v);
}

static inline void add_u16(struct buf *b, uint16_t v)
{
	uint8_t raw[2] = { (uint8_t)v, (uint8_t)(v >> 8) };
	buf_add(b, raw, sizeof(raw));
}

static inline void add_u32(struct buf *b, uint32_t v)
{
	uint8_t raw[4];
	put_u32(raw, v);
	buf_add(b, raw, sizeof(raw));
}

static inline void add_u64(struct buf *b, uint64_t v)
{
	uint8_t raw[8];
	put_u64(raw, v);
	buf_add(b, raw, sizeof(raw));
}

static inline void add_uleb(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		add_u8(b, (uint8_t)(v | 0x80));
	add_u8(b, (uint8_t)v);
}

static inline void add_sleb(struct buf *b, int64_t v)
{
	for (; v < -0x40 || v >= 0x40; v >>= 7)
		add_u8(b, (uint8_t)(v | 0x80));
	add_u8(b, (uint8_t)(v & 0x7f));
}

#endif
