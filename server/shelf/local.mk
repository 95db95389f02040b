# SPDX-License-Identifier: GPL-2.0-or-later
# A folder of dumps.
vmcore_gdbserver_SOURCES += \
	server/shelf/dumps.c server/shelf/dumps.h \
	server/shelf/keeper.c server/shelf/keeper.h \
	server/shelf/scan.c server/shelf/scan.h \
	server/shelf/shelf_target.c server/shelf/shelf_target.h
