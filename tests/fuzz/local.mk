# SPDX-License-Identifier: GPL-2.0-or-later
# Each fuzz_TARGET.c with a main() that replays its corpus; `make fuzz` gives it libFuzzer's.
fuzz_replay = tests/fuzz/replay_corpus.c tests/fuzz/require.h
fuzz_file_tree = tests/fuzz/file_tree.c tests/fuzz/file_tree.h
fuzz_unwind = tests/fuzz/unknown.c tests/fuzz/unknown.h $(unwind_fake)
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/fuzz.sh tests/fuzz/machines.py tests/fuzz/rsp.dict
check_PROGRAMS += \
	tests/fuzz/replay_btf \
	tests/fuzz/replay_btf_dwarf \
	tests/fuzz/replay_cfi \
	tests/fuzz/replay_code \
	tests/fuzz/replay_crash \
	tests/fuzz/replay_debug_search \
	tests/fuzz/replay_dump \
	tests/fuzz/replay_elf \
	tests/fuzz/replay_entry \
	tests/fuzz/replay_kallsyms \
	tests/fuzz/replay_kallsyms_find \
	tests/fuzz/replay_ko \
	tests/fuzz/replay_module_search \
	tests/fuzz/replay_orc \
	tests/fuzz/replay_orc_cfi \
	tests/fuzz/replay_package_files \
	tests/fuzz/replay_qmp \
	tests/fuzz/replay_rsp \
	tests/fuzz/replay_unwind \
	tests/fuzz/replay_variable \
	tests/fuzz/replay_walk
tests_fuzz_replay_btf_SOURCES = tests/fuzz/fuzz_btf.c $(fuzz_replay)
tests_fuzz_replay_btf_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/btf"'
tests_fuzz_replay_btf_dwarf_SOURCES = tests/fuzz/fuzz_btf_dwarf.c $(fuzz_replay) \
	$(index_reader)
tests_fuzz_replay_btf_dwarf_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/btf"'
tests_fuzz_replay_cfi_SOURCES = tests/fuzz/fuzz_cfi.c $(fuzz_replay) \
	$(fuzz_unwind)
tests_fuzz_replay_cfi_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/cfi"'
tests_fuzz_replay_code_SOURCES = tests/fuzz/fuzz_code.c $(fuzz_replay) \
	$(fuzz_unwind)
tests_fuzz_replay_code_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/code"'
tests_fuzz_replay_crash_SOURCES = tests/fuzz/fuzz_crash.c $(fuzz_replay) \
	tests/proto/fake_crash.c tests/proto/fake_crash.h
tests_fuzz_replay_crash_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/crash"'
tests_fuzz_replay_debug_search_SOURCES = tests/fuzz/fuzz_debug_search.c $(fuzz_replay) \
	tests/fuzz/small_elf.h $(fuzz_file_tree)
tests_fuzz_replay_debug_search_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/debug_search"'
tests_fuzz_replay_dump_SOURCES = tests/fuzz/fuzz_dump.c $(fuzz_replay)
tests_fuzz_replay_dump_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/dump"'
tests_fuzz_replay_elf_SOURCES = tests/fuzz/fuzz_elf.c $(fuzz_replay) \
	server/files/frame_cure.c server/files/frame_cure.h server/files/image_cure.c \
	server/files/image_cure.h server/files/overlay.c server/files/overlay.h
tests_fuzz_replay_elf_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/elf"'
tests_fuzz_replay_entry_SOURCES = tests/fuzz/fuzz_entry.c $(fuzz_replay) \
	$(fuzz_unwind)
tests_fuzz_replay_entry_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/entry"'
tests_fuzz_replay_kallsyms_SOURCES = tests/fuzz/fuzz_kallsyms.c $(fuzz_replay)
tests_fuzz_replay_kallsyms_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/kallsyms"'
tests_fuzz_replay_kallsyms_find_SOURCES = tests/fuzz/fuzz_kallsyms_find.c $(fuzz_replay) \
	$(kallsyms_image)
tests_fuzz_replay_kallsyms_find_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/kallsyms_find"'
tests_fuzz_replay_ko_SOURCES = tests/fuzz/fuzz_ko.c $(fuzz_replay)
tests_fuzz_replay_ko_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/ko"'
tests_fuzz_replay_module_search_SOURCES = tests/fuzz/fuzz_module_search.c $(fuzz_replay) \
	$(fuzz_file_tree)
tests_fuzz_replay_module_search_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/module_search"'
tests_fuzz_replay_orc_SOURCES = tests/fuzz/fuzz_orc.c $(fuzz_replay) \
	$(fuzz_unwind)
tests_fuzz_replay_orc_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/orc"'
tests_fuzz_replay_orc_cfi_SOURCES = tests/fuzz/fuzz_orc_cfi.c $(fuzz_replay)
tests_fuzz_replay_orc_cfi_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/orc_cfi"'
tests_fuzz_replay_package_files_SOURCES = tests/fuzz/fuzz_package_files.c $(fuzz_replay)
tests_fuzz_replay_package_files_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/package_files"'
tests_fuzz_replay_qmp_SOURCES = tests/fuzz/fuzz_qmp.c $(fuzz_replay)
tests_fuzz_replay_qmp_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/qmp"'
tests_fuzz_replay_rsp_SOURCES = tests/fuzz/fuzz_rsp.c $(fuzz_replay) \
	$(proto_fake)
tests_fuzz_replay_rsp_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/rsp"'
tests_fuzz_replay_unwind_SOURCES = tests/fuzz/fuzz_unwind.c $(fuzz_replay) \
	$(fuzz_unwind)
tests_fuzz_replay_unwind_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/unwind"'
tests_fuzz_replay_variable_SOURCES = tests/fuzz/fuzz_variable.c $(fuzz_replay) \
	$(fuzz_unwind)
tests_fuzz_replay_variable_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/variable"'
tests_fuzz_replay_walk_SOURCES = tests/fuzz/fuzz_walk.c $(fuzz_replay)
tests_fuzz_replay_walk_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/walk"'

if HAVE_CMOCKA
if MAKES_X86_64
# Damage to such machines, as a fuzzer says
tests/fuzz/machines/stamp: tests/fuzz/machines.py tests/server/kvm_machine.py
	$(AM_V_GEN)$(MKDIR_P) tests/fuzz/machines && \
		if command -v python3 >/dev/null; then \
			python3 -B $(srcdir)/tests/fuzz/machines.py tests/fuzz/machines; \
		else echo "python3 is missing: no damage to machines of other kernels"; fi && touch $@
CLEANFILES += tests/fuzz/machines/stamp tests/fuzz/machines/*/*
check_PROGRAMS += tests/fuzz/replay_machine
tests_fuzz_replay_machine_SOURCES = tests/fuzz/fuzz_machine.c $(fuzz_replay) \
	tests/kvm/ask.c tests/kvm/ask.h tests/kvm/linux_guest.h
tests_fuzz_replay_machine_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/machine"'
fuzz_kernels = $(kernel_tests_kernels) $(kvm_tests_kernel) $(kvm_shapes) tests/fuzz/machines/stamp
EXTRA_tests_fuzz_replay_machine_DEPENDENCIES = $(fuzz_kernels)
fuzz-kernels: $(fuzz_kernels)
endif
endif

.PHONY: fuzz fuzz-kernels
# Fuzzing: `make fuzz FUZZ=unwind FUZZ_SECONDS=3600`; without FUZZ it names the targets. With clang,
# in a build of its own.
fuzz:
	@$(SHELL) $(srcdir)/tests/fuzz/fuzz.sh '$(srcdir)' '$(FUZZ)' $(FUZZ_SECONDS)
