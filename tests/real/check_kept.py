#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The registers that a callee keeps, as stock gdb without any file shows them in every frame of
every thread, against drgn's, which has all debug files, and against `bt`.

    check_kept.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

Where the server needs a vmlinux (--symbols among the options), gdb has the file that --write-symbols
makes, and nothing else.

rbx, rbp and r12 to r15 must be drgn's and those of `bt` wherever both have a value, and of a hundred
that drgn knows gdb must know 97. drgn's mistakes are those that compare_frames.py tells of. Every
difference is a line on stderr.
"""

import json
import os
import shutil
import sys
import tempfile

from oracle import HERE, check_main, json_lines, run, skip
from server_process import Server

CONTEXTS = 20000000
MARK = "GDB-KEPT "
KEPT = ("rbx", "rbp", "r12", "r13", "r14", "r15")
SAID_MAX = 20


def gdb_threads(server, files):
    command = ["gdb", "-nx", "-batch", *server.gdb_attach(), "-x",
               os.path.join(HERE, "gdb_kept.py"), *files]
    output = run(command, "gdb", with_stderr=True).decode("utf-8", "replace")
    lines = [json.loads(line[len(MARK):]) for line in output.splitlines() if line.startswith(MARK)]
    return {thread["tid"]: thread["frames"] for thread in lines if thread["tid"] < CONTEXTS}


def place(frame):
    """Where a frame is: two are the same if both are."""
    regs = frame["regs"]
    return (int(regs["rip"], 16), int(regs["rsp"], 16)) if {"rip", "rsp"} <= regs.keys() else None


class Count:
    def __init__(self, who):
        self.who = who
        self.same = self.unknown = self.alone = self.frames = self.missing = 0
        self.lines = []

    def thread(self, tid, seen, others, passed_over):
        mine = {place(frame): frame for frame in seen}
        kept_rbp = None
        for number, frame in enumerate(others):
            found = mine.get(place(frame))
            if found:
                self.frames += 1
                self.frame(f"thread {tid} #{number} {frame.get('name')}", found["regs"],
                           frame["regs"], passed_over(frame, kept_rbp))
            else:
                self.missing += 1
            kept_rbp = frame["regs"].get("rbp")

    def frame(self, where, mine, theirs, passed_over):
        for name in KEPT:
            if name not in theirs:
                self.alone += name in mine
            elif name in passed_over:
                continue
            elif name not in mine:
                self.unknown += 1
            elif int(mine[name], 16) == int(theirs[name], 16):
                self.same += 1
            else:
                self.lines.append(f"{where}: {name} is {mine[name]}, {self.who} says {theirs[name]}")

    def __str__(self):
        return (f"{self.frames} frames of {self.who} ({self.missing} more are not gdb's): "
                f"{self.same} registers the same, {len(self.lines)} different, {self.unknown} known "
                f"to {self.who} alone, {self.alone} to gdb alone")


def check(dump, server):
    if not shutil.which("gdb"):
        skip("gdb is missing")
    output = run([*server, "-x", "bt --all --json", *dump.files], server[0])
    ours = {thread["tid"]: thread["frames"] for thread in json_lines(output, server[0])}
    with tempfile.TemporaryDirectory() as folder:
        image = os.path.join(folder, "symbols")
        files = [image] if "--symbols" in server else []
        if files:
            run([*server, "--write-symbols", image, *dump.files], server[0])
        with Server([*server, "--no-context-threads"], dump.files) as serving:
            seen = gdb_threads(serving, files)
    by_bt, by_drgn = Count("bt"), Count("drgn")
    # drgn's rbp of a frame whose registers an entry has saved is the entry code's.
    saved = {(tid, place(frame)) for tid, frames in ours.items() for frame in frames
             if frame["how"] == "regs"}
    for tid, frames in ours.items():
        by_bt.thread(tid, seen.get(tid, []), frames, lambda _frame, _rbp: ())
    for thread in dump.ask_drgn("oracle_drgn_frames.py"):
        tid = thread["tid"]
        by_drgn.thread(tid, seen.get(tid, []), thread["frames"],
                       lambda frame, rbp, tid=tid: ("rbp",) if (tid, place(frame)) in saved
                       and frame["regs"].get("rbp") == rbp else ())
    print(f"{by_bt}\n{by_drgn}", file=sys.stderr)
    wrong = by_bt.lines + by_drgn.lines
    if by_drgn.same < 97 * by_drgn.unknown / 3:
        wrong.append("gdb knows less than 97 of 100")
    return wrong[:SAID_MAX]


if __name__ == "__main__":
    check_main(__doc__, check)
