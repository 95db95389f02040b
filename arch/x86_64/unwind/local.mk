# SPDX-License-Identifier: GPL-2.0-or-later
# Frames of x86-64: what its code, its tables and its entries say.
libunwind_a_SOURCES += \
	arch/x86_64/unwind/asks.h \
	arch/x86_64/unwind/code_fill.c arch/x86_64/unwind/code_fill.h \
	arch/x86_64/unwind/code_parts.c arch/x86_64/unwind/code_parts.h \
	arch/x86_64/unwind/code_paths.c arch/x86_64/unwind/code_paths.h \
	arch/x86_64/unwind/code_state.c arch/x86_64/unwind/code_state.h \
	arch/x86_64/unwind/code_step.c \
	arch/x86_64/unwind/code_table.c arch/x86_64/unwind/code_table.h \
	arch/x86_64/unwind/decode.c arch/x86_64/unwind/decode.h \
	arch/x86_64/unwind/edge_step.c \
	arch/x86_64/unwind/entry_step.c \
	arch/x86_64/unwind/fill_step.c \
	arch/x86_64/unwind/found.c \
	arch/x86_64/unwind/fp.c \
	arch/x86_64/unwind/fp_scan.c arch/x86_64/unwind/fp_scan.h \
	arch/x86_64/unwind/insn.c arch/x86_64/unwind/insn.h \
	arch/x86_64/unwind/interrupt_step.c \
	arch/x86_64/unwind/leave.c \
	arch/x86_64/unwind/orc.c arch/x86_64/unwind/orc.h \
	arch/x86_64/unwind/orc_step.c \
	arch/x86_64/unwind/pt_regs.c arch/x86_64/unwind/pt_regs.h \
	arch/x86_64/unwind/regs_step.c \
	arch/x86_64/unwind/steps.h \
	arch/x86_64/unwind/switch.c arch/x86_64/unwind/switch.h \
	arch/x86_64/unwind/walk_x86.c \
	arch/x86_64/unwind/x86_64.h
