# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs inside gdb after it has attached: writes what gdb sees as one line of JSON.

The environment variable GDB_REPORT_TID names the thread whose backtrace is wanted, and
GDB_REPORT_SYMBOLS is "made" where gdb has but the file that the server makes of the dump.
"""

import json
import os

import gdb

MAX_FRAMES = 64


def backtrace(tid):
    """The functions' names, innermost first, of the thread with the given id. Without those that
    gdb only infers: a function that ended in a jump to the next has no frame."""
    for thread in gdb.selected_inferior().threads():
        if thread.ptid[1] == tid:
            thread.switch()
            break
    names = []
    frame = gdb.newest_frame()
    while frame is not None and len(names) < MAX_FRAMES:
        if frame.type() != gdb.TAILCALL_FRAME:
            names.append(frame.name())
        frame = frame.older()
    return names


def report():
    selected = gdb.selected_thread()
    result = {
        "selected": selected.ptid[1],
        "threads": [[thread.ptid[1], thread.name] for thread in gdb.selected_inferior().threads()],
        "info_threads": gdb.execute("info threads", to_string=True),
    }
    result["init_task"] = int(gdb.parse_and_eval("(unsigned long) &init_task"))
    result["module"] = {name: gdb.execute(f"info symbol {name}", to_string=True)
                        for name in ("kvm_vcpu_halt", "kvm_vcpu_block")}
    result["comm"] = gdb.parse_and_eval("init_task.comm").string()
    if os.environ["GDB_REPORT_SYMBOLS"] != "made":
        result["runqueues"] = int(gdb.parse_and_eval("(unsigned long) &runqueues"))
        result["banner"] = gdb.parse_and_eval("(char *) linux_banner").string()
        result["backtrace"] = backtrace(int(os.environ["GDB_REPORT_TID"]))
    return result


print("GDB-REPORT " + json.dumps(report()), flush=True)
