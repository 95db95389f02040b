# SPDX-License-Identifier: GPL-2.0-or-later
# Where members are in a kernel whose types nobody knows, as far as the dump proves it.
libvmcore_a_SOURCES += \
	vmcore/kernel/proof/layout_cpus.c \
	vmcore/kernel/proof/layout_lists.c \
	vmcore/kernel/proof/layout_memory.c \
	vmcore/kernel/proof/layout_private.h \
	vmcore/kernel/proof/layout_proof.c vmcore/kernel/proof/layout_proof.h \
	vmcore/kernel/proof/layout_sample.c vmcore/kernel/proof/layout_sample.h
