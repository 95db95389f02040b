# SPDX-License-Identifier: GPL-2.0-or-later
# Registers and page tables of x86's guests, by vendor.
libvmcore_a_SOURCES += \
	vmcore/guest/x86/guest_note.c vmcore/guest/x86/guest_note.h \
	vmcore/guest/x86/guest_notes.c vmcore/guest/x86/guest_notes.h \
	vmcore/guest/x86/guest_paging.c \
	vmcore/guest/x86/guest_private.h \
	vmcore/guest/x86/guest_regs.c vmcore/guest/x86/guest_regs.h \
	vmcore/guest/x86/guest_svm.c \
	vmcore/guest/x86/guest_vmx.c
