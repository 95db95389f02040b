# SPDX-License-Identifier: GPL-2.0-or-later
# --live inside a virtual machine of that kernel, against what the machine says of itself.
# Alone with its machine, whose seconds are this one's: what else takes long goes first.
tests/live/live.log: tests/real/dumps.log tests/real/real.log tests/real/debuggers.log tests/real/every_dump.log
EXTRA_DIST += tests/live

# Clients that list and unwind while tasks come and go, for SOAK_SECONDS (an hour).
.PHONY: soak
soak: vmcore-gdbserver$(EXEEXT)
	$(AM_TESTS_ENVIRONMENT) $(SHELL) $(top_srcdir)/tests/server/run-python.sh $(srcdir)/tests/live/soak.py

# A kernel with frame pointers and without STRICT_DEVMEM: its dumps, and live.tap over its /dev/mem. Not
# in `check`, as it compiles that kernel.
.PHONY: check-devmem
tests/live/frame-pointers.log: tests/unwind/fp_code$(EXEEXT)
tests/live/devmem.log: tests/real/dumps.log tests/live/frame-pointers.log
check-devmem: vmcore-gdbserver$(EXEEXT)
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='tests/real/dumps.tap tests/live/frame-pointers.tap tests/live/devmem.tap'
