# SPDX-License-Identifier: GPL-2.0-or-later
# The page cache, address spaces, walks of page tables.
libvmcore_a_SOURCES += \
	vmcore/memory/guest_walk.c vmcore/memory/guest_walk.h \
	vmcore/memory/memory.c vmcore/memory/memory.h \
	vmcore/memory/ranges.c vmcore/memory/ranges.h \
	vmcore/memory/translations.h \
	vmcore/memory/vspace.c \
	vmcore/memory/walk_ranges.c vmcore/memory/walk_ranges.h
