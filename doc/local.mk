# SPDX-License-Identifier: GPL-2.0-or-later
dist_noinst_DATA += doc/vmcore-gdbserver.8.in
# The manual page and the completion are printed by the program, from its own tables.
nodist_man_MANS = vmcore-gdbserver.8
dist_man_MANS = doc/vmcore-drgn.1 doc/vmcore-lldb.1
CLEANFILES += $(nodist_man_MANS)
vmcore-gdbserver.8: $(srcdir)/doc/vmcore-gdbserver.8.in vmcore-gdbserver$(EXEEXT)
	$(AM_V_GEN)./vmcore-gdbserver$(EXEEXT) --print-docs man-options >$@.options && \
	./vmcore-gdbserver$(EXEEXT) --print-docs man-monitor >$@.monitor && \
	$(SED) -e '/^@OPTIONS@$$/{r $@.options' -e 'd;}' -e '/^@MONITOR@$$/{r $@.monitor' -e 'd;}' \
		$(srcdir)/doc/vmcore-gdbserver.8.in >$@.tmp && \
	rm -f $@.options $@.monitor && mv $@.tmp $@

# The pages. doc/commands.md is committed, for who reads the repository; tests/doc compares it with what
# the program prints.
dist_doc_DATA = README.md CHANGELOG.md HACKING.md
# Where the links between them and README.md lead.
pagesdir = $(docdir)/doc
dist_pages_DATA = doc/addresses.md doc/architecture.md doc/backtraces.md doc/clients.md \
	doc/commands.md doc/dumps.md \
	doc/findings.md doc/ide.md doc/kernels.md \
	doc/live.md doc/performance.md doc/security.md doc/shelf.md doc/symbols.md doc/team.md \
	doc/virtual-machines.md
.PHONY: docs
docs: vmcore-gdbserver$(EXEEXT)
	./vmcore-gdbserver$(EXEEXT) --print-docs markdown >doc-commands.tmp && \
	mv doc-commands.tmp $(srcdir)/doc/commands.md
	for pair in $(ide_files); do \
		./vmcore-gdbserver$(EXEEXT) --print-docs ide-$${pair%%:*} >ide-file.tmp && \
		mv ide-file.tmp $(srcdir)/contrib/ide/$${pair#*:} || exit 1; \
	done
