# SPDX-License-Identifier: GPL-2.0-or-later
# What runs in virtual machines.
libvmcore_a_SOURCES += \
	vmcore/guest/guest_dump.c vmcore/guest/guest_dump.h \
	vmcore/guest/guest_linux.c vmcore/guest/guest_linux.h \
	vmcore/guest/guest_memfd.c vmcore/guest/guest_memfd.h \
	vmcore/guest/guest_memory.c vmcore/guest/guest_memory.h
