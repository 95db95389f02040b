# SPDX-License-Identifier: GPL-2.0-or-later
# Commands about frames and stacks.
vmcore_gdbserver_SOURCES += \
	server/monitor/frames/bt.c \
	server/monitor/frames/evidence.c server/monitor/frames/evidence.h \
	server/monitor/frames/frame.c \
	server/monitor/frames/frames.c server/monitor/frames/frames.h \
	server/monitor/frames/held.c server/monitor/frames/held.h \
	server/monitor/frames/pointed.c server/monitor/frames/pointed.h \
	server/monitor/frames/raw.c server/monitor/frames/raw.h \
	server/monitor/frames/seen_vcpu_rows.c server/monitor/frames/seen_vcpu_rows.h \
	server/monitor/frames/signature.c server/monitor/frames/signature.h \
	server/monitor/frames/stacks.c \
	server/monitor/frames/threads.c server/monitor/frames/threads.h
