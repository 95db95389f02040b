# SPDX-License-Identifier: GPL-2.0-or-later
# Real dumps: made from a Debian kernel in a virtual machine the first time, kept in VMCORE_REAL_DIR
AM_TESTS_ENVIRONMENT = \
	VMCORE_GDBSERVER='$(abs_builddir)/vmcore-gdbserver$(EXEEXT)'; export VMCORE_GDBSERVER; \
	VMCORE_TYPE_COMPARERS='$(type_comparers)'; export VMCORE_TYPE_COMPARERS; \
	VMCORE_REAL_DIR="$${VMCORE_REAL_DIR:-$(abs_builddir)/real-dumps}"; export VMCORE_REAL_DIR;
# Longest first, so that with -j nothing long is left for the end.
TESTS += tests/real/dumps.tap tests/real/every_dump.tap tests/real/real.tap tests/real/older.tap
tests/real/every_dump.log tests/real/real.log tests/real/older.log: tests/real/dumps.log
tests/real/real.log: $(type_comparers)
EXTRA_DIST += tests/real
