# SPDX-License-Identifier: GPL-2.0-or-later
# Commands about virtual machines and their memory.
vmcore_gdbserver_SOURCES += \
	server/monitor/kvm/ept.c \
	server/monitor/kvm/kvm.c \
	server/monitor/kvm/mmu.c \
	server/monitor/kvm/vcpu_name.c server/monitor/kvm/vcpu_name.h \
	server/monitor/kvm/vcpu_rows.c server/monitor/kvm/vcpu_rows.h \
	server/monitor/kvm/attach_id.c server/monitor/kvm/attach_id.h \
	server/monitor/kvm/vm_rows.c server/monitor/kvm/vm_rows.h \
	server/monitor/kvm/walk.c
