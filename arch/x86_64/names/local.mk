# SPDX-License-Identifier: GPL-2.0-or-later
# Relocations of x86-64's modules.
libvmcore_a_SOURCES += \
	arch/x86_64/names/ko_relocate.c arch/x86_64/names/ko_relocate.h
