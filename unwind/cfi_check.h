/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking through call frame information before libdw carries it out: libdw's tables grow to the
 * largest register number that a program mentions (up to 2 GiB), once more for every row that is
 * remembered.
 */
#ifndef UNWIND_CFI_CHECK_H
#define UNWIND_CFI_CHECK_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Whether every program in the @len bytes of a .debug_frame (or of an .eh_frame, which libdw must
 * not be given an index of) of the ELF file with @ident keeps within bounds that no compiler
 * exceeds: registers below 128, rows remembered 16 deep, 64 KiB an entry, no instruction that is
 * unknown. Linear in @len (10 ms for a kernel's 5 MB); *ret_why (a borrowed constant) says what is
 * wrong.
 */
bool cfi_check(const unsigned char *ident, const void *bytes, size_t len, bool eh_frame,
	       const char **ret_why);

/* The same of the section called ".debug_frame" or ".eh_frame" of @elf, as libdw reads it; true if
 * there is none. An .eh_frame with an index beside it is refused. */
bool cfi_check_elf(Elf *elf, const char *name, const char **ret_why);

#endif
