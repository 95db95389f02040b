# SPDX-License-Identifier: GPL-2.0-or-later
# What debuggers are told of x86-64.
vmcore_gdbserver_SOURCES += \
	arch/x86_64/target/registers.c arch/x86_64/target/registers.h
