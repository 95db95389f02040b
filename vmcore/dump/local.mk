# SPDX-License-Identifier: GPL-2.0-or-later
# The formats of dump files.
libvmcore_a_SOURCES += \
	vmcore/dump/arch.h \
	vmcore/dump/bitmap.c vmcore/dump/bitmap.h \
	vmcore/dump/decompress.c vmcore/dump/decompress.h \
	vmcore/dump/dump.c vmcore/dump/dump.h \
	vmcore/dump/elf.h \
	vmcore/dump/elf_check.c \
	vmcore/dump/elf_dump.c \
	vmcore/dump/file.c vmcore/dump/file.h \
	vmcore/dump/flatten.c vmcore/dump/flatten.h \
	vmcore/dump/identify.c vmcore/dump/identify.h \
	vmcore/dump/kdump.h \
	vmcore/dump/kdump_check.c \
	vmcore/dump/kdump_dump.c \
	vmcore/dump/kdump_pages.c vmcore/dump/kdump_pages.h \
	vmcore/dump/kdump_split.c \
	vmcore/dump/kdumpfile.c vmcore/dump/kdumpfile.h \
	vmcore/dump/lime.c vmcore/dump/lime.h \
	vmcore/dump/notes.c vmcore/dump/notes.h \
	vmcore/dump/page_batch.c vmcore/dump/page_batch.h \
	vmcore/dump/prstatus.c vmcore/dump/prstatus.h \
	vmcore/dump/reading.h \
	vmcore/dump/source.h
