# SPDX-License-Identifier: GPL-2.0-or-later
kdump_oracle = tests/memory/kdump_oracle.c tests/memory/kdump_oracle.h
memory_fake = tests/memory/fakefile.c tests/memory/fakefile.h
# A program for the checks on real dumps
EXTRA_PROGRAMS += tests/memory/kdump_compare
tests_memory_kdump_compare_SOURCES = tests/memory/kdump_compare.c $(kdump_oracle)
if HAVE_CMOCKA
check_PROGRAMS += \
	tests/memory/test_elf \
	tests/memory/test_flatten \
	tests/memory/test_guest_walk \
	tests/memory/test_kdump \
	tests/memory/test_lime \
	tests/memory/test_live \
	tests/memory/test_memory \
	tests/memory/test_page_batch \
	tests/memory/test_parts \
	tests/memory/test_qmp_text \
	tests/memory/test_vspace
tests_memory_test_elf_SOURCES = tests/memory/test_elf.c $(memory_fake)
tests_memory_test_flatten_SOURCES = tests/memory/test_flatten.c $(memory_fake)
tests_memory_test_guest_walk_SOURCES = tests/memory/test_guest_walk.c $(memory_fake)
tests_memory_test_kdump_SOURCES = tests/memory/test_kdump.c $(memory_fake) \
	tests/memory/recipedump.c tests/memory/recipedump.h $(kdump_oracle)
tests_memory_test_lime_SOURCES = tests/memory/test_lime.c $(memory_fake)
tests_memory_test_live_SOURCES = tests/memory/test_live.c $(memory_fake)
tests_memory_test_memory_SOURCES = tests/memory/test_memory.c $(memory_fake)
tests_memory_test_parts_SOURCES = tests/memory/test_parts.c $(memory_fake)
tests_memory_test_vspace_SOURCES = tests/memory/test_vspace.c $(memory_fake)
endif
