/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How to unwind code that ORC knows nothing of, from how it begins: functions that never return
 * (panic, __crash_kexec: there objtool loses the thread) and what the kernel made from BPF
 * programs.
 */
#ifndef ARCH_X86_64_IMAGE_PROLOGUE_H
#define ARCH_X86_64_IMAGE_PROLOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/image/cfi_writer.h"

enum {
	PROLOGUE_BYTES = 64, /* of code that are looked at */
	PROLOGUE_ROWS = 16,
};

/*
 * Rows for the function whose first @len bytes are at @code, and which lies at @start: they hold up
 * to where it undoes its frame, which no call is behind. The count, or 0 when the code does not
 * begin with pushes that end in a frame pointer or in room made on the stack, perhaps with register
 * moves in between: then nothing is known.
 */
size_t prologue_rows(const unsigned char *code, size_t len, uint64_t start,
		     struct cfi_row ret[PROLOGUE_ROWS]);

/* Whether ftrace hooks in where the @len bytes at @code begin, behind an endbr64 at most: then they
 * are a compiled function's, which is called as such. */
bool prologue_is_hooked(const unsigned char *code, size_t len);

#endif
