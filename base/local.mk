# SPDX-License-Identifier: GPL-2.0-or-later
# Leaves, shared by all.
noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	base/buf.c base/buf.h \
	base/bytes.h \
	base/clock.h \
	base/close_from.c base/close_from.h \
	base/err.c base/err.h \
	base/file_map.c base/file_map.h \
	base/fiber.c base/fiber.h \
	base/fields.c base/fields.h \
	base/files.c base/files.h \
	base/fnv.h \
	base/hex.c base/hex.h \
	base/json.c base/json.h \
	base/leb.h \
	base/log.c base/log.h \
	base/map.c base/map.h \
	base/name_map.c base/name_map.h \
	base/printable.c base/printable.h \
	base/regs.h \
	base/send_fd.c base/send_fd.h \
	base/slice.h \
	base/utf8.c base/utf8.h
