# SPDX-License-Identifier: GPL-2.0-or-later
# The program: what serves clients.
bin_PROGRAMS = vmcore-gdbserver
vmcore_gdbserver_SOURCES = \
	server/completion.c server/completion.h \
	server/confinement.c server/confinement.h \
	server/crash_command.c server/crash_command.h \
	server/main.c \
	server/markdown.c server/markdown.h \
	server/notes_place.c server/notes_place.h \
	server/options.c server/options.h server/options_table.h \
	server/served.h \
	server/serve_shelf.c server/serve_shelf.h \
	server/service.c server/service.h
vmcore_gdbserver_LDADD = libproto.a $(vmcore_libs) $(SECCOMP_LIBS)
include server/net/local.mk
include server/team/local.mk
include server/files/local.mk
include server/ide/local.mk
include server/target/local.mk
include arch/x86_64/target/local.mk
include server/shelf/local.mk
include server/monitor/local.mk
include server/monitor/frames/local.mk
include server/monitor/kvm/local.mk
include server/monitor/memory/local.mk
include server/monitor/team/local.mk
