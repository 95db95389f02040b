/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the demo's functions are made of. The case fixes addresses, so a function is its prologue,
 * the calls that it stands in at the end of a known offset, and an epilogue, with no-ops between.
 *
 * FUNC ... END is a function with CFI, BARE ... BARE_END one without: CFI_ON remembers which, so
 * that the same FRAME and SAVE serve both.
 */
	.cfi_sections .debug_frame

	.macro FUNC name
	.set	CFI_ON, 1
	.globl	\name
	.type	\name, @function
\name:
	.cfi_startproc
	.endm

	.macro END name
	.cfi_endproc
	.size	\name, . - \name
	.endm

	.macro BARE name
	.set	CFI_ON, 0
	.globl	\name
	.type	\name, @function
\name:
	.endm

	.macro BARE_END name
	.size	\name, . - \name
	.endm

	/* The 5 bytes that -mfentry leaves for ftrace; the assembler would choose a shorter form. */
	.macro FTRACE_NOP
	.byte	0x0f, 0x1f, 0x44, 0x00, 0x00
	.endm

	.macro FRAME
	push	%rbp
	.if CFI_ON
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	.endif
	mov	%rsp, %rbp
	.if CFI_ON
	.cfi_def_cfa_register %rbp
	.endif
	.endm

	/* Pushes \reg; \at is its distance from the CFA. */
	.macro SAVE reg, at
	push	%\reg
	.if CFI_ON
	.cfi_offset %\reg, -\at
	.endif
	.endm

	/* r15, r14, r13, r12 and rbx, as gcc saves them, then \locals bytes; and other values in
	 * them, which is what they were saved for. */
	.macro SAVE_ALL locals
	SAVE	r15, 24
	SAVE	r14, 32
	SAVE	r13, 40
	SAVE	r12, 48
	SAVE	rbx, 56
	sub	$\locals, %rsp
	xor	%ebx, %ebx
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	.endm

	/* No-ops up to \name + \offset. */
	.macro FILL name, offset
	.org	\name + \offset, 0x90
	.endm

	/* A direct call that returns to \name + \offset. */
	.macro CALL_RETURNING_TO name, offset, callee
	FILL	\name, (\offset - 5)
	call	\callee
	.endm

	/* The same through a register, 2 bytes. */
	.macro CALL_RAX_RETURNING_TO name, offset
	FILL	\name, (\offset - 2)
	call	*%rax
	.endm

	/* leave undoes a FRAME whatever was pushed since; the registers are loaded before. */
	.macro RETURN_ALL
	mov	-40(%rbp), %rbx
	mov	-32(%rbp), %r12
	mov	-24(%rbp), %r13
	mov	-16(%rbp), %r14
	mov	-8(%rbp), %r15
	RETURN
	.endm

	.macro RETURN
	leave
	.if CFI_ON
	.cfi_def_cfa %rsp, 8
	.endif
	ret
	.endm
