#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares the frames that `bt --all --json` gives of one dump with drgn's.

    compare_frames.py MANIFEST DUMP_NAME SERVER [SERVER_OPTION...]

rip, rsp, rbp, rbx and r12-r15 of every frame must be drgn's wherever drgn has a value. A server
without a vmlinux (no --symbols among the options) has ORC alone: what it knows must be right, but
it may know less of rbx and r12-r15. Every difference is a line on stderr. Exit status: 0 the same,
1 different or failed, 77 no Python on this machine can import drgn.
"""

import sys

from oracle import check_main, json_lines, run

ALWAYS = {"rip", "rsp"}
ENDS = {"user", "kthread", "lost"}


def values(regs):
    return {name: int(value, 16) for name, value in regs.items()}


class Comparison:
    """Counts what was compared and collects differences as sentences."""

    def __init__(self, complete):
        self.complete = complete  # whether all that drgn knows must be known
        self.lines = []
        self.frames = self.same = self.unknown = 0

    def frame(self, where, mine, theirs):
        self.frames += 1
        regs = values(mine["regs"])
        for name, value in values(theirs["regs"]).items():
            if regs.get(name) == value:
                self.same += 1
            elif name in regs:
                self.lines.append(f"{where}: {name} is {regs[name]:#x}, drgn says {value:#x}")
            elif self.complete or name in ALWAYS:
                self.lines.append(f"{where}: {name} is unknown, drgn says {value:#x}")
            else:
                self.unknown += 1

    def thread(self, mine, theirs):
        who = f"tid {theirs['tid']} ({theirs['comm']})"
        for number, (frame, expected) in enumerate(zip(mine["frames"], theirs["frames"])):
            where = f"{who} #{number} {frame.get('name')} by {frame['how']}"
            self.frame(where, frame, expected)
        if len(mine["frames"]) < len(theirs["frames"]):
            self.lines.append(f"{who}: {len(mine['frames'])} frames, drgn has "
                              f"{len(theirs['frames'])}; {mine['end']} {mine.get('why', '')}")
        if mine["end"] not in ENDS or (mine["end"] == "lost") != ("why" in mine):
            self.lines.append(f"{who}: end is {mine['end']!r}, why {mine.get('why')!r}")


def compare(dump, server):
    output = run([*server, "-x", "bt --all --json", *dump.files], server[0])
    mine = {thread["tid"]: thread for thread in json_lines(output, server[0])}
    comparison = Comparison(complete="--symbols" in server)
    for thread in dump.threads:
        if thread["tid"] not in mine:
            comparison.lines.append(f"tid {thread['tid']} is not in the server's list")
    for theirs in dump.ask_drgn("oracle_drgn_frames.py"):
        if theirs["tid"] in mine:
            comparison.thread(mine[theirs["tid"]], theirs)
    print(f"{comparison.frames} frames, {comparison.same} registers the same, "
          f"{comparison.unknown} known to drgn alone", file=sys.stderr)
    return comparison.lines


if __name__ == "__main__":
    check_main(__doc__, compare)
