# SPDX-License-Identifier: GPL-2.0-or-later
# The commands of monitor.
vmcore_gdbserver_SOURCES += \
	server/monitor/commands.h \
	server/monitor/connect.c \
	server/monitor/crash_words.c server/monitor/crash_words.h \
	server/monitor/dates.c server/monitor/dates.h \
	server/monitor/dmesg.c \
	server/monitor/info.c server/monitor/info.h \
	server/monitor/job.h \
	server/monitor/layout.c \
	server/monitor/modules.c server/monitor/modules.h \
	server/monitor/monitor.c server/monitor/monitor.h \
	server/monitor/noted.c server/monitor/noted.h \
	server/monitor/rows.c server/monitor/rows.h \
	server/monitor/symbols.c \
	server/monitor/system.c \
	server/monitor/targets.c
