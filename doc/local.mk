# SPDX-License-Identifier: GPL-2.0-or-later
dist_noinst_DATA += doc/vmcore-gdbserver.8.in
# The manual page and the completion are printed by the program, from its own tables.
nodist_man_MANS = vmcore-gdbserver.8
CLEANFILES += $(nodist_man_MANS)
vmcore-gdbserver.8: $(srcdir)/doc/vmcore-gdbserver.8.in vmcore-gdbserver$(EXEEXT)
	$(AM_V_GEN)./vmcore-gdbserver$(EXEEXT) --print-docs man-options >$@.options && \
	./vmcore-gdbserver$(EXEEXT) --print-docs man-monitor >$@.monitor && \
	$(SED) -e '/^@OPTIONS@$$/{r $@.options' -e 'd;}' -e '/^@MONITOR@$$/{r $@.monitor' -e 'd;}' \
		$(srcdir)/doc/vmcore-gdbserver.8.in >$@.tmp && \
	rm -f $@.options $@.monitor && mv $@.tmp $@
