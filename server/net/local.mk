# SPDX-License-Identifier: GPL-2.0-or-later
# Addresses, sessions, privileges.
vmcore_gdbserver_SOURCES += \
	server/net/address.c server/net/address.h \
	server/net/captive.c server/net/captive.h \
	server/net/confine.c server/net/confine.h \
	server/net/directory.c \
	server/net/dialogue.c server/net/dialogue.h \
	server/net/index_process.c server/net/index_process.h \
	server/net/inlet.c \
	server/net/kept.c server/net/kept.h \
	server/net/landlock.c server/net/landlock.h \
	server/net/loop_time.c server/net/loop_time.h \
	server/net/outer.c server/net/outer.h \
	server/net/outer_private.h \
	server/net/peer.c server/net/peer.h \
	server/net/privileges.c server/net/privileges.h \
	server/net/server.c server/net/server.h \
	server/net/server_later.c \
	server/net/server_private.h \
	server/net/session.c server/net/session.h \
	server/net/shelf_message.c server/net/shelf_message.h \
	server/net/slow_reads.c server/net/slow_reads.h \
	server/net/survival.c server/net/survival.h \
	server/net/sweeper.c server/net/sweeper.h \
	server/net/syscalls.c server/net/syscalls.h
