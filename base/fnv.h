/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/): a hash that is the same everywhere
 * and for ever. It is none against who wants two things to have the same. */
#ifndef BASE_FNV_H
#define BASE_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV_BEGIN UINT64_C(0xcbf29ce484222325)

/* Over more bytes of what was summed to @hash before, at first FNV_BEGIN. */
static inline uint64_t fnv_add(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

#endif
