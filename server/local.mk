# SPDX-License-Identifier: GPL-2.0-or-later
# The program: what serves clients.
bin_PROGRAMS = vmcore-gdbserver
vmcore_gdbserver_SOURCES = \
	server/guest_dump.c server/guest_dump.h \
	server/host.c server/host.h \
	server/host_code.c server/host_code.h \
	server/host_describe.c \
	server/main.c \
	server/options.c server/options.h \
	server/vcpu_name.c server/vcpu_name.h
vmcore_gdbserver_LDADD = libproto.a $(vmcore_libs)
include server/net/local.mk
include server/files/local.mk
include server/target/local.mk
include server/monitor/local.mk
