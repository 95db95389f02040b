/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ARCH_X86_64_FIND_PAGING_H
#define ARCH_X86_64_FIND_PAGING_H

#include <stdint.h>

/* Where the kernel's text is mapped from (__START_KERNEL_map,
 * arch/x86/include/asm/page_64_types.h). */
#define START_KERNEL_MAP UINT64_C(0xffffffff80000000)

/*
 * The top-level table's address in CR3, without the PCID and what else the low bits hold. Under
 * page table isolation a process has two in a row, and in user mode CR3 holds the second, which
 * lacks the kernel (arch/x86/mm/pti.c); without it a table may well be in an odd page.
 */
#define CR3_ADDRESS   UINT64_C(0x000ffffffffff000)
#define CR3_USER_HALF UINT64_C(0x1000)

extern const struct find_arch x86_64_find;

#endif
