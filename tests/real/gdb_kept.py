# SPDX-License-Identifier: GPL-2.0-or-later
"""Run within gdb: prints the registers that a callee keeps in every thread's frames, as JSON Lines,
by gdb's own unwinder. What gdb does not know is left out."""

import json

import gdb

FRAMES_MAX = 100
KEPT = ("rip", "rsp", "rbp", "rbx", "r12", "r13", "r14", "r15")
WORD = (1 << 64) - 1


def registers(frame):
    found = {}
    for name in KEPT:
        value = frame.read_register(name)
        if not value.is_optimized_out:
            try:
                found[name] = hex(int(value) & WORD)
            except gdb.error:  # <unavailable>: the server does not know it
                pass
    return found


for thread in gdb.selected_inferior().threads():
    thread.switch()
    frames = []
    try:
        frame = gdb.newest_frame()
        while frame is not None and len(frames) < FRAMES_MAX:
            # Functions that gdb only infers have another's registers.
            if frame.type() not in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME):
                frames.append({"name": frame.name(), "regs": registers(frame)})
            frame = frame.older()
    except gdb.error:
        pass
    print("GDB-KEPT " + json.dumps({"tid": thread.ptid[1], "frames": frames}))
