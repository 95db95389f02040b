# SPDX-License-Identifier: GPL-2.0-or-later
# The unwinder on stacks, tables and CFI made by hand.
unwind_fake = tests/unwind/cfi_file.c tests/unwind/cfi_file.h tests/unwind/fake.c tests/unwind/fake.h \
	tests/unwind/scene.h
# Frame pointers against CFI, at every instruction of code that is compiled for it.
EXTRA_PROGRAMS += tests/unwind/fp_code
code_image = tests/unwind/code_image.c tests/unwind/code_image.h
tests_unwind_fp_code_SOURCES = tests/unwind/fp_code.c $(code_image)
TESTS += tests/unwind/fp_code.tap
EXTRA_DIST += tests/unwind/fp_code.tap
CLEANFILES += tests/unwind/fp_code$(EXEEXT)
tests/unwind/fp_code.log: tests/unwind/fp_code$(EXEEXT)
# What code does to its stack against CFI, in any file.
EXTRA_PROGRAMS += tests/unwind/code_cfi
tests_unwind_code_cfi_SOURCES = tests/unwind/code_cfi.c $(code_image)
TESTS += tests/unwind/code_cfi.tap
EXTRA_DIST += tests/unwind/code_cfi.tap
CLEANFILES += tests/unwind/code_cfi$(EXEEXT)
tests/unwind/code_cfi.log: tests/unwind/code_cfi$(EXEEXT)
if HAVE_CMOCKA
check_PROGRAMS += \
	tests/unwind/test_cfi \
	tests/unwind/test_code \
	tests/unwind/test_edge \
	tests/unwind/test_entry \
	tests/unwind/test_fill \
	tests/unwind/test_fp \
	tests/unwind/test_interrupt \
	tests/unwind/test_orc \
	tests/unwind/test_seed \
	tests/unwind/test_stacks \
	tests/unwind/test_switch \
	tests/unwind/test_unwind
tests_unwind_test_cfi_SOURCES = tests/unwind/test_cfi.c $(unwind_fake)
tests_unwind_test_code_SOURCES = tests/unwind/test_code.c $(unwind_fake)
tests_unwind_test_edge_SOURCES = tests/unwind/test_edge.c $(unwind_fake)
tests_unwind_test_entry_SOURCES = tests/unwind/test_entry.c $(unwind_fake)
tests_unwind_test_fill_SOURCES = tests/unwind/test_fill.c $(unwind_fake)
tests_unwind_test_fp_SOURCES = tests/unwind/test_fp.c $(unwind_fake)
tests_unwind_test_interrupt_SOURCES = tests/unwind/test_interrupt.c $(unwind_fake)
tests_unwind_test_seed_SOURCES = tests/unwind/test_seed.c $(unwind_fake)
tests_unwind_test_stacks_SOURCES = tests/unwind/test_stacks.c $(unwind_fake)
tests_unwind_test_unwind_SOURCES = tests/unwind/test_unwind.c $(unwind_fake)
endif
