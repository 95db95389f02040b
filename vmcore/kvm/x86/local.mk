# SPDX-License-Identifier: GPL-2.0-or-later
# KVM of x86: its vendors, its MMU, how the host enters a guest.
libvmcore_a_SOURCES += \
	vmcore/kvm/x86/exit_names.c vmcore/kvm/x86/exit_names.h \
	vmcore/kvm/x86/host_entry.c vmcore/kvm/x86/host_entry.h \
	vmcore/kvm/x86/kind.c \
	vmcore/kvm/x86/mmu.c vmcore/kvm/x86/mmu.h
