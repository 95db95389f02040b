# SPDX-License-Identifier: GPL-2.0-or-later
# The commands of monitor.
vmcore_gdbserver_SOURCES += \
	server/monitor/bt.c \
	server/monitor/commands.h \
	server/monitor/connect.c \
	server/monitor/crash_words.c server/monitor/crash_words.h \
	server/monitor/dmesg.c \
	server/monitor/ept.c \
	server/monitor/evidence.c server/monitor/evidence.h \
	server/monitor/frame.c \
	server/monitor/frames.c server/monitor/frames.h \
	server/monitor/held.c server/monitor/held.h \
	server/monitor/info.c server/monitor/info.h \
	server/monitor/job.h \
	server/monitor/kvm.c \
	server/monitor/layout.c \
	server/monitor/memory.c \
	server/monitor/mmu.c \
	server/monitor/modules.c server/monitor/modules.h \
	server/monitor/monitor.c server/monitor/monitor.h \
	server/monitor/named_address.c server/monitor/named_address.h \
	server/monitor/pointed.c server/monitor/pointed.h \
	server/monitor/raw.c server/monitor/raw.h \
	server/monitor/refs.c \
	server/monitor/rows.c server/monitor/rows.h \
	server/monitor/seen_vcpu_rows.c server/monitor/seen_vcpu_rows.h \
	server/monitor/stacks.c \
	server/monitor/symbols.c \
	server/monitor/system.c \
	server/monitor/targets.c \
	server/monitor/threads.c server/monitor/threads.h \
	server/monitor/vcpu_name.c server/monitor/vcpu_name.h \
	server/monitor/vcpu_rows.c server/monitor/vcpu_rows.h \
	server/monitor/vm_rows.c server/monitor/vm_rows.h \
	server/monitor/walk.c \
	server/monitor/what.c \
	server/monitor/what_facts.h \
	server/monitor/what_kernel.c \
	server/monitor/what_memory.c \
	server/monitor/what_objects.c
