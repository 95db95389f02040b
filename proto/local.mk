# SPDX-License-Identifier: GPL-2.0-or-later
# The GDB remote serial protocol, without I/O.
noinst_LIBRARIES += libproto.a
libproto_a_SOURCES = \
	proto/cursor.c proto/cursor.h \
	proto/frame.c proto/frame.h \
	proto/packet.c proto/packet.h \
	proto/patience.c proto/patience.h \
	proto/process.c proto/process.h \
	proto/pkt_image.c \
	proto/pkt_lldb.c \
	proto/pkt_memory.c \
	proto/pkt_monitor.c \
	proto/pkt_qemu.c \
	proto/pkt_registers.c \
	proto/pkt_run.c \
	proto/pkt_search.c \
	proto/pkt_session.c \
	proto/pkt_shelf.c \
	proto/pkt_threads.c \
	proto/pkt_vfile.c \
	proto/pkt_xfer.c \
	proto/registers.c proto/registers.h \
	proto/reply.c proto/reply.h \
	proto/rsp.c proto/rsp.h \
	proto/saved.c proto/saved.h \
	proto/session.c proto/session.h \
	proto/shared.c proto/shared.h \
	proto/stop.c proto/stop.h \
	proto/target.c proto/target.h \
	proto/tdesc.c proto/tdesc.h \
	proto/thread_id.c proto/thread_id.h
