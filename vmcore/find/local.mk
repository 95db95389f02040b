# SPDX-License-Identifier: GPL-2.0-or-later
# What finds a Linux kernel in memory.
libvmcore_a_SOURCES += \
	vmcore/find/arch.h \
	vmcore/find/crashed_kernel.c vmcore/find/crashed_kernel.h \
	vmcore/find/image_build_id.c vmcore/find/image_build_id.h \
	vmcore/find/image_pieces.c vmcore/find/image_pieces.h \
	vmcore/find/image_symbols.c vmcore/find/image_symbols.h \
	vmcore/find/kallsyms_find.c vmcore/find/kallsyms_find.h \
	vmcore/find/vmcoreinfo_memory.c vmcore/find/vmcoreinfo_memory.h
