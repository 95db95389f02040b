# SPDX-License-Identifier: GPL-2.0-or-later
# What the protocol asks: the host and guests.
vmcore_gdbserver_SOURCES += \
	server/target/arch.c server/target/arch.h \
	server/target/crash_guest.c server/target/crash_machine.h \
	server/target/crash_kernel.c \
	server/target/guest_machine.c server/target/guest_machine.h \
	server/target/guest_view.c server/target/guest_view.h \
	server/target/attach.c server/target/attach.h \
	server/target/guests.c server/target/guests.h \
	server/target/kvm_registers.c server/target/kvm_registers.h \
	server/target/osdata.c server/target/osdata.h \
	server/target/osdata_kernel.c \
	server/target/osdata_kvm.c \
	server/target/osdata_tables.h \
	server/target/system_registers.c server/target/system_registers.h \
	server/target/target_guest.c server/target/target_guest.h \
	server/target/target_kernel.c server/target/target_kernel.h
