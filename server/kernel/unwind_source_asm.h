/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's assembly that is known to leave rbx and r12-r15 alone, and what enters guests. */
#ifndef SERVER_KERNEL_UNWIND_SOURCE_ASM_H
#define SERVER_KERNEL_UNWIND_SOURCE_ASM_H

#include <stdbool.h>

#include "unwind/unwind.h"

/* Whether no instruction of the function called @name writes rbx or r12-r15, in any kernel that has
 * a function of that name. */
bool asm_keeps_callee_saved(const char *name);

/* Whether the function called @name enters a guest itself, and as which kind of code:
 * GUEST_ASSEMBLY or GUEST_INLINE. */
bool asm_enters_guest(const char *name, enum guest_code *ret);

#endif
