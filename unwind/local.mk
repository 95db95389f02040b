# SPDX-License-Identifier: GPL-2.0-or-later
# Registers and memory to frames; knows no protocol and no socket.
noinst_LIBRARIES += libunwind.a
libunwind_a_SOURCES = \
	unwind/arch.h \
	unwind/cfi.c \
	unwind/cfi_check.c unwind/cfi_check.h \
	unwind/cfi_expr.c unwind/cfi_expr.h \
	unwind/unwind.c unwind/unwind.h \
	unwind/variable.c unwind/variable.h \
	unwind/walk.c unwind/walk.h
