/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine for clients that speak crash's protocol. Physical memory is the first MiB, where each
 * byte is the sum of its address's low two; virtual memory is the same at FAKE_CRASH_BASE.
 *
 *	CPU 0	in the kernel, cr3 known
 *	CPU 1	nothing is known
 *	CPU 2	cannot be read
 */
#ifndef TESTS_PROTO_FAKE_CRASH_H
#define TESTS_PROTO_FAKE_CRASH_H

#include <stdint.h>

#define FAKE_CRASH_BASE UINT64_C(0xffff888000000000)
#define FAKE_CRASH_SIZE UINT64_C(0x100000)

struct crash_ops;

/* Takes no notice of what it is called with. */
extern const struct crash_ops fake_crash_ops;

static inline uint8_t fake_crash_byte(uint64_t physical)
{
	return (uint8_t)(physical + (physical >> 8));
}

#endif
