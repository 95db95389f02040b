# SPDX-License-Identifier: GPL-2.0-or-later
# What clients may read; debuginfod.
vmcore_gdbserver_SOURCES += \
	server/files/debuginfod.c server/files/debuginfod.h \
	server/files/debuginfod_helper.c server/files/debuginfod_helper.h \
	server/files/exports.c server/files/exports.h \
	server/files/frame_cure.c server/files/frame_cure.h \
	server/files/guest_image.c server/files/guest_image.h \
	server/files/image_cure.c server/files/image_cure.h \
	server/files/index_section.c server/files/index_section.h \
	server/files/libraries.c server/files/libraries.h \
	server/files/library_lists.c server/files/library_lists.h \
	server/files/made_image.c server/files/made_image.h \
	server/files/overlay.c server/files/overlay.h \
	server/files/served_image.c server/files/served_image.h \
	server/files/served_name.c server/files/served_name.h \
	server/files/symbol_file.c server/files/symbol_file.h \
	server/files/types_archive.c server/files/types_archive.h \
	server/files/vmlinux_index.c server/files/vmlinux_index.h \
	server/files/write_symbols.c server/files/write_symbols.h \
	server/files/write_types.c server/files/write_types.h
