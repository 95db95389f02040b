/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places where the kernel's ORC tables are wrong of code as it is in memory: behind the call of
 * error_entry(), and in calls that fill the CPU's return stack buffer
 * (arch/x86_64/unwind/edge_step.c and arch/x86_64/unwind/fill_step.c say what is there). The rows
 * that debuggers get are mended.
 */
#ifndef ARCH_X86_64_IMAGE_ROW_MEND_H
#define ARCH_X86_64_IMAGE_ROW_MEND_H

#include <stddef.h>
#include <stdint.h>

struct cfi_row;

enum {
	MEND_CODE_MAX = 1024, /* bytes of a function that are looked at */
	MEND_ROWS = 16,	      /* how many more rows there may be than before */
};

/*
 * Mends the @count ascending rows at @rows, which has room for MEND_ROWS more, of the function
 * whose
 * @len bytes at @code lie at @low; @makes_regs is where error_entry() is, or 0. Returns how many
 * there are now, ascending.
 */
size_t row_mend(const unsigned char *code, size_t len, uint64_t low, uint64_t makes_regs,
		struct cfi_row *rows, size_t count);

#endif
