# SPDX-License-Identifier: GPL-2.0-or-later
# A tool of the tests: DWARF of a vmlinux's BTF as a file
EXTRA_PROGRAMS += tests/image/btf2dwarf
index_reader = tests/image/index_reader.c tests/image/index_reader.h
if HAVE_CMOCKA
check_PROGRAMS += \
	tests/image/test_cfi_writer \
	tests/image/test_dwarf_from_btf \
	tests/image/test_dwarf_index \
	tests/image/test_elf_writer \
	tests/image/test_gdb_index \
	tests/image/test_row_mend
tests_image_test_cfi_writer_SOURCES = tests/image/test_cfi_writer.c tests/unwind/cfi_file.c \
	tests/unwind/cfi_file.h
tests_image_test_dwarf_from_btf_SOURCES = tests/image/test_dwarf_from_btf.c $(index_reader) \
	tests/names/btf_blob.c tests/names/btf_blob.h
tests_image_test_dwarf_index_SOURCES = tests/image/test_dwarf_index.c $(index_reader)
tests_image_test_gdb_index_SOURCES = tests/image/test_gdb_index.c $(index_reader)
if MAKES_X86_64
check_PROGRAMS += tests/image/test_module_names
EXTRA_tests_image_test_module_names_DEPENDENCIES = $(kernel_tests_kernels)
endif
endif
