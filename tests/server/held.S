/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DWARF 4 for the demo's vcpu_enter_guest, which is assembly: variables in a register, on the stack,
 * by a computation, and where their values are not known or not there. No .debug_aranges, as clang
 * leaves them out.
 */
	.section .debug_abbrev, "", @progbits
.Labbrev:
	.uleb128 1, 0x11 /* DW_TAG_compile_unit, with children */
	.byte	1
	.uleb128 0x11, 0x01 /* DW_AT_low_pc, DW_FORM_addr */
	.uleb128 0x12, 0x07 /* DW_AT_high_pc, DW_FORM_data8 */
	.uleb128 0, 0
	.uleb128 2, 0x2e /* DW_TAG_subprogram, with children */
	.byte	1
	.uleb128 0x03, 0x08 /* DW_AT_name, DW_FORM_string */
	.uleb128 0x11, 0x01
	.uleb128 0x12, 0x07
	.uleb128 0x40, 0x18 /* DW_AT_frame_base, DW_FORM_exprloc */
	.uleb128 0, 0
	.uleb128 3, 0x05 /* DW_TAG_formal_parameter */
	.byte	0
	.uleb128 0x03, 0x08
	.uleb128 0x49, 0x13 /* DW_AT_type, DW_FORM_ref4 */
	.uleb128 0x02, 0x18 /* DW_AT_location, DW_FORM_exprloc */
	.uleb128 0, 0
	.uleb128 4, 0x0f /* DW_TAG_pointer_type */
	.byte	0
	.uleb128 0x49, 0x13
	.uleb128 0, 0
	.uleb128 5, 0x13 /* DW_TAG_structure_type */
	.byte	0
	.uleb128 0x03, 0x08
	.uleb128 0x3c, 0x19 /* DW_AT_declaration, DW_FORM_flag_present */
	.uleb128 0, 0
	.uleb128 6, 0x26 /* DW_TAG_const_type */
	.byte	0
	.uleb128 0x49, 0x13
	.uleb128 0, 0
	.byte	0

	.macro PARAMETER name, type, location:vararg
	.uleb128 3
	.asciz	"\name"
	.long	\type - .Lunit
	.uleb128 2f - 1f
1:	.byte	\location
2:
	.endm

	.section .debug_info, "", @progbits
.Lunit:
	.long	.Lend - .Lversion
.Lversion:
	.short	4
	.long	.Labbrev
	.byte	8
	.uleb128 1
	.quad	vcpu_enter_guest, 0x12a0
	.uleb128 2
	.asciz	"vcpu_enter_guest"
	.quad	vcpu_enter_guest, 0x12a0
	.uleb128 1
	.byte	0x9c /* DW_OP_call_frame_cfa */
	PARAMETER vcpu, .Lconst, 0x53			/* DW_OP_reg3: rbx */
	PARAMETER again, .Lvcpu, 0x53
	PARAMETER on_stack, .Lvcpu, 0x91, 0x48		/* DW_OP_fbreg -56 */
	PARAMETER computed, .Lvcpu, 0x73, 0x08, 0x9f	/* DW_OP_breg3 8, DW_OP_stack_value */
	PARAMETER unknown, .Lvcpu, 0x50			/* DW_OP_reg0: rax, lost by then */
	PARAMETER entry, .Lvcpu, 0xa3, 1, 0x53, 0x9f	/* DW_OP_entry_value(rbx), stack_value */
	PARAMETER half, .Lvcpu, 0x53, 0x93, 4		/* DW_OP_reg3, DW_OP_piece 4 */
	PARAMETER other, .Lother, 0x53			/* another type */
	.byte	0
.Lvcpu:
	.uleb128 4
	.long	.Lstruct - .Lunit
.Lconst:
	.uleb128 6
	.long	.Lvcpu - .Lunit
.Lstruct:
	.uleb128 5
	.asciz	"kvm_vcpu"
.Lother:
	.uleb128 4
	.long	.Lkvm - .Lunit
.Lkvm:
	.uleb128 5
	.asciz	"kvm"
	.byte	0
.Lend:
	.section .note.GNU-stack, "", @progbits
