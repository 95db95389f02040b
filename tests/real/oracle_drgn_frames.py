#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What drgn says of the frames of a dump's threads.

    oracle_drgn_frames.py [--vmcoreinfo-from ELF] DUMP VMLINUX [MODULE...]

Writes JSON Lines, one object a thread that drgn is not misled about (oracle_drgn.py says which
those are): tid, comm, and frames, innermost first, each with the function's name (null where drgn
has none), whether it was interrupted, its known registers, its source line ("at") and the functions
that were inlined there, innermost first. Inlined functions are no frames.
"""

import contextlib
import json
import os
import sys

from oracle_drgn import (IDLE_TID_BASE, REGISTERS, all_tasks, is_misled, keeps_stack,
                         open_as_far_as_possible, parse_arguments, with_vmcoreinfo)


def source_line(frame):
    """FILE:LINE without folders; None where drgn does not know."""
    try:
        path, line, _column = frame.source()
    except LookupError:
        return None
    return f"{os.path.basename(path)}:{line}"


def frames(prog, task):
    """The frames of the machine; the innermost of a group of inlined ones comes first. None where
    drgn cannot unwind (6.12's ORC)."""
    found, inlined = [], []
    try:
        trace = prog.stack_trace(task)
    except Exception as error:  # drgn raises nothing more special
        if "ORC" not in str(error):
            raise
        return None
    for frame in trace:
        if frame.is_inline:
            inlined.append({"name": frame.name, "at": source_line(frame)})
            continue
        values = frame.registers()
        found.append({
            "name": frame.name,
            "interrupted": frame.interrupted,
            "at": source_line(frame),
            "inlined": inlined,
            "regs": {name: hex(values[name]) for name in REGISTERS if name in values},
        })
        inlined = []
    return found


def main():
    donor, dump, vmlinux, modules = parse_arguments(__doc__)
    with with_vmcoreinfo(dump, donor) if donor else contextlib.nullcontext(dump) as path:
        prog, notes_usable = open_as_far_as_possible(path, vmlinux, modules)
        for task, kind, cpu in all_tasks(prog):
            has_stack = keeps_stack(prog, task)
            if not has_stack or is_misled(task, cpu, notes_usable):
                continue
            found = frames(prog, task)
            if found is None:
                continue
            print(json.dumps({
                "tid": IDLE_TID_BASE + cpu if kind == "idle" else task.pid.value_(),
                "comm": task.comm.string_().decode("utf-8", "replace"),
                "frames": found,
            }))


if __name__ == "__main__":
    main()
