# SPDX-License-Identifier: GPL-2.0-or-later
# The host's side of virtual machines.
libvmcore_a_SOURCES += \
	vmcore/kvm/files.c \
	vmcore/kvm/kvm.c vmcore/kvm/kvm.h \
	vmcore/kvm/kvm_private.h \
	vmcore/kvm/members.c vmcore/kvm/members.h \
	vmcore/kvm/read.c vmcore/kvm/read.h \
	vmcore/kvm/slots.c \
	vmcore/kvm/threads.c \
	vmcore/kvm/vcpu_stamp.c vmcore/kvm/vcpu_stamp.h \
	vmcore/kvm/vcpu_state.c vmcore/kvm/vcpu_state.h \
	vmcore/kvm/vcpus.c \
	vmcore/kvm/vms.c
