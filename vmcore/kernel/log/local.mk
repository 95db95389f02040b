# SPDX-License-Identifier: GPL-2.0-or-later
# The log.
libvmcore_a_SOURCES += \
	vmcore/kernel/log/printk.c vmcore/kernel/log/printk.h \
	vmcore/kernel/log/printk_old.c \
	vmcore/kernel/log/printk_private.h \
	vmcore/kernel/log/printk_ring.c
