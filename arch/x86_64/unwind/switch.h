/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of a task that is not on a CPU: what the context switch left on its stack.
 */
#ifndef ARCH_X86_64_UNWIND_SWITCH_H
#define ARCH_X86_64_UNWIND_SWITCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/base/regs.h"

struct err;

/* How a kernel's switch frame looks. */
struct switch_layout {
	/*
	 * From 4.9 on: struct inactive_task_frame (arch/x86/include/asm/switch_to.h). Offsets of
	 * its members; frame_size is 0 where the type does not exist.
	 */
	uint64_t frame_size;
	uint64_t r15, r14, r13, r12, bx, bp, ret_addr;

	/*
	 * Before: the switch_to() macro pushes flags and rbp and no return address
	 * (arch/x86/include/asm/switch_to.h of 3.10): [0] is rbp, [8] is rflags. The task goes on
	 * at
	 * @resume, behind __schedule's call of __switch_to. One that never ran goes on at
	 * @fork_resume (ret_from_fork), with its pt_regs and nothing else on the stack. 0 if
	 * unknown.
	 */
	uint64_t resume, fork_resume;
};

/* The largest frame that switch_registers() asks for, in bytes. */
enum { SWITCH_FRAME_MAX = 256 };

/* How many bytes at thread.sp switch_registers() wants. */
size_t switch_frame_bytes(const struct switch_layout *layout);

/*
 * Registers at the moment the task goes on, as if __switch_to had just returned. @frame holds the
 * switch_frame_bytes() bytes at @sp (thread.sp); @forked says that the task has never run. What the
 * frame does not hold stays unknown. False when the place where it goes on is unknown.
 */
bool switch_registers(const struct switch_layout *layout, uint64_t sp, const void *frame,
		      bool forked, struct regs *ret);

/*
 * Finds where an old kernel goes on: the address behind the only call of @callee (e8 rel32) in the
 * @len bytes of text at @code, which lie at @address in memory. False if there is none, or more
 * than one: then nothing says which it is.
 */
bool switch_find_call(const void *code, size_t len, uint64_t address, uint64_t callee,
		      uint64_t *ret_after);

/*
 * The frame that __switch_to_asm (since 4.9), whose @len bytes of text are @code at @address,
 * leaves on the stack: what it pushes before it keeps rsp in the task. *ret_sp is where in
 * task_struct that is (thread.sp). False if that is not what the code does.
 */
bool switch_find_frame(const void *code, size_t len, uint64_t address, struct switch_layout *ret,
		       uint64_t *ret_sp);

/*
 * Where an old kernel keeps whether a task has never run: the offset in struct thread_info that is
 * tested for TIF_FORK in the @len bytes at @code, which follow the call of __switch_to.
 */
bool switch_find_flags(const void *code, size_t len, uint64_t *ret);

/* TIF_FORK, until 4.8 (arch/x86/include/asm/thread_info.h): a bit's number. */
enum { SWITCH_TIF_FORK = 18 };

#endif
