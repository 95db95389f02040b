# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the program as its users meet it, on the demo dump
server_tests = tests/server/test_budgets.py tests/server/test_attach.py tests/server/test_compressed.py tests/server/test_debuginfod.py \
	tests/server/test_bt.py tests/server/test_bt_detail.py tests/server/test_bt_holds.py \
	tests/server/test_crash.py tests/server/test_faults.py \
	tests/server/test_dap.py tests/server/test_dmesg.py tests/server/test_ept.py \
	tests/server/test_write_symbols.py tests/server/test_write_types.py tests/server/test_files.py \
	tests/server/test_frame.py tests/server/test_gdb.py tests/server/test_ide.py tests/server/test_index.py \
	tests/server/test_input.py tests/server/test_instructions.py tests/server/test_interrupt.py tests/server/test_listen.py \
	tests/server/test_kvm.py tests/server/test_kvm_damage.py tests/server/test_late.py tests/server/test_kvm_dumps.py \
	tests/server/test_live.py \
	tests/server/test_lldb.py tests/server/test_module_layouts.py tests/server/test_module_types.py \
	tests/server/test_mi.py \
	tests/server/test_monitor.py tests/server/test_options.py tests/server/test_orc.py tests/server/test_refs.py \
	tests/server/test_btf_files.py tests/server/test_packages.py tests/server/test_peers.py \
	tests/server/test_protocol.py tests/server/test_qmp.py tests/server/test_sessions.py \
	tests/server/test_slow_disk.py tests/server/test_survival.py tests/server/test_systemd.py \
	tests/server/test_shelf.py tests/server/test_team.py tests/server/test_ssh.py
if MAKES_X86_64
TESTS += $(server_tests)
endif
EXTRA_DIST += $(server_tests) tests/server/adapters.py tests/server/dap.py tests/server/fetch-adapters.sh tests/server/soak_team.py \
	tests/server/file_client.py tests/server/gdb_run.py tests/server/printed.py tests/server/failing_reads.c tests/server/held.S \
	tests/server/kvm_machine.py tests/server/kvm_module.py tests/server/mi.py tests/server/instructions.json tests/server/orc_dumps.py tests/server/package_files.py \
	tests/server/program.py \
	tests/server/recipes.py tests/server/rsp.py tests/server/seed_case.py \
	tests/server/run-python.sh tests/server/tap.py

check_PROGRAMS += tests/server/test_confined
tests_server_test_confined_SOURCES = tests/server/test_confined.c \
	server/files/debuginfod.c server/files/debuginfod.h \
	server/files/debuginfod_helper.c server/files/debuginfod_helper.h \
	server/net/address.c server/net/address.h \
	server/net/captive.c server/net/captive.h \
	server/net/confine.c server/net/confine.h \
	server/net/index_process.c server/net/index_process.h \
	server/net/kept.c server/net/kept.h \
	server/net/landlock.c server/net/landlock.h \
	server/net/outer.c server/net/outer.h \
	server/net/privileges.c server/net/privileges.h \
	server/net/survival.c server/net/survival.h \
	server/net/syscalls.c server/net/syscalls.h
tests_server_test_confined_LDADD = $(LDADD) $(SECCOMP_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/server/test_exports tests/server/test_image_cure \
	tests/server/test_context_places tests/server/test_rows
tests_server_test_exports_SOURCES = tests/server/test_exports.c \
	server/files/exports.c server/files/exports.h server/files/overlay.c server/files/overlay.h
tests_server_test_image_cure_SOURCES = tests/server/test_image_cure.c \
	server/files/image_cure.c server/files/image_cure.h \
	server/files/overlay.c server/files/overlay.h
tests_server_test_rows_SOURCES = tests/server/test_rows.c \
	server/monitor/rows.c server/monitor/rows.h
endif
# A soak of many clients; an hour unless SOAK_SECONDS says otherwise.
.PHONY: check-team
check-team: vmcore-gdbserver$(EXEEXT)
	$(AM_TESTS_ENVIRONMENT) $(SHELL) $(top_srcdir)/tests/server/run-python.sh $(srcdir)/tests/server/soak_team.py
