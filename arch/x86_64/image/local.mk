# SPDX-License-Identifier: GPL-2.0-or-later
# DWARF's frames for x86-64's kernels, from ORC and from the code.
libvmcore_a_SOURCES += \
	arch/x86_64/image/image_frames.c arch/x86_64/image/x86_64.h \
	arch/x86_64/image/cfi_state.c arch/x86_64/image/cfi_state.h \
	arch/x86_64/image/cfi_writer.c arch/x86_64/image/cfi_writer.h \
	arch/x86_64/image/entry_frames.c arch/x86_64/image/entry_frames.h \
	arch/x86_64/image/image_cfi.c arch/x86_64/image/image_cfi.h \
	arch/x86_64/image/prologue.c arch/x86_64/image/prologue.h \
	arch/x86_64/image/row_mend.c arch/x86_64/image/row_mend.h \
	arch/x86_64/image/traced_frames.c arch/x86_64/image/traced_frames.h
