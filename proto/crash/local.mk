# SPDX-License-Identifier: GPL-2.0-or-later
# The protocol of crash's remote daemon, without I/O.
libproto_a_SOURCES += \
	proto/crash/client.c proto/crash/client.h \
	proto/crash/machine.h \
	proto/crash/request.c proto/crash/request.h
