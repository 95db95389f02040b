# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel: its symbols, types and page tables, and how it is opened.
libvmcore_a_SOURCES += \
	vmcore/kernel/kernel.c vmcore/kernel/kernel.h \
	vmcore/kernel/kernel_open.c \
	vmcore/kernel/kernel_btf_files.c \
	vmcore/kernel/kernel_private.h \
	vmcore/kernel/members.c vmcore/kernel/members.h \
	vmcore/kernel/types_proof.c vmcore/kernel/types_proof.h \
	vmcore/kernel/xarray.c vmcore/kernel/xarray.h
