# SPDX-License-Identifier: GPL-2.0-or-later
# What holds for one architecture alone, by the layers of what it is asked for.
libvmcore_a_SOURCES += \
	arch/address.h \
	arch/arch.c arch/arch.h \
	arch/x86_64/dump/notes.c arch/x86_64/dump/notes.h \
	arch/x86_64/find/paging.c arch/x86_64/find/paging.h \
	arch/x86_64/tasks/host_space.c arch/x86_64/tasks/host_space.h \
	arch/x86_64/tasks/stacks.c \
	arch/x86_64/tasks/untyped.c \
	arch/x86_64/tasks/x86_64.c arch/x86_64/tasks/x86_64.h \
	arch/x86_64/x86_64.c
include arch/x86_64/base/local.mk
include arch/x86_64/unwind/local.mk
include arch/x86_64/code/local.mk
include arch/x86_64/image/local.mk
include arch/x86_64/names/local.mk
