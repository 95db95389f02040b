# SPDX-License-Identifier: GPL-2.0-or-later
# What the kernel keeps in its memory: pages, slabs, areas.
libvmcore_a_SOURCES += \
	vmcore/kernel/objects/areas.c vmcore/kernel/objects/areas.h \
	vmcore/kernel/objects/page_map.c vmcore/kernel/objects/page_map.h \
	vmcore/kernel/objects/slab.c vmcore/kernel/objects/slab.h \
	vmcore/kernel/objects/slab_private.h \
	vmcore/kernel/objects/slab_sheaves.c
