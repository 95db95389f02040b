/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose an address is, on any architecture with 64 bits: Linux gives the lower half of every
 * address space to the process, the upper one to itself. On x86-64
 * (Documentation/arch/x86/x86_64/mm.rst) page tables of four levels translate 2^47 bytes of each
 * half, those of five 2^56. The larger halves hold for both: what four levels leave out is mapped
 * nowhere. An address between the halves is nobody's.
 */
#ifndef ARCH_ADDRESS_H
#define ARCH_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

/* The first address of the kernel's half. The process's begins at 0 and has the same size. */
#define KERNEL_HALF UINT64_C(0xff00000000000000)

static inline bool is_kernel_address(uint64_t address)
{
	return address >= KERNEL_HALF;
}

static inline bool is_user_address(uint64_t address)
{
	return address <= UINT64_MAX - KERNEL_HALF;
}

#endif
