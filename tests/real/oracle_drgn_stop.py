#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What drgn says of a machine that QEMU has stopped and dumped.

    oracle_drgn_stop.py DUMP VMLINUX [MODULE...]

For each line of stdin, once DUMP has been written anew, into the same file, by the same machine. To open
it costs ten times as much as to ask. A line has QEMU's registers of every CPU, as JSON: a list of
{name: value}. drgn is misled about tasks that run (oracle_drgn.py says how), so it unwinds them from
these. Writes one JSON object a line: "current", the task that each CPU runs (its task_struct),
"running", each CPU's frames, and "sleeping", those of all others by tid. A frame is
[rip, rsp, name]. null where drgn cannot unwind.
"""

import json
import sys

import drgn
from drgn.helpers.linux.percpu import per_cpu

from oracle_drgn import THREAD_SIZE, all_tasks, keeps_stack, open_as_far_as_possible

# struct pt_regs by QEMU's names.
PT_REGS = {"r15": "r15", "r14": "r14", "r13": "r13", "r12": "r12", "bp": "rbp", "bx": "rbx",
           "r11": "r11", "r10": "r10", "r9": "r9", "r8": "r8", "ax": "rax", "cx": "rcx",
           "dx": "rdx", "si": "rsi", "di": "rdi", "ip": "rip", "cs": "cs", "flags": "eflags",
           "sp": "rsp"}


def frames(prog, start):
    found = []
    try:
        for frame in prog.stack_trace(start):
            if frame.is_inline:
                continue
            values = frame.registers()
            found.append([values.get("rip", 0), values.get("rsp", 0), frame.name])
    except Exception as error:  # drgn raises nothing more special
        print(f"oracle_drgn_stop.py: {error}", file=sys.stderr)
        return None
    return found


def current(prog, cpu, regs):
    """The task that the CPU says it runs; in the middle of a switch, when the scheduler says another,
    that on whose stack it is, if one is."""
    says = per_cpu(prog["current_task"], cpu)
    for task in (says, per_cpu(prog["runqueues"], cpu).curr):
        if task.stack.value_() < regs["rsp"] <= task.stack.value_() + THREAD_SIZE:
            return task.value_()
    return says.value_()


def answer(prog, cpus):
    running = [drgn.Object(prog, "struct pt_regs",
                           {member: regs[name] for member, name in PT_REGS.items()})
               for regs in cpus]
    # QEMU's notes carry CPU + 1 for a pid: drgn takes one for the note of a task with that pid.
    sleeping = {task.pid.value_(): frames(prog, task) for task, kind, _ in all_tasks(prog)
                if kind == "task" and not task.on_cpu and keeps_stack(prog, task)
                and task.pid > len(cpus)}
    return {
        "current": [current(prog, cpu, regs) for cpu, regs in enumerate(cpus)],
        "running": [frames(prog, start) if not regs["cs"] & 3 else None
                    for start, regs in zip(running, cpus)],
        "sleeping": sleeping,
    }


def main():
    dump, vmlinux, *modules = sys.argv[1:]
    prog = None
    for line in sys.stdin:
        if prog is None:
            prog, _ = open_as_far_as_possible(dump, vmlinux, modules)
        print(json.dumps(answer(prog, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
