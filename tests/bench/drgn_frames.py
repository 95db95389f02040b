#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Unwinds every thread of a dump with drgn, twice: prints the frames and the processor's seconds of the second time.

    drgn_frames.py DUMP VMLINUX [once]
"""
import sys
import time

import drgn
from drgn.helpers.linux.pid import for_each_task

NAMES = ["rip", "rsp", "rbp", "rbx", "r12", "r13", "r14", "r15"]


def unwind_all(prog):
    """Every frame's registers and name, as `bt --all` shows them."""
    frames = 0
    for task in for_each_task(prog):
        try:
            trace = prog.stack_trace(task)
        except (ValueError, LookupError, drgn.FaultError):
            continue
        for frame in trace:
            if frame.is_inline:
                continue
            values, _name = frame.registers(), frame.name
            _known = [values[name] for name in NAMES if name in values]
            frames += 1
    return frames


def main():
    prog = drgn.Program()
    prog.set_core_dump(sys.argv[1])
    prog.load_debug_info([sys.argv[2]])
    frames = unwind_all(prog)
    if sys.argv[3:] == ["once"]:
        print(frames)
        return
    start = time.process_time()
    frames = unwind_all(prog)
    print(frames, time.process_time() - start)


if __name__ == "__main__":
    main()
