# SPDX-License-Identifier: GPL-2.0-or-later
# Symbols, types and the files that have them.
libvmcore_a_SOURCES += \
	vmcore/names/btf.c vmcore/names/btf.h \
	vmcore/names/btf_base.c \
	vmcore/names/btf_files.c vmcore/names/btf_files.h \
	vmcore/names/btf_source.c vmcore/names/btf_source.h \
	vmcore/names/btf_writer.c vmcore/names/btf_writer.h \
	vmcore/names/debug_search.c vmcore/names/debug_search.h \
	vmcore/names/debug_sections.c vmcore/names/debug_sections.h \
	vmcore/names/debugfiles.c vmcore/names/debugfiles.h \
	vmcore/names/dwarf_attr.c vmcore/names/dwarf_attr.h \
	vmcore/names/dwarf_file.c vmcore/names/dwarf_file.h \
	vmcore/names/dwarf_to_btf.c vmcore/names/dwarf_to_btf.h \
	vmcore/names/dwarf_types.c vmcore/names/dwarf_types.h \
	vmcore/names/elf_guard.c vmcore/names/elf_guard.h \
	vmcore/names/elf_identity.c vmcore/names/elf_identity.h \
	vmcore/names/elf_reduce.c vmcore/names/elf_reduce.h \
	vmcore/names/elf_symbols.c \
	vmcore/names/kallsyms.c vmcore/names/kallsyms.h \
	vmcore/names/kallsyms_memory.c \
	vmcore/names/kallsyms_text.c \
	vmcore/names/ko_file.c vmcore/names/ko_file.h \
	vmcore/names/ko_relocate.c vmcore/names/ko_relocate.h \
	vmcore/names/module_search.c vmcore/names/module_search.h \
	vmcore/names/no_types.c vmcore/names/no_types.h \
	vmcore/names/package_contents.c vmcore/names/package_contents.h \
	vmcore/names/package_modules.c \
	vmcore/names/package_name.c vmcore/names/package_name.h \
	vmcore/names/package_private.h \
	vmcore/names/package_stream.c vmcore/names/package_stream.h \
	vmcore/names/package_vmlinux.c \
	vmcore/names/packages.c vmcore/names/packages.h \
	vmcore/names/source_package.c vmcore/names/source_package.h \
	vmcore/names/source_roots.c vmcore/names/source_roots.h \
	vmcore/names/symbol_cache.c vmcore/names/symbol_cache.h \
	vmcore/names/symbols.c vmcore/names/symbols.h \
	vmcore/names/type_graph.c vmcore/names/type_graph.h \
	vmcore/names/type_source.h \
	vmcore/names/types.c vmcore/names/types.h \
	vmcore/names/unpack.c vmcore/names/unpack.h \
	vmcore/names/vmcoreinfo.c vmcore/names/vmcoreinfo.h \
	vmcore/names/wants.c vmcore/names/wants.h
