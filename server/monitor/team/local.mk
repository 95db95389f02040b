# SPDX-License-Identifier: GPL-2.0-or-later
# Who looks at a dump, what they write down, and what they show each other.
vmcore_gdbserver_SOURCES += \
	server/monitor/team/clients.c \
	server/monitor/team/note.c \
	server/monitor/team/point.c \
	server/monitor/team/subject.c server/monitor/team/subject.h \
	server/monitor/team/team_tables.h
