# SPDX-License-Identifier: GPL-2.0-or-later
# Tasks, CPUs, registers, the log.
libvmcore_a_SOURCES += \
	vmcore/kernel/areas.c vmcore/kernel/areas.h \
	vmcore/kernel/cpu_notes.c vmcore/kernel/cpu_notes.h \
	vmcore/kernel/cpu_switch.c vmcore/kernel/cpu_switch.h \
	vmcore/kernel/cpu_threads.c vmcore/kernel/cpu_threads.h \
	vmcore/kernel/cpus.c vmcore/kernel/cpus.h \
	vmcore/kernel/entry_code.c vmcore/kernel/entry_code.h \
	vmcore/kernel/current_task.c vmcore/kernel/current_task.h \
	vmcore/kernel/host_space.c vmcore/kernel/host_space.h \
	vmcore/kernel/kernel.c vmcore/kernel/kernel.h \
	vmcore/kernel/kernel_open.c \
	vmcore/kernel/kernel_btf_files.c \
	vmcore/kernel/kernel_private.h \
	vmcore/kernel/page_map.c vmcore/kernel/page_map.h \
	vmcore/kernel/members.c vmcore/kernel/members.h \
	vmcore/kernel/pidtable.c vmcore/kernel/pidtable.h \
	vmcore/kernel/printk.c vmcore/kernel/printk.h \
	vmcore/kernel/printk_old.c \
	vmcore/kernel/printk_private.h \
	vmcore/kernel/printk_ring.c \
	vmcore/kernel/registers.c vmcore/kernel/registers.h \
	vmcore/kernel/slab.c vmcore/kernel/slab.h \
	vmcore/kernel/slab_private.h \
	vmcore/kernel/slab_sheaves.c \
	vmcore/kernel/stack_copy.c vmcore/kernel/stack_copy.h \
	vmcore/kernel/task_stamp.c vmcore/kernel/task_stamp.h \
	vmcore/kernel/task_spaces.c vmcore/kernel/task_spaces.h \
	vmcore/kernel/task_state.c vmcore/kernel/task_state.h \
	vmcore/kernel/task_walk.c vmcore/kernel/task_walk.h \
	vmcore/kernel/tasks.c vmcore/kernel/tasks.h \
	vmcore/kernel/types_proof.c vmcore/kernel/types_proof.h \
	vmcore/kernel/xarray.c vmcore/kernel/xarray.h
