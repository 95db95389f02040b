# SPDX-License-Identifier: GPL-2.0-or-later
# Code of x86-64's kernels.
libvmcore_a_SOURCES += \
	arch/x86_64/code/asks.c \
	arch/x86_64/code/asm_names.c arch/x86_64/code/asm_names.h \
	arch/x86_64/code/code_tables.c arch/x86_64/code/code_tables.h \
	arch/x86_64/code/orc_file.c arch/x86_64/code/orc_file.h \
	arch/x86_64/code/orc_tables.c arch/x86_64/code/orc_tables.h \
	arch/x86_64/code/x86_64.h
