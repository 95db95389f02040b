# SPDX-License-Identifier: GPL-2.0-or-later
# Symbols: those of ELF files and of kallsyms, and what VMCOREINFO says.
libvmcore_a_SOURCES += \
	vmcore/names/debug_sections.c vmcore/names/debug_sections.h \
	vmcore/names/elf_guard.c vmcore/names/elf_guard.h \
	vmcore/names/elf_symbols.c \
	vmcore/names/kallsyms.c vmcore/names/kallsyms.h \
	vmcore/names/kallsyms_memory.c \
	vmcore/names/kallsyms_text.c \
	vmcore/names/symbols.c vmcore/names/symbols.h \
	vmcore/names/vmcoreinfo.c vmcore/names/vmcoreinfo.h
