# SPDX-License-Identifier: GPL-2.0-or-later
"""Run within gdb: prints every thread's frames as JSON Lines, by gdb's own unwinder."""

import json

import gdb

FRAMES_MAX = 100


def frames():
    frame = gdb.newest_frame()
    while frame is not None:
        yield {"pc": frame.pc(), "name": frame.name()}
        frame = frame.older()


for thread in gdb.selected_inferior().threads():
    thread.switch()
    try:
        seen = [frame for frame, _ in zip(frames(), range(FRAMES_MAX))]
    except gdb.error:
        seen = []
    print("GDB-FRAMES " + json.dumps({"tid": thread.ptid[1], "frames": seen}))
