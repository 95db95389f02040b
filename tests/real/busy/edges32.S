/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A 32-bit program without any library, which enters the kernel by int $0x80, SYSENTER and SYSCALL
 * for ever. The last two come back behind the int $0x80 of the kernel's own code for that, which
 * takes three words from the stack and returns (arch/x86/entry/vdso/vdso32/system_call.S).
 */
	.set GETPID, 20

	.text
	.globl _start
_start:
	mov $0x11111111, %ebx
	mov $0x22222222, %esi
	mov $0x33333333, %edi
	mov $GETPID, %eax
	int $0x80
	call by_sysenter
	call by_syscall
	jmp _start

by_sysenter:
	mov $GETPID, %eax
	push %ecx
	push %edx
	push %ebp
	mov %esp, %ebp
	sysenter

by_syscall:
	mov $GETPID, %eax
	push %ecx
	push %edx
	push %ebp
	mov %ecx, %ebp
	syscall

	.section .note.GNU-stack, "", @progbits
