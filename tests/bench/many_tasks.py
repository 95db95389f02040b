#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes a recipe for the demo's machine with COUNT more threads in the process 103, to standard output.

They share one stack: what is measured is how they are found and listed, not their memory.
"""
import sys

FIRST_PID = 1000
TASKS = 0xFFFF880200000000
PAGE = 4096


def main():
    count = int(sys.argv[1])
    print('include "seed.recipe"')
    for i in range(count):
        print(f"put task_struct at {TASKS + i * PAGE:#x}:\n"
              f"\tstate = 1\n\tstack = qemu_stack\n\tmm = qemu_mm\n\tactive_mm = qemu_mm\n"
              f"\tpid = {FIRST_PID + i}\n\ttgid = 103\n\tgroup_leader = qemu_task\n"
              f"\tcomm = \"worker-{i}\"\n\tthread.sp = qemu_stack + 0x3d58\n\tsignal = qemu_signal")
    print("list &signal_struct(qemu_signal).thread_head: &task_struct(qemu_task).thread_node\n"
          "\t&task_struct(vcpu_task).thread_node")
    for i in range(count):
        print(f"\t&task_struct({TASKS + i * PAGE:#x}).thread_node")


if __name__ == "__main__":
    main()
