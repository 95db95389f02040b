# SPDX-License-Identifier: GPL-2.0-or-later
# What stock gdb makes of the demo dump: a host with a virtual machine, stopped by an NMI. The comments
# are printed, as a guided tour.
set confirm off
set pagination off
set width 0
echo \n--- every task and idle CPU is a thread ---\n
info threads
echo \n--- where the vCPU thread is (kvm_mmu_load called vmx_set_cr3) ---\n
bt 8
echo \n--- its registers: those of the CPU's note, the rest unavailable ---\n
info registers rip rsp rbp rbx r12 r13 r14 r15
echo \n--- two frames up, rbx is vcpu_enter_guest's struct kvm_vcpu ---\n
frame 2
info registers rbx
echo \n--- what is in it ---\n
print ((struct kvm_vcpu *) $rbx)->vcpu_id
print ((struct kvm_vcpu *) $rbx)->arch.mmu.set_cr3
print/x ((struct kvm_vcpu *) $rbx)->arch.mmu.root_hpa
echo \n--- the process it belongs to sleeps ---\n
thread 3
bt 6
