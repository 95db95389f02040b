# SPDX-License-Identifier: GPL-2.0-or-later
# Commands about memory and what lies in it.
vmcore_gdbserver_SOURCES += \
	server/monitor/memory/memory.c \
	server/monitor/memory/named_address.c server/monitor/memory/named_address.h \
	server/monitor/memory/refs.c \
	server/monitor/memory/what.c \
	server/monitor/memory/what_facts.h \
	server/monitor/memory/what_guest.c \
	server/monitor/memory/what_kernel.c \
	server/monitor/memory/what_memory.c \
	server/monitor/memory/what_objects.c
