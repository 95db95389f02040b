# SPDX-License-Identifier: GPL-2.0-or-later
# The files that have symbols and types: where they are looked for, packages, modules.
libvmcore_a_SOURCES += \
	vmcore/names/files/btf_files.c vmcore/names/files/btf_files.h \
	vmcore/names/files/debug_search.c vmcore/names/files/debug_search.h \
	vmcore/names/files/debugfiles.c vmcore/names/files/debugfiles.h \
	vmcore/names/files/arch.h vmcore/names/files/elf_identity.c vmcore/names/files/elf_identity.h \
	vmcore/names/files/elf_reduce.c vmcore/names/files/elf_reduce.h \
	vmcore/names/files/ko_file.c vmcore/names/files/ko_file.h \
	vmcore/names/files/module_search.c vmcore/names/files/module_search.h \
	vmcore/names/files/package_contents.c vmcore/names/files/package_contents.h \
	vmcore/names/files/package_modules.c \
	vmcore/names/files/package_name.c vmcore/names/files/package_name.h \
	vmcore/names/files/package_private.h \
	vmcore/names/files/package_stream.c vmcore/names/files/package_stream.h \
	vmcore/names/files/package_vmlinux.c \
	vmcore/names/files/packages.c vmcore/names/files/packages.h \
	vmcore/names/files/source_package.c vmcore/names/files/source_package.h \
	vmcore/names/files/source_roots.c vmcore/names/files/source_roots.h \
	vmcore/names/files/symbol_cache.c vmcore/names/files/symbol_cache.h \
	vmcore/names/files/unpack.c vmcore/names/files/unpack.h
