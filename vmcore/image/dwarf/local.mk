# SPDX-License-Identifier: GPL-2.0-or-later
# DWARF and .gdb_index from BTF.
libvmcore_a_SOURCES += \
	vmcore/image/dwarf/btf_forwards.c vmcore/image/dwarf/btf_forwards.h \
	vmcore/image/dwarf/btf_set.c vmcore/image/dwarf/btf_set.h \
	vmcore/image/dwarf/btf_sound.c vmcore/image/dwarf/btf_sound.h \
	vmcore/image/dwarf/dwarf_abbrev.c vmcore/image/dwarf/dwarf_abbrev.h \
	vmcore/image/dwarf/dwarf_from_btf.c vmcore/image/dwarf/dwarf_from_btf.h \
	vmcore/image/dwarf/dwarf_index.c vmcore/image/dwarf/dwarf_index.h \
	vmcore/image/dwarf/dwarf_globals.c vmcore/image/dwarf/dwarf_globals.h \
	vmcore/image/dwarf/dwarf_write_functions.c \
	vmcore/image/dwarf/dwarf_write_types.c \
	vmcore/image/dwarf/dwarf_write_variables.c \
	vmcore/image/dwarf/dwarf_writer.h \
	vmcore/image/dwarf/gdb_index.c vmcore/image/dwarf/gdb_index.h \
	vmcore/image/dwarf/line_files.c vmcore/image/dwarf/line_files.h
