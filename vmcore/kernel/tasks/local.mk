# SPDX-License-Identifier: GPL-2.0-or-later
# Tasks and CPUs: which there are, and the registers they begin with.
libvmcore_a_SOURCES += \
	vmcore/kernel/tasks/arch.h \
	vmcore/kernel/tasks/cpu_notes.c vmcore/kernel/tasks/cpu_notes.h \
	vmcore/kernel/tasks/cpu_switch.c vmcore/kernel/tasks/cpu_switch.h \
	vmcore/kernel/tasks/cpu_threads.c vmcore/kernel/tasks/cpu_threads.h \
	vmcore/kernel/tasks/cpus.c vmcore/kernel/tasks/cpus.h \
	vmcore/kernel/tasks/current_task.c vmcore/kernel/tasks/current_task.h \
	vmcore/kernel/tasks/entry_code.c vmcore/kernel/tasks/entry_code.h \
	vmcore/kernel/tasks/pidtable.c vmcore/kernel/tasks/pidtable.h \
	vmcore/kernel/tasks/registers.c vmcore/kernel/tasks/registers.h \
	vmcore/kernel/tasks/stack_copy.c vmcore/kernel/tasks/stack_copy.h \
	vmcore/kernel/tasks/task_spaces.c vmcore/kernel/tasks/task_spaces.h \
	vmcore/kernel/tasks/task_stamp.c vmcore/kernel/tasks/task_stamp.h \
	vmcore/kernel/tasks/task_state.c vmcore/kernel/tasks/task_state.h \
	vmcore/kernel/tasks/task_walk.c vmcore/kernel/tasks/task_walk.h \
	vmcore/kernel/tasks/tasks.c vmcore/kernel/tasks/tasks.h
