# SPDX-License-Identifier: GPL-2.0-or-later
# Registers and memory to frames; knows no protocol and no socket.
noinst_LIBRARIES += libunwind.a
libunwind_a_SOURCES = \
	unwind/cfi.c \
	unwind/cfi_check.c unwind/cfi_check.h \
	unwind/cfi_expr.c unwind/cfi_expr.h \
	unwind/code_fill.c unwind/code_fill.h \
	unwind/code_parts.c unwind/code_parts.h \
	unwind/code_paths.c unwind/code_paths.h \
	unwind/code_state.c unwind/code_state.h \
	unwind/code_step.c \
	unwind/code_table.c unwind/code_table.h \
	unwind/decode.c unwind/decode.h \
	unwind/edge_step.c \
	unwind/fill_step.c \
	unwind/entry_step.c \
	unwind/found.c \
	unwind/fp.c \
	unwind/fp_scan.c unwind/fp_scan.h \
	unwind/insn.c unwind/insn.h \
	unwind/interrupt_step.c \
	unwind/orc.c unwind/orc.h \
	unwind/orc_step.c \
	unwind/pt_regs.c unwind/pt_regs.h \
	unwind/regs_step.c \
	unwind/switch.c unwind/switch.h \
	unwind/unwind.c unwind/unwind.h \
	unwind/variable.c unwind/variable.h \
	unwind/walk.c unwind/walk.h
