# SPDX-License-Identifier: GPL-2.0-or-later
# ELF files for debuggers from what a dump holds.
libvmcore_a_SOURCES += \
	vmcore/image/arch.h \
	vmcore/image/elf_writer.c vmcore/image/elf_writer.h \
	vmcore/image/image.c vmcore/image/image.h \
	vmcore/image/image_layout.c vmcore/image/image_layout.h \
	vmcore/image/image_symbols.c vmcore/image/image_symbols.h \
	vmcore/image/image_types.c vmcore/image/image_types.h \
	vmcore/image/made_names.c vmcore/image/made_names.h \
	vmcore/image/module_names.c vmcore/image/module_names.h
