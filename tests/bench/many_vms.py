#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes a recipe for the demo's machine with VMS virtual machines of VCPUS vCPUs more, to standard output.

Each is a process of its own, with a thread for every vCPU, as QEMU has them. They share stacks and page tables:
what is measured is how they are found and listed.
"""
import sys

FIRST_PID = 1000
PAGE = 4096
TASKS = 0xFFFF880200000000
MMS = 0xFFFF880280000000
SIGNALS = 0xFFFF880290000000
PIDS = 0xFFFF8802A0000000
KVMS = 0xFFFF8802C0000000
SLOTS = 0xFFFF8802D0000000
VCPUS = 0xFFFF880300000000


def task(at, tid, pid, leader, mm, signal, struct_pid, comm):
    print(f"put task_struct at {at:#x}: state = 1 stack = qemu_stack mm = {mm:#x} active_mm = {mm:#x}\n"
          f"\tpid = {tid} tgid = {pid} group_leader = {leader:#x} comm = \"{comm}\"\n"
          f"\tthread.sp = qemu_stack + 0x3d58 signal = {signal:#x} pids[0].pid = {struct_pid:#x}\n"
          f"hlist &pid({struct_pid:#x}).tasks[0]: &task_struct({at:#x}).pids[0].node")


def machine(i, count):
    step = count + 1
    pid = FIRST_PID + i * step
    mm, signal, kvm, slots = MMS + i * PAGE, SIGNALS + i * PAGE, KVMS + i * PAGE, SLOTS + i * PAGE
    threads = [TASKS + (i * step + n) * PAGE for n in range(step)]
    vcpus = [VCPUS + (i * count + n) * PAGE for n in range(count)]
    print(f"put mm_struct at {mm:#x}: pgd = direct + qemu_pgd owner = {threads[0]:#x}\n"
          f"put signal_struct at {signal:#x}: nr_threads = {step}")
    for n, at in enumerate(threads):
        task(at, pid + n, pid, threads[0], mm, signal, PIDS + (i * step + n) * 256,
             f"CPU {n - 1}/KVM" if n else "qemu-kvm")
    print(f"list &signal_struct({signal:#x}).thread_head:\n\t"
          + " ".join(f"&task_struct({at:#x}).thread_node" for at in threads))
    members = " ".join(f"vcpus[{n}] = {at:#x}" for n, at in enumerate(vcpus))
    print(f"put kvm at {kvm:#x}: mm = {mm:#x} memslots = {slots:#x} userspace_pid = {pid}\n"
          f"\tonline_vcpus.counter = {count} {members}\n"
          f"put kvm_memslots at {slots:#x}: used_slots = 2 memslots[0].npages = 0xa0\n"
          f"\tmemslots[0].userspace_addr = guest_hva memslots[1].base_gfn = 0x100 memslots[1].id = 1\n"
          f"\tmemslots[1].npages = 0x7ff00 memslots[1].userspace_addr = guest_hva + 0x100000")
    for n, at in enumerate(vcpus):
        print(f"put vcpu_vmx at {at:#x}: vcpu.kvm = {kvm:#x} vcpu.vcpu_id = {n} vcpu.run = run\n"
              f"\tvcpu.pid = {PIDS + (i * step + n + 1) * 256:#x} vcpu.preempt_notifier.ops = kvm_preempt_ops\n"
              f"\tvcpu.arch.regs[16] = 0x8010 vcpu.arch.regs_avail = 0x1ffef vcpu.arch.mp_state = 3\n"
              f"\tvcpu.arch.mmu.root_hpa = 0x5308000 exit_reason = 12\n"
              f"hlist &task_struct({threads[n + 1]:#x}).preempt_notifiers:"
              f" &kvm_vcpu({at:#x}).preempt_notifier.link")
    return threads[0], kvm


def main():
    vms, vcpus = int(sys.argv[1]), int(sys.argv[2])
    print('include "seed.recipe"')
    made = [machine(i, vcpus) for i in range(vms)]
    print("list &task_struct(init_task).tasks: &task_struct(systemd_task).tasks\n"
          "\t&task_struct(kthreadd_task).tasks &task_struct(qemu_task).tasks")
    for leader, _ in made:
        print(f"\t&task_struct({leader:#x}).tasks")
    print("list vm_list: &kvm(kvm).vm_list")
    for _, kvm in made:
        print(f"\t&kvm({kvm:#x}).vm_list")


if __name__ == "__main__":
    main()
