# SPDX-License-Identifier: GPL-2.0-or-later
# All that knows no client: dumps and live memory, the kernel in them, its virtual machines.
noinst_LIBRARIES += libvmcore.a
libvmcore_a_SOURCES = \
	vmcore/context_threads.c vmcore/context_threads.h \
	vmcore/layout.c vmcore/layout.h \
	vmcore/system_regs.c vmcore/system_regs.h \
	vmcore/seen_vcpus.c vmcore/seen_vcpus.h \
	vmcore/vmcore.c vmcore/vmcore.h \
	vmcore/vmcore_code.c vmcore/vmcore_code.h \
	vmcore/vmcore_objects.c vmcore/vmcore_objects.h
include vmcore/memory/local.mk
include vmcore/dump/local.mk
include vmcore/live/local.mk
include vmcore/names/local.mk
include vmcore/names/types/local.mk
include vmcore/names/files/local.mk
include vmcore/find/local.mk
include vmcore/kernel/local.mk
include vmcore/kernel/tasks/local.mk
include vmcore/kernel/objects/local.mk
include vmcore/kernel/proof/local.mk
include vmcore/kernel/log/local.mk
include vmcore/code/local.mk
include vmcore/kvm/local.mk
include vmcore/kvm/x86/local.mk
include vmcore/guest/local.mk
include vmcore/guest/x86/local.mk
include vmcore/image/dwarf/local.mk
include vmcore/image/local.mk
