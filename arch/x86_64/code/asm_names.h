/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of the kernel's assembly by its names. */
#ifndef ARCH_X86_64_CODE_ASM_NAMES_H
#define ARCH_X86_64_CODE_ASM_NAMES_H

#include <stdbool.h>

#include "arch/x86_64/base/regs.h"
#include "arch/x86_64/unwind/asks.h"

/* Whether no instruction of the function called @name writes rbx or r12-r15, in any kernel that has
 * a function of that name. */
bool asm_keeps_callee_saved(const char *name);

/* Whether the function called @name enters a guest itself, and as which kind of code:
 * GUEST_ASSEMBLY or GUEST_INLINE. */
bool asm_enters_guest(const char *name, enum guest_code *ret);

/* Whether the code called @name is the system call's entry until 4.0, whose fast path leaves rsp
 * and eflags out of pt_regs. */
bool asm_is_old_syscall(const char *name);

/* Whether compiled code jumps to the function called @name where it would return. */
bool asm_is_return(const char *name);

/* Whether the function called @name jumps to where a register leads, which is then in *ret. */
bool asm_is_indirect_jump(const char *name, enum reg *ret);

/* Whether the function called @name jumps to wherever a register, or code that changes, says. */
bool asm_is_thunk(const char *name);

/* What the function called @name calls, if it is entry assembly of a kernel before 5.8. */
enum unwind_handler asm_calls_handler(const char *name);

#endif
