# SPDX-License-Identifier: GPL-2.0-or-later
# The tests' small kernels, built by the compiler at hand with each version of DWARF.
names_sample_sources = \
	tests/names/make-samples.sh \
	tests/names/sample.c \
	tests/names/sample.lds \
	tests/names/sample_decoy.c \
	tests/names/sample_types.h
EXTRA_DIST += $(names_sample_sources)
check_DATA += tests/names/samples/stamp
MOSTLYCLEANFILES += tests/names/samples/init/* tests/names/samples/*.* tests/names/samples/stamp
tests/names/samples/stamp: $(names_sample_sources)
	$(AM_V_GEN)CC='$(CC)' $(SHELL) $(srcdir)/tests/names/make-samples.sh $(srcdir) \
		tests/names/samples && touch $@

kallsyms_image = tests/names/kallsyms_image.c tests/names/kallsyms_image.h

if HAVE_CMOCKA
check_PROGRAMS += \
	tests/names/test_btf \
	tests/names/test_debugfiles \
	tests/names/test_dwarf \
	tests/names/test_kallsyms \
	tests/names/test_kallsyms_find \
	tests/names/test_ko \
	tests/names/test_packages \
	tests/names/test_source \
	tests/names/test_symbols \
	tests/names/test_unpack \
	tests/names/test_vmcoreinfo
tests_names_test_btf_SOURCES = tests/names/test_btf.c tests/names/btf_blob.c tests/names/btf_blob.h
tests_names_test_debugfiles_SOURCES = tests/names/test_debugfiles.c tests/names/sample_files.h
tests_names_test_dwarf_SOURCES = tests/names/test_dwarf.c tests/names/sample_files.h
tests_names_test_kallsyms_find_SOURCES = tests/names/test_kallsyms_find.c $(kallsyms_image)
tests_names_test_source_SOURCES = tests/names/test_source.c tests/names/sample_files.h
tests_names_test_symbols_SOURCES = tests/names/test_symbols.c tests/names/sample_files.h
endif

# Our readers of types against each other and libbpf, on a vmlinux: tests/real runs them on a real one.
EXTRA_PROGRAMS += tests/names/compare_types tests/names/compare_libbpf
type_comparers = tests/names/compare_types$(EXEEXT)
tests_names_compare_libbpf_LDADD = $(vmcore_libs) $(LIBBPF_LIBS)
if HAVE_LIBBPF
type_comparers += tests/names/compare_libbpf$(EXEEXT)
endif
