# SPDX-License-Identifier: GPL-2.0-or-later
"""Run within gdb: prints every thread's frames as JSON Lines, by gdb's own unwinder, and why there
are no more."""

import json

import gdb

FRAMES_MAX = 100


def frames():
    frame = gdb.newest_frame()
    while frame is not None:
        yield frame
        frame = frame.older()


def end(frames):
    """What gdb says below a backtrace; None where it says nothing."""
    reason = frames[-1].unwind_stop_reason()
    silent = (gdb.FRAME_UNWIND_NO_REASON, gdb.FRAME_UNWIND_OUTERMOST)
    return None if reason in silent else gdb.frame_stop_reason_string(reason)


for thread in gdb.selected_inferior().threads():
    thread.switch()
    try:
        seen = [frame for frame, _ in zip(frames(), range(FRAMES_MAX))]
        said = {"frames": [{"pc": frame.pc(), "name": frame.name(),
                            "inlined": frame.type() in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME)}
                           for frame in seen],
                "end": end(seen)}
    except gdb.error as error:
        said = {"frames": [], "end": str(error)}
    print("GDB-FRAMES " + json.dumps({"tid": thread.ptid[1], **said}))
