# SPDX-License-Identifier: GPL-2.0-or-later
# Memory that changes while it is read.
libvmcore_a_SOURCES += \
	vmcore/live/device_source.c \
	vmcore/live/dump_live.c \
	vmcore/live/iomem.c vmcore/live/iomem.h \
	vmcore/live/kcore_segments.c vmcore/live/kcore_segments.h \
	vmcore/live/kcore_source.c \
	vmcore/live/live.c vmcore/live/live.h \
	vmcore/live/live_kernel.c vmcore/live/live_kernel.h \
	vmcore/live/mem_device.c \
	vmcore/live/qmp.c vmcore/live/qmp.h \
	vmcore/live/qmp_copy.c vmcore/live/qmp_copy.h \
	vmcore/live/qmp_files.c vmcore/live/qmp_files.h \
	vmcore/live/qmp_machine.c vmcore/live/qmp_machine.h \
	vmcore/live/qmp_source.c \
	vmcore/live/qmp_text.c vmcore/live/qmp_text.h \
	vmcore/live/sources.h
