# SPDX-License-Identifier: GPL-2.0-or-later
# Who looks at a dump, and what they write down.
vmcore_gdbserver_SOURCES += \
	server/team/notebook.c server/team/notebook.h \
	server/team/team.c server/team/team.h
