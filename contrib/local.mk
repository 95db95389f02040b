# SPDX-License-Identifier: GPL-2.0-or-later
# Starters of other debuggers, in python.
dist_bin_SCRIPTS = contrib/drgn/vmcore-drgn contrib/lldb/vmcore-lldb
# Configurations with placeholders: `make docs` writes them, tests/server compares them with what the
# program prints.
ide_files = vscode:launch.json nvim:nvim-dap.lua emacs:vmcore.el clion:vmcore.run.xml eclipse:eclipse.txt
EXTRA_DIST += contrib/ide/launch.json contrib/ide/nvim-dap.lua contrib/ide/vmcore.el \
	contrib/ide/vmcore.run.xml contrib/ide/eclipse.txt
dist_noinst_DATA += contrib/quickstart.sh contrib/Containerfile
# For systemd: a socket and a service a dump, and the group of those who may connect.
systemdunitdir = $(prefix)/lib/systemd/system
dist_systemdunit_DATA = contrib/systemd/vmcore-gdbserver@.socket
nodist_systemdunit_DATA = contrib/systemd/vmcore-gdbserver@.service
sysusersdir = $(prefix)/lib/sysusers.d
dist_sysusers_DATA = contrib/systemd/vmcore-gdbserver.conf
EXTRA_DIST += contrib/systemd/vmcore-gdbserver@.service.in
CLEANFILES += $(nodist_systemdunit_DATA)
contrib/systemd/vmcore-gdbserver@.service: contrib/systemd/vmcore-gdbserver@.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib/systemd && \
	sed 's|@bindir[@]|$(bindir)|' $(srcdir)/$@.in >$@.tmp && mv $@.tmp $@

# The demo: a vmcore whose kernel is a small program at a real kernel's addresses
if MAKES_X86_64
noinst_DATA = contrib/demo/vmcore
demo_cflags = -std=gnu17 -g -gdwarf-4 -O1 -ffreestanding -mcmodel=kernel -fno-pic -fno-pie \
	-mno-red-zone -fno-asynchronous-unwind-tables -fno-stack-protector -fcf-protection=none \
	-fno-zero-initialized-in-bss -fno-common -fno-toplevel-reorder \
	-fno-eliminate-unused-debug-types \
	-ffile-prefix-map=$(srcdir)/contrib/demo=. -ffile-prefix-map=$(abs_builddir)=.
demo_objects = contrib/demo/text.o contrib/demo/text-kvm.o contrib/demo/data.o contrib/demo/kvm.o
demo_headers = contrib/demo/kernel.h contrib/demo/kvm.h contrib/demo/frame.h

contrib/demo/data.o: contrib/demo/data.c $(demo_headers)
	$(AM_V_CC)$(MKDIR_P) contrib/demo && $(CC) $(demo_cflags) -c -o $@ $(srcdir)/contrib/demo/data.c
contrib/demo/kvm.o: contrib/demo/kvm.c $(demo_headers)
	$(AM_V_CC)$(MKDIR_P) contrib/demo && $(CC) $(demo_cflags) -c -o $@ $(srcdir)/contrib/demo/kvm.c
contrib/demo/text.o: contrib/demo/text.S $(demo_headers)
	$(AM_V_CC)$(MKDIR_P) contrib/demo && $(CC) -c -o $@ $(srcdir)/contrib/demo/text.S
contrib/demo/text-kvm.o: contrib/demo/text-kvm.S $(demo_headers)
	$(AM_V_CC)$(MKDIR_P) contrib/demo && $(CC) -c -o $@ $(srcdir)/contrib/demo/text-kvm.S
contrib/demo/vmlinux: $(demo_objects) contrib/demo/vmlinux.lds
	$(AM_V_CCLD)$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack \
		--build-id=sha1 -T $(srcdir)/contrib/demo/vmlinux.lds -o $@ $(demo_objects)
contrib/demo/vmcore: contrib/demo/seed.recipe contrib/demo/vmlinux tests/recipe/mkvmcore$(EXEEXT)
	$(AM_V_GEN)tests/recipe/mkvmcore$(EXEEXT) -I contrib/demo $(srcdir)/contrib/demo/seed.recipe $@

# What a newcomer sees first: stock gdb on the demo dump.
demo: vmcore-gdbserver$(EXEEXT) contrib/demo/vmcore
	./vmcore-gdbserver$(EXEEXT) --symbols contrib/demo/vmlinux \
		--run 'gdb -nx -q -batch -ex "target remote {}" -x $(srcdir)/contrib/demo/demo.gdb contrib/demo/vmlinux' \
		contrib/demo/vmcore
endif
EXTRA_DIST += contrib/demo/README.md contrib/demo/data.c contrib/demo/demo.gdb contrib/demo/frame.h \
	contrib/demo/kernel.h contrib/demo/kvm.c contrib/demo/kvm.h contrib/demo/seed.recipe \
	contrib/demo/text.S contrib/demo/text-kvm.S contrib/demo/vmlinux.lds
CLEANFILES += $(demo_objects) contrib/demo/vmlinux contrib/demo/vmcore

# What shells complete the command line by, printed by the program.
bashcompletiondir = $(datadir)/bash-completion/completions
nodist_bashcompletion_DATA = contrib/vmcore-gdbserver
fishcompletiondir = $(datadir)/fish/vendor_completions.d
nodist_fishcompletion_DATA = contrib/vmcore-gdbserver.fish
zshcompletiondir = $(datadir)/zsh/site-functions
nodist_zshcompletion_DATA = contrib/_vmcore-gdbserver
completions = $(nodist_bashcompletion_DATA) $(nodist_fishcompletion_DATA) $(nodist_zshcompletion_DATA)
CLEANFILES += $(completions)
contrib/vmcore-gdbserver: vmcore-gdbserver$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) contrib && \
	./vmcore-gdbserver$(EXEEXT) --print-docs completion-bash >$@.tmp && mv $@.tmp $@
contrib/vmcore-gdbserver.fish: vmcore-gdbserver$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) contrib && \
	./vmcore-gdbserver$(EXEEXT) --print-docs completion-fish >$@.tmp && mv $@.tmp $@
contrib/_vmcore-gdbserver: vmcore-gdbserver$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) contrib && \
	./vmcore-gdbserver$(EXEEXT) --print-docs completion-zsh >$@.tmp && mv $@.tmp $@

# Packages of distributions, from the tarball: built, and held against lintian. Not in `check`: each compiles
# the whole program. What the spec needs under Fedora's names is not asked of another distribution.
EXTRA_DIST += contrib/rpm/vmcore-gdbserver.spec debian/changelog debian/control debian/copyright debian/rules \
	debian/source/format debian/vmcore-gdbserver.links
packages = package-builds
.PHONY: check-packages check-deb check-rpm
check-packages: check-deb check-rpm
check-deb: dist
	rm -rf $(packages)/deb && $(MKDIR_P) $(packages)/deb
	$(AMTAR) -xf $(distdir).tar.xz -C $(packages)/deb
	cd $(packages)/deb/$(distdir) && dpkg-buildpackage -us -uc -b
	lintian --fail-on error,warning --allow-root $(packages)/deb/*.changes
check-rpm: dist
	rm -rf $(packages)/rpm && $(MKDIR_P) $(packages)/rpm/SOURCES
	cp $(distdir).tar.xz $(packages)/rpm/SOURCES
	rpmbuild -bb --nodeps --define "_topdir $(abs_builddir)/$(packages)/rpm" \
		$(srcdir)/contrib/rpm/vmcore-gdbserver.spec
clean-local:
	rm -rf $(packages)
