# SPDX-License-Identifier: GPL-2.0-or-later
# The registers of x86-64.
libbase_a_SOURCES += \
	arch/x86_64/base/regs.c arch/x86_64/base/regs.h
