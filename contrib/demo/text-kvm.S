/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of kvm and kvm-intel that the case's thread stands in; each has a section of its
 * own, so that the linker script can put it where the case has it.
 *
 * vmx_set_cr3 and kvm_mmu_load begin with exactly the bytes of the case and have CFI. The three
 * below them have none, and no ftrace no-op either: a client without CFI analyses prologues itself,
 * and gdb knows only those that begin with the push of rbp.
 */
#include "frame.h"

	.section .text.vmx_cache_reg, "ax"
FUNC vmx_cache_reg
	FTRACE_NOP
	FRAME
	FILL	vmx_cache_reg, 0x29
	RETURN
END vmx_cache_reg

	.section .text.vmx_set_cr3, "ax"
FUNC vmx_set_cr3
	FTRACE_NOP
	FRAME
	SAVE	r13, 24
	SAVE	r12, 32
	mov	%rsi, %r12
	SAVE	rbx, 40
	mov	%rdi, %rbx
	sub	$0x18, %rsp
	mov	%r12, %rdi
	FILL	vmx_set_cr3, 0x90
	mov	-24(%rbp), %rbx
	mov	-16(%rbp), %r12
	mov	-8(%rbp), %r13
	RETURN
END vmx_set_cr3

	.section .text.kvm_mmu_load, "ax"
FUNC kvm_mmu_load
	FTRACE_NOP
	FRAME
	SAVE	r15, 24
	SAVE	r14, 32
	SAVE	r13, 40
	SAVE	r12, 48
	SAVE	rbx, 56
	mov	%rdi, %rbx
	sub	$0x10, %rsp
	mov	%rbx, %r12
	xor	%ebx, %ebx
	/* vcpu->arch.mmu.set_cr3(vcpu, vcpu->arch.mmu.root_hpa), returning to +0x293 */
	FILL	kvm_mmu_load, (0x293 - 8 - 3 - 8)
	mov	0x398(%r12), %rsi
	mov	%r12, %rdi
	call	*0x348(%r12)
	FILL	kvm_mmu_load, 0x310
	RETURN_ALL
END kvm_mmu_load

	.section .text.vcpu_enter_guest, "ax"
BARE vcpu_enter_guest
	FRAME
	SAVE_ALL 0x48
	CALL_RETURNING_TO vcpu_enter_guest, 0x67b, kvm_mmu_load
	FILL	vcpu_enter_guest, 0x12a0
	RETURN_ALL
BARE_END vcpu_enter_guest

	.section .text.kvm_arch_vcpu_load, "ax"
FUNC kvm_arch_vcpu_load
	FTRACE_NOP
	FRAME
	SAVE	rbx, 24
	FILL	kvm_arch_vcpu_load, 0x4c
	mov	-8(%rbp), %rbx
	RETURN
END kvm_arch_vcpu_load

	.section .text.kvm_arch_vcpu_ioctl_run, "ax"
BARE kvm_arch_vcpu_ioctl_run
	FRAME
	SAVE_ALL 0x10
	CALL_RETURNING_TO kvm_arch_vcpu_ioctl_run, 0xbd, vcpu_enter_guest
	FILL	kvm_arch_vcpu_ioctl_run, 0x430
	RETURN_ALL
BARE_END kvm_arch_vcpu_ioctl_run

	.section .text.kvm_vcpu_ioctl, "ax"
BARE kvm_vcpu_ioctl
	FRAME
	SAVE_ALL 0x60
	CALL_RETURNING_TO kvm_vcpu_ioctl, 0x2b1, kvm_arch_vcpu_ioctl_run
	FILL	kvm_vcpu_ioctl, 0x640
	RETURN_ALL
BARE_END kvm_vcpu_ioctl

	.section .note.GNU-stack, "", @progbits
