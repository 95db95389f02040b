/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own functions that threads of the demo stand in. */
#include "frame.h"

	.section .head.text, "ax"
	.globl	_text, _stext, startup_64
_text:
_stext:
startup_64:
	jmp	x86_64_start_kernel

	/* Where idle and boot code lives. */
	.section .text.core, "ax"
FUNC native_safe_halt
	FRAME
	sti
	hlt
	RETURN
END native_safe_halt

	.balign	16
FUNC default_idle
	FTRACE_NOP
	FRAME
	SAVE	r12, 24
	SAVE	rbx, 32
	CALL_RETURNING_TO default_idle, 0x1e, native_safe_halt
	mov	-16(%rbp), %rbx
	mov	-8(%rbp), %r12
	RETURN
END default_idle

	.balign	16
FUNC arch_cpu_idle
	FTRACE_NOP
	FRAME
	CALL_RETURNING_TO arch_cpu_idle, 0x26, default_idle
	RETURN
END arch_cpu_idle

	.balign	16
FUNC cpu_startup_entry
	FTRACE_NOP
	FRAME
	SAVE_ALL 0x18
	CALL_RETURNING_TO cpu_startup_entry, 0x14a, arch_cpu_idle
	CALL_RETURNING_TO cpu_startup_entry, 0x1c0, schedule
	jmp	cpu_startup_entry
END cpu_startup_entry

	.balign	16
FUNC start_secondary
	FTRACE_NOP
	FRAME
	CALL_RETURNING_TO start_secondary, 0x1d6, cpu_startup_entry
	RETURN
END start_secondary

	.balign	16
FUNC rest_init
	FTRACE_NOP
	FRAME
	CALL_RETURNING_TO rest_init, 0x77, cpu_startup_entry
	RETURN
END rest_init

	.balign	16
FUNC start_kernel
	FTRACE_NOP
	FRAME
	SAVE	rbx, 24
	sub	$8, %rsp
	CALL_RETURNING_TO start_kernel, 0x43a, rest_init
	mov	-8(%rbp), %rbx
	RETURN
END start_kernel

	/* The first frame of an idle task: nothing called it. */
	.balign	16
FUNC x86_64_start_kernel
	.cfi_undefined rip
	FRAME
	CALL_RETURNING_TO x86_64_start_kernel, 0x152, start_kernel
	ud2
END x86_64_start_kernel

	.balign	16
FUNC start_cpu
	.cfi_undefined rip
	call	start_secondary
	ud2
END start_cpu

	.balign	16
FUNC kthreadd
	FTRACE_NOP
	FRAME
	SAVE_ALL 0x10
	CALL_RETURNING_TO kthreadd, 0x1a4, schedule
	RETURN_ALL
END kthreadd

	.section .text.fs, "ax"
	/* The case: kvm_vcpu_ioctl returns to 0xffffffff812151cd. */
FUNC do_vfs_ioctl
	FTRACE_NOP
	FRAME
	SAVE_ALL 0x48
	CALL_RAX_RETURNING_TO do_vfs_ioctl, 0x33d
	FILL	do_vfs_ioctl, 0x520
	RETURN_ALL
END do_vfs_ioctl

	FILL	do_vfs_ioctl, 0x540
FUNC SyS_ioctl
	FTRACE_NOP
	FRAME
	SAVE	r14, 24
	SAVE	r13, 32
	SAVE	r12, 40
	SAVE	rbx, 48
	sub	$0x20, %rsp
	CALL_RETURNING_TO SyS_ioctl, 0xa1, do_vfs_ioctl
	mov	-32(%rbp), %rbx
	mov	-24(%rbp), %r12
	mov	-16(%rbp), %r13
	mov	-8(%rbp), %r14
	RETURN
END SyS_ioctl

	.balign	16
FUNC schedule_hrtimeout_range
	FTRACE_NOP
	FRAME
	SAVE_ALL 0x38
	CALL_RETURNING_TO schedule_hrtimeout_range, 0x12a, schedule
	RETURN_ALL
END schedule_hrtimeout_range

	.balign	16
FUNC ep_poll
	FTRACE_NOP
	FRAME
	SAVE_ALL 0x58
	CALL_RETURNING_TO ep_poll, 0x26d, schedule_hrtimeout_range
	RETURN_ALL
END ep_poll

	.balign	16
FUNC SyS_epoll_wait
	FTRACE_NOP
	FRAME
	SAVE_ALL 0x18
	CALL_RETURNING_TO SyS_epoll_wait, 0xed, ep_poll
	RETURN_ALL
END SyS_epoll_wait

	.balign	16
FUNC do_sys_poll
	FTRACE_NOP
	FRAME
	SAVE_ALL 0x98
	CALL_RETURNING_TO do_sys_poll, 0x4c5, schedule_hrtimeout_range
	RETURN_ALL
END do_sys_poll

	.balign	16
FUNC SyS_ppoll
	FTRACE_NOP
	FRAME
	SAVE_ALL 0x28
	CALL_RETURNING_TO SyS_ppoll, 0xab, do_sys_poll
	RETURN_ALL
END SyS_ppoll

	.section .text.sched, "ax"
FUNC __switch_to
	FRAME
	RETURN
END __switch_to

	/*
	 * 3.10's switch_to(): rflags and rbp are pushed, the stack is switched, and the task goes
	 * on behind the call. CFA stays rbp + 16, so the frame is described on both stacks.
	 */
	.balign	16
FUNC __schedule
	FTRACE_NOP
	FRAME
	SAVE_ALL 0x38
	FILL	__schedule, 0x2f0
	pushfq
	push	%rbp
	mov	%rsp, 0x70(%rdi)
	mov	0x70(%rsi), %rsp
	CALL_RETURNING_TO __schedule, 0x304, __switch_to
	pop	%rbp
	popfq
	FILL	__schedule, 0x660
	RETURN_ALL
END __schedule

	.balign	16
FUNC schedule
	FTRACE_NOP
	FRAME
	CALL_RETURNING_TO schedule, 0x29, __schedule
	RETURN
END schedule

	.section .entry.text, "ax"
	/*
	 * A system call saves only the registers that a call may change (r11 to rdi, as pt_regs has
	 * them), so rsp points at pt_regs.r11 when the handler is called.
	 */
	.globl	system_call
	.type	system_call, @function
system_call:
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa %rsp, 0x78		/* sizeof(struct pt_regs) - offsetof(r11) */
	.cfi_offset rip, -0x28
	.cfi_offset %rsp, -0x10
	.cfi_offset %rdi, -0x38
	.cfi_offset %rsi, -0x40
	.cfi_offset %rdx, -0x48
	.cfi_offset %r8, -0x60
	.cfi_offset %r9, -0x68
	.cfi_offset %r10, -0x70
	.globl	system_call_fastpath
	FILL	system_call, 0x60
system_call_fastpath:
	mov	%r10, %rcx
	FILL	system_call_fastpath, 0x0f
	call	*sys_call_table(, %rax, 8)
	FILL	system_call_fastpath, 0x16
	mov	%rax, 0x20(%rsp)
	sysretq
	.cfi_endproc
	.size	system_call, . - system_call

	.balign	16
FUNC ret_from_fork
	.cfi_undefined rip
	FILL	ret_from_fork, 0x56
	call	*%rbx
	ud2
END ret_from_fork

	.balign	16
FUNC do_IRQ
	FRAME
	FILL	do_IRQ, 0x30
	RETURN
END do_IRQ

	/*
	 * An interrupt: of pt_regs, what lies from rbp on is saved; the stack is switched, and the one
	 * before is linked to at its top. No CFI, as in kernels that were built without it.
	 */
	.balign	16
BARE common_interrupt
	mov	%rbp, (%rsp)
	mov	%rsp, %rsi
	mov	%gs:irq_stack_ptr, %rsp
	push	%rsi
	CALL_RETURNING_TO common_interrupt, 0x40, do_IRQ
	pop	%rsi
	ud2
BARE_END common_interrupt

	.globl	_etext
_etext:

	.section .note.GNU-stack, "", @progbits
