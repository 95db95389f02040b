# SPDX-License-Identifier: GPL-2.0-or-later
# Real dumps: made from a Debian kernel in a virtual machine the first time, kept in VMCORE_REAL_DIR
AM_TESTS_ENVIRONMENT = \
	VMCORE_GDBSERVER='$(abs_builddir)/vmcore-gdbserver$(EXEEXT)'; export VMCORE_GDBSERVER; \
	VMCORE_TYPE_COMPARERS='$(type_comparers)'; export VMCORE_TYPE_COMPARERS; \
	VMCORE_REAL_DIR="$${VMCORE_REAL_DIR:-$(abs_builddir)/real-dumps}"; export VMCORE_REAL_DIR;
tests/real/every_dump.log tests/real/real.log tests/real/debuggers.log tests/real/older.log: tests/real/dumps.log
tests/real/every_dump.log: tests/memory/kdump_compare$(EXEEXT)
tests/real/real.log tests/real/older.log: $(type_comparers)
EXTRA_DIST += tests/real

# A busy machine that is stopped at random, STOPS times; entry code, one instruction after the other; and
# a machine whose functions are traced: each against QEMU's stub, drgn or the kernel's own words. Not in
# `check`, but for some stops: 100 take five minutes, all SCENES of the entries a quarter of an hour.
STOPS = 100
SCENES = all
SEED =
BOOT_ARGUMENTS =
real_tool = $(AM_TESTS_ENVIRONMENT) $(SHELL) $(top_srcdir)/tests/server/run-python.sh
.PHONY: check-random-stops check-entries check-traced
check-random-stops: vmcore-gdbserver$(EXEEXT)
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS=tests/real/dumps.tap
	$(real_tool) $(srcdir)/tests/real/random_stops.py "$$VMCORE_REAL_DIR" random-stops \
		"$$VMCORE_GDBSERVER" $(STOPS) "$(SEED)" $(BOOT_ARGUMENTS)
check-entries: vmcore-gdbserver$(EXEEXT)
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS=tests/real/dumps.tap
	$(real_tool) $(srcdir)/tests/real/walk_entries.py "$$VMCORE_REAL_DIR" entries \
		"$$VMCORE_GDBSERVER" $(SCENES) $(BOOT_ARGUMENTS)
check-traced: vmcore-gdbserver$(EXEEXT)
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS=tests/real/dumps.tap
	$(real_tool) $(srcdir)/tests/real/check_traced.py "$$VMCORE_REAL_DIR" traced "$$VMCORE_GDBSERVER"
