# SPDX-License-Identifier: GPL-2.0-or-later
# Types: BTF, DWARF, and the one form that all of them come to.
libvmcore_a_SOURCES += \
	vmcore/names/types/btf.c vmcore/names/types/btf.h \
	vmcore/names/types/btf_base.c \
	vmcore/names/types/btf_source.c vmcore/names/types/btf_source.h \
	vmcore/names/types/btf_writer.c vmcore/names/types/btf_writer.h \
	vmcore/names/types/dwarf_attr.c vmcore/names/types/dwarf_attr.h \
	vmcore/names/types/dwarf_file.c vmcore/names/types/dwarf_file.h \
	vmcore/names/types/dwarf_to_btf.c vmcore/names/types/dwarf_to_btf.h \
	vmcore/names/types/dwarf_types.c vmcore/names/types/dwarf_types.h \
	vmcore/names/types/no_types.c vmcore/names/types/no_types.h \
	vmcore/names/types/type_graph.c vmcore/names/types/type_graph.h \
	vmcore/names/types/type_source.h \
	vmcore/names/types/types.c vmcore/names/types/types.h \
	vmcore/names/types/wants.c vmcore/names/types/wants.h
